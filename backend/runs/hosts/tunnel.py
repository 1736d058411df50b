"""The socket through which a joined host reaches the studio's own database and broker, which listen on this machine alone.

`/ws/v1/hosts/database` and `/ws/v1/hosts/broker`, with the host's token as `Authorization: Bearer`: one socket is one connection, bytes in
both directions, looked at by `gate` on their way in. It is as private as the studio's own address is (https). A host that is removed
is cut off within seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.db import DatabaseError, InterfaceError

from backend.runs.hosts.gate import BrokerGate, DatabaseGate, Refused
from backend.runs.hosts.models import Host
from backend.runs.hosts.queries import host_of

log = logging.getLogger(__name__)
PIECE = 64 * 1024
LOOK_S = 3.0
"""How often it is asked whether the host is still one of ours."""
UNKNOWN, REFUSED, NO_SUCH, AWAY = 4401, 4403, 4404, 4503


def parts() -> dict[str, Path]:
    """The sockets of those parts that are the studio's own."""
    found = {}
    database = settings.DATABASES["default"]
    if "/" in database["HOST"]:
        found["database"] = Path(database["HOST"]) / f".s.PGSQL.{database['PORT'] or 5432}"
    if settings.BROKER_URL.startswith("redis+socket://"):
        found["broker"] = Path(settings.BROKER_URL.removeprefix("redis+socket://").partition("?")[0])
    return found


class Tunnel(AsyncWebsocketConsumer):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.writer: asyncio.StreamWriter | None = None
        self.tasks: list[asyncio.Task[None]] = []
        self.gate: DatabaseGate | BrokerGate

    async def connect(self) -> None:
        header = dict(self.scope.get("headers", [])).get(b"authorization", b"").decode("latin-1")
        scheme, _, secret = header.partition(" ")
        part = self.scope["url_route"]["kwargs"]["part"]
        host = await database_sync_to_async(host_of)(secret.strip()) if scheme.lower() == "bearer" else None
        await self.accept()  # a close code reaches the client only after this
        if host is None:
            return await self.close(UNKNOWN)
        if part not in (known := parts()):
            return await self.close(NO_SUCH)
        self.gate = DatabaseGate(str(settings.DATABASES["default"]["NAME"])) if part == "database" else BrokerGate()
        try:
            reader, self.writer = await asyncio.open_unix_connection(str(known[part]))
        except OSError:
            return await self.close(AWAY)
        self.tasks = [asyncio.create_task(self._back(reader)), asyncio.create_task(self._watch(host))]
        return None

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.writer is None or not bytes_data:
            return
        try:
            if passed := self.gate.feed(bytes_data):
                self.writer.write(passed)
                await self.writer.drain()
        except Refused as exc:
            log.warning("A host was refused %s and cut off.", exc)
            await self.close(REFUSED)
        except OSError:
            await self.close(AWAY)

    async def disconnect(self, code: int) -> None:
        for task in self.tasks:
            task.cancel()
        if self.writer is not None:
            self.writer.close()
            self.writer = None

    async def _back(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError, RuntimeError):  # RuntimeError: the socket is closed already
            while data := await reader.read(PIECE):
                await self.send(bytes_data=data)
            await self.close()

    async def _watch(self, host: Host) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            with contextlib.suppress(DatabaseError, InterfaceError):
                if not await database_sync_to_async(_still)(host):
                    await self.close(UNKNOWN)
                    return


def _still(host: Host) -> bool:
    return Host.objects.filter(pk=host.pk, token_hash=host.token_hash).exists()
