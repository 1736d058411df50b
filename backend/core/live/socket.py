"""The socket of a live document: who may come in, and the messages of y-protocols. What they change is the room's matter (`room.py`).

A question for the server's state (sync step 1) is answered after a flush: the answer means “saved”.

Refuses: whom `find_access` refuses, changes by whoever may only read, messages over MAX_MESSAGE, more than a page could have to say, and
clients that do not take what they are sent. Close codes 44xx mean: trying again would not help.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any

import pycrdt
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from pycrdt import YMessageType, YSyncMessageType

from backend.core.errors import HeadraceError
from backend.core.live.room import FORBIDDEN, REFUSED, TOO_LARGE, Access, Room, join, leave

MAX_MESSAGE = 2 * 1024 * 1024
MAX_AWARENESS = 64 * 1024
WAITING = 512
"""Messages that may wait for a client to take them."""
NOT_FOUND, SIGN_IN, TRY_LATER = 4404, 4401, 1013
MESSAGES_A_SECOND, MESSAGES_AT_ONCE = 120, 1200
"""What a page sends while somebody draws is about 60 a second. Whoever sends more for ten seconds is to come back later."""


class LiveDocument(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """One page that has a document open. Speaks the messages of y-protocols: sync (0), awareness (1), and the question for it (3)."""

    @staticmethod
    def find_access(scope: dict[str, Any], **names: Any) -> Access:
        """Which document this is, who asks, and what they may do; raises what the API would. Reads the database."""
        raise NotImplementedError  # each kind of document says it

    # A room listens for all its pages, so a page needs no channel of its own, and no Valkey to be opened.
    channel_layer_alias = ""
    room: Room | None = None

    async def connect(self) -> None:
        self.faces: set[int] = set()
        self.allowance, self.counted = float(MESSAGES_AT_ONCE), time.monotonic()
        self.outgoing: asyncio.Queue[bytes | int] = asyncio.Queue(WAITING + 16)
        self.writer: asyncio.Task[None] | None = None
        # Accepted first: a browser is told the close code only of a socket that was open.
        await self.accept()
        if (access := await self._access()) is None:
            return
        self.access = access
        self.room = await join(access.book, self)
        self.writer = asyncio.create_task(self._write())
        for message in self.room.greeting():
            self.put(message)

    async def _access(self) -> Access | None:
        names = self.scope["url_route"]["kwargs"]
        try:
            found: Access = await database_sync_to_async(self.find_access)(self.scope, **names)
            return found
        except HeadraceError as error:
            await self.close({401: SIGN_IN, 403: FORBIDDEN, 404: NOT_FOUND}.get(error.status, REFUSED))
            return None

    async def disconnect(self, code: int) -> None:
        if self.room is not None:
            room, self.room = self.room, None
            await leave(room, self)
        if self.writer is not None:
            self.writer.cancel()

    def put(self, message: bytes) -> None:
        """Send without waiting: one slow client must not hold up the others."""
        if self.outgoing.qsize() >= WAITING:
            self.leave(TRY_LATER)
        else:
            self.outgoing.put_nowait(message)

    def leave(self, code: int) -> None:
        with contextlib.suppress(asyncio.QueueFull):
            self.outgoing.put_nowait(code)

    async def _write(self) -> None:
        while True:
            message = await self.outgoing.get()
            if isinstance(message, int):
                await self.close(message)
                return
            await self.send(bytes_data=message)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        room = self.room
        if room is None:
            return
        if not bytes_data:
            self.leave(REFUSED)
            return
        if not self._allowed():
            self.leave(TRY_LATER)
            return
        if len(bytes_data) > MAX_MESSAGE:
            self.leave(TOO_LARGE)
            return
        kind = bytes_data[0]
        try:
            if kind == YMessageType.SYNC:
                await self._exchange(room, bytes_data[1], pycrdt.read_message(bytes_data[2:]))
            elif kind == YMessageType.AWARENESS:
                update = pycrdt.read_message(bytes_data[1:])
                if len(update) > MAX_AWARENESS:
                    self.leave(TOO_LARGE)
                else:
                    await room.meet(update, self)
            elif kind == 3:  # “who is here?”
                for message in room.greeting()[1:]:
                    self.put(message)
        except (IndexError, ValueError, RuntimeError):
            self.leave(REFUSED)

    def _allowed(self) -> bool:
        now = time.monotonic()
        self.allowance = min(MESSAGES_AT_ONCE, self.allowance + (now - self.counted) * MESSAGES_A_SECOND) - 1
        self.counted = now
        return self.allowance >= 0

    async def _exchange(self, room: Room, kind: int, content: bytes) -> None:
        if kind == YSyncMessageType.SYNC_STEP1:
            await room.flush()
            reply = pycrdt.handle_sync_message(bytes([kind]) + pycrdt.write_message(content), room.doc)
            if reply is not None:
                self.put(reply)
        elif self.access.writes:
            await room.take(content, self, self.access.seat.user)
        elif kind == YSyncMessageType.SYNC_UPDATE:  # a reader's answer to our step 1 says nothing new; this does
            self.leave(FORBIDDEN)
