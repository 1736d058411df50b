"""`python -m workers.engine.tunnel FOLDER`: the studio's database and broker as Unix sockets of this host.

Every connection that is made here becomes one WebSocket to the studio (`backend/runs/hosts/tunnel.py`), bytes both ways. A link that is cut
is noticed within seconds and ends the connections that went through it: their owners connect again and ask again, as when the database
itself had been restarted.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import os
import signal
import sys
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from workers.engine.begin import REMOVED

log = logging.getLogger(__name__)
PIECE = 64 * 1024
PING_S = 4.0
"""How often the link is asked and how long it may be silent. Under the ledger's lease: a worker hears of a cut before it is given up."""
UNKNOWN, REFUSED = 4401, 4403
"""How the studio closes a connection of a host that it does not know, and one on which too much was said."""
PATHS = {"database": ".s.PGSQL.5432", "broker": "valkey.sock"}


class Tunnel:
    def __init__(self, studio: str, token: str):
        self.base = studio.rstrip("/").replace("http", "ws", 1) + "/ws/v1/hosts/"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._quiet = False
        self.removed = asyncio.Event()

    async def serve(self, folder: Path) -> None:
        for part, name in PATHS.items():
            path = folder / name
            path.unlink(missing_ok=True)
            await asyncio.start_unix_server(functools.partial(self._carry, part), path=str(path), limit=2 * PIECE)
            path.chmod(0o600)

    async def _carry(self, part: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with connect(
                self.base + part, additional_headers=self._headers, compression=None, max_size=None, proxy=None,
                open_timeout=10, ping_interval=PING_S, ping_timeout=PING_S, close_timeout=1,
            ) as line:  # fmt: skip
                self._quiet = False
                ways = [asyncio.create_task(self._out(reader, line)), asyncio.create_task(self._in(line, writer))]
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
            if line.close_code == UNKNOWN:
                self.removed.set()
            elif line.close_code == REFUSED:
                log.error("The studio ended a connection (%s): something was said there that a host may not say.", part)
        except (OSError, WebSocketException, TimeoutError) as exc:
            if not self._quiet:  # once for a cut, not for every try
                log.warning("The studio is not reached (%s): trying again.", exc or type(exc).__name__)
            self._quiet = True
            await asyncio.sleep(0.3)
        finally:
            writer.close()

    @staticmethod
    async def _out(reader: asyncio.StreamReader, line: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed, OSError):
            while data := await reader.read(PIECE):
                await line.send(data)

    @staticmethod
    async def _in(line: ClientConnection, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionClosed, OSError):
            async for data in line:
                writer.write(data if isinstance(data, bytes) else data.encode())
                await writer.drain()


async def _run(folder: Path) -> None:
    tunnel = Tunnel(os.environ["HEADRACE_API_URL"], os.environ["HEADRACE_HOST_TOKEN"])
    await tunnel.serve(folder)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, os._exit, 0)
    await tunnel.removed.wait()
    log.error("The studio does not know this host any more.")
    sys.exit(REMOVED)


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    asyncio.run(_run(Path(sys.argv[1])))


if __name__ == "__main__":
    main()
