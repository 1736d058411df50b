"""Waits until a part answers, and finds the one sentence for why it does not."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from infra.supervisor import postgres
from infra.supervisor.child import Child
from infra.supervisor.errors import CannotStart
from infra.supervisor.layout import Layout
from infra.supervisor.plan import Addresses

NEAR, FAR = 0.05, 0.5
"""Seconds between two looks at a part of ours, and at one of somebody else's."""
DATABASE_LONGEST, SHARED_MEMORY_LONGEST, BROKER_LONGEST, WEB_LONGEST = 60.0, 15.0, 30.0, 120.0
"""Seconds. Replaying its log after a kill took PostgreSQL up to 4; the shared memory of a killed one is held for a moment."""


async def database(addresses: Addresses, layout: Layout, child: Child | None) -> None:
    """Until the database answers; an embedded one also gets its database, and its own words tell why it does not start."""
    import psycopg

    # The embedded server has only “postgres” at first.
    address = addresses.database.replace("/headrace?", "/postgres?", 1) if addresses.embedded_database else addresses.database

    def connect() -> None:
        with psycopg.connect(address, autocommit=True, connect_timeout=5) as connection:
            if addresses.embedded_database and not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'headrace'").fetchone():
                connection.execute("CREATE DATABASE headrace")

    began = time.monotonic()
    while True:
        try:
            return await asyncio.to_thread(connect)
        except psycopg.Error as exc:
            why = str(exc).strip().replace("\n", " ")
        waited = time.monotonic() - began
        if child is not None and child.restarts >= 2:
            said = " ".join(child.said)
            if "No space left" in said:
                raise OSError(errno.ENOSPC, "No space left on device")
            if "shared memory block" not in said or waited > SHARED_MEMORY_LONGEST:
                fatal = [line.split(":", 3)[-1].strip() for line in child.said if "FATAL" in line or "PANIC" in line]
                raise CannotStart(postgres.damaged(layout.postgres(), fatal[-1] if fatal else child.last_exit))
        if waited > DATABASE_LONGEST:
            raise CannotStart(f"The database does not answer: {why}")
        await asyncio.sleep(NEAR if child else FAR)


def _ping(path: Path) -> None:
    """Without the client, whose 6 MB the supervisor would hold for as long as it runs. Raises OSError."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(5)
        line.connect(str(path))
        line.sendall(b"PING\r\n")
        if (said := line.recv(100)) != b"+PONG\r\n":  # “-LOADING …”: it reads its log
            raise OSError(said.decode(errors="replace").strip() or "it closed the connection")


def _ping_far(url: str) -> Callable[[], None]:
    """Of a broker elsewhere, which may want a password or TLS. Raises OSError."""
    import redis

    client = redis.Redis.from_url(url.replace("redis+socket://", "unix://").replace("virtual_host=", "db="), socket_connect_timeout=5)

    def ping() -> None:
        try:
            client.ping()
            client.close()
        except redis.RedisError as exc:
            raise OSError(str(exc)) from exc

    return ping


async def broker(addresses: Addresses, layout: Layout, child: Child | None) -> None:
    """Until Valkey answers a ping."""
    ping = partial(_ping, layout.sockets() / "valkey.sock") if addresses.embedded_broker else _ping_far(addresses.broker)
    began = time.monotonic()
    while True:
        try:
            return await asyncio.to_thread(ping)
        except OSError as exc:
            why = str(exc)
        if child is not None and child.restarts >= 3:
            said = [line.strip() for line in child.said if "rror" in line or "Bad file" in line or "Fatal" in line]
            raise CannotStart(
                f"Valkey does not start ({said[-1] if said else child.last_exit}); "
                f"if {layout.valkey} is damaged, move it away: it holds only messages under way."
            )
        if time.monotonic() - began > BROKER_LONGEST:
            raise CannotStart(f"The broker does not answer: {why}")
        await asyncio.sleep(NEAR if child else FAR)


async def web(listener: socket.socket, layout: Layout, child: Child) -> None:
    """Until the studio answers. The socket already listens: a request sent too early waits instead of failing."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    began = time.monotonic()
    while True:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(10):
                reader, writer = await asyncio.open_connection(host, port)
                try:
                    writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    if b" 200 " in await reader.readline():
                        return
                finally:
                    writer.close()
        if child.restarts >= 3 or time.monotonic() - began > WEB_LONGEST:
            said = [line for line in child.said if line.strip()]
            raise CannotStart(f"The web process does not start: {said[-1] if said else child.last_exit}. All of it is in {layout.log}.")
        await asyncio.sleep(0.1)
