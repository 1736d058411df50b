"""One watch per process over all its sockets: who lost access is disconnected, and after Valkey was away everyone is told to ask again.

It asks the database once for all sockets, every few seconds, so that a thousand of them cost what one does.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Protocol
from weakref import WeakKeyDictionary

import redis.asyncio
from channels.db import database_sync_to_async
from django.conf import settings
from django.db import DatabaseError, InterfaceError

from backend.core.sockets import Seat, still_good

log = logging.getLogger(__name__)
EVERY_S = 2.0
SETTLE_S = 1.5
"""After Valkey is back the channel layer's own reader needs about a second to subscribe again."""


class Watched(Protocol):
    seat: Seat

    async def revoked(self) -> None: ...

    async def line_restored(self) -> None: ...


class Watch:
    def __init__(self) -> None:
        self.sockets: set[Watched] = set()
        self.task: asyncio.Task[None] | None = None
        self.server = ""
        self.valkey: redis.asyncio.Redis | None = None

    def add(self, socket: Watched) -> None:
        self.sockets.add(socket)
        if self.task is None or self.task.done():
            self.task = asyncio.create_task(self._run())

    def remove(self, socket: Watched) -> None:
        self.sockets.discard(socket)

    async def _run(self) -> None:
        """Ends when the last socket has gone; the next one starts it again."""
        self.valkey = redis.asyncio.Redis.from_url(
            settings.CHANNEL_LAYERS["default"]["CONFIG"]["hosts"][0], socket_timeout=1, socket_connect_timeout=1
        )
        try:
            self.server = await self._valkey_run() or ""
            while self.sockets:
                await asyncio.sleep(EVERY_S)
                await self._look_at_access()
                await self._look_at_valkey()
        finally:
            with contextlib.suppress(Exception):  # the loop may be ending
                await self.valkey.aclose()

    async def _look_at_access(self) -> None:
        now = list(self.sockets)
        try:
            good = await database_sync_to_async(still_good)([socket.seat for socket in now])
        except (DatabaseError, InterfaceError) as exc:
            log.warning("who may still listen is not known while the database is away: %s", exc)
            return
        for socket in now:
            if socket.seat not in good:
                await socket.revoked()

    async def _look_at_valkey(self) -> None:
        """A new run id is a new server: what was published between was lost, whether or not we noticed it was away."""
        found = await self._valkey_run()
        if found is None:
            if self.server:
                log.warning("Valkey is away: events wait in the database until it is back")
            self.server = ""
        elif found != self.server:
            self.server = found
            log.warning("Valkey is back: all sockets are told to ask for what they missed")
            await asyncio.sleep(SETTLE_S)
            for socket in list(self.sockets):
                await socket.line_restored()

    async def _valkey_run(self) -> str | None:
        assert self.valkey is not None
        try:
            return str((await self.valkey.info("server"))["run_id"])
        except (redis.RedisError, OSError):
            return None


_watches: WeakKeyDictionary[asyncio.AbstractEventLoop, Watch] = WeakKeyDictionary()


def watch() -> Watch:
    """The watch of the running loop."""
    return _watches.setdefault(asyncio.get_running_loop(), Watch())
