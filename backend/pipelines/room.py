"""The rooms of live drafts in this process: one Yjs document per pipeline that somebody has open.

A room is a copy for speed. The truth is the log of updates in the database (`actions/draft.py`): a room writes its clients'
updates there every FLUSH_S and takes from there what other processes wrote, so a lost message of the channel layer is only a delay.
It decides nothing about who may come in (`live.py` does), but looks again and again whether they may stay.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import pycrdt
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from pycrdt import Awareness, Decoder, Doc

from backend.core.sockets import Seat, still_good
from backend.pipelines import document
from backend.pipelines.actions.draft import Appended, append_updates, group, read_log
from backend.pipelines.models import DraftUpdate, Pipeline

log = logging.getLogger(__name__)

FLUSH_S = 0.25
RETRY_S = 2.0
TICK_S = 3.0
"""How often a room looks for what it missed and whether its people may still be there."""
LISTEN_AGAIN_S = 1.0
MAX_DOCUMENT = 32 * 1024 * 1024
MAX_FACES = 16
"""Awareness ids that one connection may speak for (a page has one)."""
REFUSED, FORBIDDEN, TOO_LARGE = 4400, 4403, 4413
WRITE = "pipeline.write"


class Access(NamedTuple):
    pipeline: UUID
    seat: Seat
    writes: bool


class Client(Protocol):
    """A page in a room."""

    access: Access
    faces: set[int]

    def put(self, message: bytes) -> None: ...

    def leave(self, code: int) -> None: ...


class Room:
    """One pipeline's document in this process. Everything runs on the event loop; the database is asked in threads."""

    def __init__(self, pipeline: UUID) -> None:
        self.pipeline, self.uid = pipeline, uuid.uuid4().hex
        self.clients: set[Client] = set()
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
        listening = asyncio.Event()
        self._spawn(self._listen(listening))
        self._spawn(self._tick())
        with contextlib.suppress(TimeoutError):  # Valkey is away: the log is enough
            await asyncio.wait_for(listening.wait(), LISTEN_AGAIN_S)
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

    async def take(self, update: bytes, sender: Client, author: UUID) -> None:
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

    async def meet(self, update: bytes, sender: Client) -> None:
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

    def _tell(self, message: bytes, but: Client | None = None) -> None:
        for client in self.clients:
            if client is not but:
                client.put(message)

    # Other processes

    async def _send(self, event: dict[str, Any]) -> None:
        try:
            await get_channel_layer().group_send(group(self.pipeline), {"type": "live.event", "event": {**event, "from": self.uid}})
        except Exception as error:  # Valkey is away: the others find it in the log
            log.warning("draft %s: not sent to other processes now: %s", self.pipeline, error)

    async def _listen(self, listening: asyncio.Event) -> None:
        layer = get_channel_layer()
        channel = await layer.new_channel("draft")
        receiving: asyncio.Task[Any] | None = None
        try:
            while True:
                try:
                    # Said again after every silence: a Valkey that was away has forgotten who listens.
                    await layer.group_add(group(self.pipeline), channel)
                    listening.set()
                    # Never cancelled while it waits: the layer would forget the channel.
                    receiving = receiving or asyncio.create_task(layer.receive(channel))
                    await asyncio.wait({receiving}, timeout=TICK_S)
                    if not receiving.done():
                        continue
                    message, receiving = receiving.result(), None
                except Exception as error:
                    log.warning("draft %s: other processes are not heard now: %s", self.pipeline, error)
                    receiving = None if receiving is not None and receiving.done() else receiving
                    await asyncio.sleep(LISTEN_AGAIN_S)
                    continue
                self._heard(message.get("event", {}))
        finally:
            if receiving is not None:
                receiving.cancel()
            with contextlib.suppress(Exception):
                await layer.group_discard(group(self.pipeline), channel)

    def _heard(self, event: dict[str, Any]) -> None:
        if event.get("from") == self.uid:
            return
        try:
            if "update" in event and self._apply(event["update"]):
                self.size += len(event["update"])
                self._tell(pycrdt.create_update_message(event["update"]))
            elif "awareness" in event:
                self.awareness.apply_awareness_update(event["awareness"], None)
                self._tell(pycrdt.create_awareness_message(event["awareness"]))
        except Exception:
            log.exception("draft %s: a message of another process was not understood", self.pipeline)

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
            if not self.buffer and not (look and await database_sync_to_async(_newest)(self.pipeline) > self.seen):
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
                await self.check_access()
            except Exception:
                log.exception("draft %s: looking for changes failed", self.pipeline)

    async def check_access(self) -> None:
        """Roles change, people sign out or leave, pipelines are deleted; an open socket must not outlive that."""
        clients = list(self.clients)
        good = await database_sync_to_async(_good)(self.pipeline, {client.access.seat for client in clients})
        for client in clients:
            seat = client.access.seat
            if seat not in good:
                client.leave(FORBIDDEN)
            client.access = client.access._replace(writes=replace(seat, action=WRITE) in good)


def _faces(update: bytes) -> set[int]:
    decoder = Decoder(update)
    found: set[int] = set()
    for _ in range(min(decoder.read_var_uint(), MAX_FACES + 1)):
        found.add(decoder.read_var_uint())
        decoder.read_var_uint()
        decoder.read_var_string()
    return found


rooms: dict[UUID, Room] = {}


async def join(pipeline: UUID, client: Client) -> Room:
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


async def leave(room: Room, client: Client) -> None:
    """Go; the last one closes the room."""
    room.clients.discard(client)
    await room.part(client.faces)
    async with room.lock:
        if not room.clients and not room.closed:
            if rooms.get(room.pipeline) is room:
                del rooms[room.pipeline]
            await room.close()


def _good(pipeline: UUID, seats: Iterable[Seat]) -> set[Seat]:
    """Of these seats those that still hold, to read and (the same seat with that action) to write."""
    if not Pipeline.objects.filter(pk=pipeline, deleted_at=None).exists():
        return set()
    return still_good([seat for read in seats for seat in (read, replace(read, action=WRITE))])


def _newest(pipeline: UUID) -> int:
    return DraftUpdate.objects.filter(pipeline=pipeline).order_by("-pk").values_list("pk", flat=True).first() or 0
