"""The live draft: people who edit one pipeline at once share a Yjs document through this process's room for it.

A room is a copy for speed. The truth is the log of updates in the database (`actions/draft.py`): a room writes its clients'
updates there every FLUSH_S and takes from there what other processes wrote, so a lost message of the channel layer is only a delay.
A question for the server's state (sync step 1) is answered after a flush: the answer means “saved”.

Refuses: whoever may not read the pipeline, changes by whoever may not write it, messages over MAX_MESSAGE, documents over
MAX_DOCUMENT, and clients that do not take what they are sent. Close codes 44xx mean: trying again would not help.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from typing import Any, NamedTuple
from uuid import UUID

import pycrdt
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer
from pycrdt import Awareness, Decoder, Doc, YMessageType, YSyncMessageType

from backend.core.auth import token_for
from backend.core.errors import HeadraceError, SignInNeeded
from backend.core.http import authorize
from backend.core.permissions import may
from backend.pipelines import document
from backend.pipelines.actions.draft import Appended, append_updates, group, read_log
from backend.pipelines.queries import find

log = logging.getLogger(__name__)

FLUSH_S = 0.25
RETRY_S = 2.0
TICK_S = 15.0
"""How often a room looks for what it missed and whether its people may still be there."""
MAX_MESSAGE = 2 * 1024 * 1024
MAX_AWARENESS = 64 * 1024
MAX_DOCUMENT = 32 * 1024 * 1024
WAITING = 512
"""Messages that may wait for a client to take them."""
MAX_FACES = 16
"""Awareness ids that one connection may speak for (a page has one)."""
REFUSED, FORBIDDEN, NOT_FOUND, TOO_LARGE, SIGN_IN, SLOW = 4400, 4403, 4404, 4413, 4401, 1013


class Access(NamedTuple):
    pipeline: UUID
    user: UUID
    writes: bool


class Room:
    """One pipeline's document in this process. Everything runs on the event loop; the database is asked in threads."""

    def __init__(self, pipeline: UUID) -> None:
        self.pipeline, self.uid = pipeline, uuid.uuid4().hex
        self.clients: set[DraftConsumer] = set()
        self.lock, self.flushing = asyncio.Lock(), asyncio.Lock()
        self.closed = False
        self.seen, self.size = 0, 0
        self.buffer: list[bytes] = []
        self.authors: set[UUID] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self.due: asyncio.Task[None] | None = None
        self._start_document()

    def _start_document(self) -> None:
        self.doc: Doc[Any] = Doc()
        self.awareness = Awareness(self.doc)
        self.awareness.set_local_state(None)  # the server is nobody
        self._changes = 0
        self._watching = self.doc.observe(self._count)

    def _count(self, event: Any) -> None:
        self._changes += 1

    async def open(self) -> None:
        """Listen first, then read: what is written in between arrives twice, which does no harm."""
        layer = get_channel_layer()
        channel = await layer.new_channel("draft")
        await layer.group_add(group(self.pipeline), channel)
        self._spawn(self._listen(layer, channel))
        self._spawn(self._tick())
        await self._read()

    async def _read(self) -> None:
        updates, self.seen = await database_sync_to_async(read_log)(self.pipeline)
        self._start_document()
        self.size = sum(map(len, updates))
        for update in updates + self.buffer:
            document.apply(self.doc, update)

    def _spawn(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def close(self) -> None:
        """Write what is left; then nothing of this room remains. The caller holds `lock`."""
        self.closed = True
        try:
            await self.flush()
        except Exception:
            log.exception("the last changes of draft %s could not be written; its editors' pages still hold them", self.pipeline)
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    # What clients send

    def _apply(self, update: bytes) -> bool:
        """Whether the update says anything that the document does not know (or that waits for an update still to come)."""
        before = self._changes
        document.apply(self.doc, update)
        return self._changes > before or pycrdt.get_update(update, self.doc.get_state())[:1] != b"\x00"

    async def take(self, update: bytes, sender: DraftConsumer, author: UUID) -> None:
        """A client's change: to the other clients, to the other processes, and soon to the log."""
        if self.size + len(update) > MAX_DOCUMENT:
            sender.leave(TOO_LARGE)
            return
        try:
            news = self._apply(update)
        except document.BadUpdate:
            sender.leave(REFUSED)
            await self._read()
            return
        if not news:
            return
        self.size += len(update)
        self.buffer.append(update)
        self.authors.add(author)
        if self.due is None:
            self.due = self._spawn(self._flush_soon(FLUSH_S))
        message = pycrdt.create_update_message(update)
        self._tell(message, sender)
        await self._send({"update": update})

    async def meet(self, update: bytes, sender: DraftConsumer) -> None:
        """A client's presence: who it is, what it has selected."""
        try:
            sender.faces |= _faces(update)
            self.awareness.apply_awareness_update(update, sender)
        except Exception:
            sender.leave(REFUSED)
            return
        if len(sender.faces) > MAX_FACES:
            sender.leave(REFUSED)
            return
        self._tell(pycrdt.create_awareness_message(update), sender)
        await self._send({"awareness": update})

    async def part(self, faces: set[int]) -> None:
        """A client went: the others stop seeing it."""
        known = [face for face in faces if face in self.awareness.states]
        if not known:
            return
        self.awareness.remove_awareness_states(known, "left")
        update = self.awareness.encode_awareness_update(known)
        self._tell(pycrdt.create_awareness_message(update))
        await self._send({"awareness": update})

    def greeting(self) -> list[bytes]:
        """What a new client is told: the server's state, and who is here."""
        messages = [pycrdt.create_sync_message(self.doc)]
        if present := list(self.awareness.states):
            messages.append(pycrdt.create_awareness_message(self.awareness.encode_awareness_update(present)))
        return messages

    def _tell(self, message: bytes, but: DraftConsumer | None = None) -> None:
        for client in self.clients:
            if client is not but:
                client.put(message)

    # Other processes

    async def _send(self, event: dict[str, Any]) -> None:
        try:
            await get_channel_layer().group_send(group(self.pipeline), {"type": "live.event", "event": {**event, "from": self.uid}})
        except Exception as error:  # Valkey is away: the others find it in the log
            log.warning("draft %s: not sent to other processes now: %s", self.pipeline, error)

    async def _listen(self, layer: Any, channel: str) -> None:
        try:
            while True:
                event = (await layer.receive(channel)).get("event", {})
                if event.get("from") == self.uid:
                    continue
                try:
                    if "update" in event and self._apply(event["update"]):
                        self.size += len(event["update"])
                        self._tell(pycrdt.create_update_message(event["update"]))
                    elif "awareness" in event:
                        self.awareness.apply_awareness_update(event["awareness"], None)
                        self._tell(pycrdt.create_awareness_message(event["awareness"]))
                except Exception:
                    log.exception("draft %s: a message of another process was not understood", self.pipeline)
        finally:
            with contextlib.suppress(Exception):
                await layer.group_discard(group(self.pipeline), channel)

    # The log

    async def _flush_soon(self, wait: float) -> None:
        await asyncio.sleep(wait)
        self.due = None
        try:
            await self.flush()
        except Exception:
            log.exception("draft %s: the log cannot be written now; trying again", self.pipeline)
            if self.due is None:
                self.due = self._spawn(self._flush_soon(RETRY_S))

    async def flush(self, *, look: bool = False) -> None:
        """Write what is new here, and take what others wrote. `look`: also when there is nothing to write."""
        async with self.flushing:
            if not self.buffer and not look:
                return
            updates, authors = self.buffer, self.authors
            self.buffer, self.authors = [], set()
            try:
                done: Appended = await database_sync_to_async(append_updates)(self.pipeline, updates, self.seen, list(authors))
            except BaseException:
                self.buffer, self.authors = updates + self.buffer, authors | self.authors
                raise
            self.seen = done.last
            for update in done.others:
                before = self._changes
                document.apply(self.doc, update)
                if self._changes > before:
                    self._tell(pycrdt.create_update_message(update))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            try:
                await self.flush(look=True)
                for client in list(self.clients):
                    await client.check_again()
            except Exception:
                log.exception("draft %s: looking for changes failed", self.pipeline)


def _faces(update: bytes) -> set[int]:
    decoder = Decoder(update)
    found: set[int] = set()
    for _ in range(min(decoder.read_var_uint(), MAX_FACES + 1)):
        found.add(decoder.read_var_uint())
        decoder.read_var_uint()
        decoder.read_var_string()
    return found


rooms: dict[UUID, Room] = {}


async def join(pipeline: UUID, client: DraftConsumer) -> Room:
    """Enter the pipeline's room, opening it when nobody is there."""
    while True:
        room = rooms.get(pipeline)
        if room is None or room.closed:
            room = rooms[pipeline] = Room(pipeline)
        async with room.lock:
            if room.closed:
                continue
            if not room.tasks:
                try:
                    await room.open()
                except BaseException:
                    rooms.pop(pipeline, None)
                    await room.close()
                    raise
            room.clients.add(client)
            return room


async def leave(room: Room, client: DraftConsumer) -> None:
    """Go; the last one closes the room."""
    room.clients.discard(client)
    await room.part(client.faces)
    async with room.lock:
        if not room.clients and not room.closed:
            if rooms.get(room.pipeline) is room:
                del rooms[room.pipeline]
            await room.close()


def find_access(scope: dict[str, Any], project: str, pipeline: str) -> Access:
    """Who this is and what they may do here; raises what the API would."""
    headers = {name.lower(): value for name, value in scope.get("headers", ())}
    token = None
    user = scope.get("user")
    if header := headers.get(b"authorization", b"").decode("latin-1"):
        scheme, _, secret = header.partition(" ")
        token = token_for(secret.strip()) if scheme.lower() == "bearer" else None
        if token is None:
            raise SignInNeeded
        user = token.user
    found, role = authorize(user, project, "pipeline.read", token)
    return Access(find(found, pipeline).pk, user.pk, may(role, "pipeline.write"))  # type: ignore[union-attr]  # authorize refuses None


class DraftConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """One page that has the draft open. Speaks the messages of y-protocols: sync (0), awareness (1), and the question for it (3)."""

    room: Room | None = None

    async def connect(self) -> None:
        self.faces: set[int] = set()
        self.outgoing: asyncio.Queue[bytes | int] = asyncio.Queue(WAITING + 16)
        self.writer: asyncio.Task[None] | None = None
        # Accepted first: a browser is told the close code only of a socket that was open.
        await self.accept()
        if (access := await self._access()) is None:
            return
        self.access = access
        self.room = await join(access.pipeline, self)
        self.writer = asyncio.create_task(self._write())
        for message in self.room.greeting():
            self.put(message)

    async def _access(self) -> Access | None:
        names = self.scope["url_route"]["kwargs"]
        try:
            found: Access = await database_sync_to_async(find_access)(self.scope, names["project"], names["pipeline"])
            return found
        except HeadraceError as error:
            await self.close({401: SIGN_IN, 403: FORBIDDEN, 404: NOT_FOUND}.get(error.status, REFUSED))
            return None

    async def check_again(self) -> None:
        """Roles change, people leave projects, pipelines are deleted; an open socket must not outlive that."""
        access = await self._access()
        if access is not None:
            self.access = access

    async def disconnect(self, code: int) -> None:
        if self.room is not None:
            room, self.room = self.room, None
            await leave(room, self)
        if self.writer is not None:
            self.writer.cancel()

    def put(self, message: bytes) -> None:
        """Send without waiting: one slow client must not hold up the others."""
        if self.outgoing.qsize() >= WAITING:
            self.leave(SLOW)
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

    async def _exchange(self, room: Room, kind: int, content: bytes) -> None:
        if kind == YSyncMessageType.SYNC_STEP1:
            await room.flush()
            reply = pycrdt.handle_sync_message(bytes([kind]) + pycrdt.write_message(content), room.doc)
            if reply is not None:
                self.put(reply)
        elif self.access.writes:
            await room.take(content, self, self.access.user)
        elif kind == YSyncMessageType.SYNC_UPDATE:  # a reader's answer to our step 1 says nothing new; this does
            self.leave(FORBIDDEN)
