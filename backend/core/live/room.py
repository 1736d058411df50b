"""The rooms of live documents in this process: one Yjs document for each thing that somebody has open.

A room is a copy for speed. The truth is the log of updates in the database (its `Book`): a room writes its clients'
updates there every FLUSH_S and takes from there what other processes wrote, so a lost message of the channel layer is only a delay.
It decides nothing about who may come in (`socket.py` does), but asks its book again and again whether they may stay.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import uuid
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import pycrdt
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from pycrdt import Awareness, Decoder, Doc

from backend.core.live import updates as yjs
from backend.core.sockets import Seat

log = logging.getLogger(__name__)

FLUSH_S = 0.25
RETRY_S = 2.0
TICK_S = 3.0
"""How often a room looks for what it missed and whether its people may still be there."""
LISTEN_AGAIN_S = 1.0
MAX_FACES = 16
"""Awareness ids that one connection may speak for (a page has one)."""
STATE = 10
"""Beside the messages of y-protocols: what its book says of the thing itself, as JSON."""
REFUSED, FORBIDDEN, TOO_LARGE = 4400, 4403, 4413


class Appended(Protocol):
    """`others` is what the log held after `seen` that the caller had not sent itself; `last` is the log's end."""

    @property
    def last(self) -> int: ...

    @property
    def others(self) -> list[bytes]: ...


class Book(Protocol):
    """A document's log in the database, and who may be there; asked in threads. Two with the same `key` are the same document."""

    key: str
    """Also the group of the channel layer in which its rooms hear each other."""
    largest: int
    """Bytes that the document may have."""

    def read(self) -> tuple[list[bytes], int]:
        """Its updates and the number of the last."""

    def append(self, updates: Sequence[bytes], seen: int, authors: Sequence[UUID]) -> Appended: ...

    def newest(self) -> int: ...

    def rights(self, seats: set[Seat]) -> dict[Seat, bool]:
        """Those who may still be here, and whether they may change the document."""

    def state(self) -> dict[str, Any] | None:
        """What pages are told beside the document; None: nothing ever."""

    def vouches(self, seat: Seat, face: dict[str, Any]) -> bool:
        """Whether a page may show itself to the others so."""


class Access(NamedTuple):
    book: Book
    seat: Seat
    writes: bool


class Client(Protocol):
    """A page in a room."""

    access: Access
    faces: set[int]

    def put(self, message: bytes) -> None: ...

    def leave(self, code: int) -> None: ...


class Room:
    """One document in this process. Everything runs on the event loop; the database is asked in threads."""

    def __init__(self, book: Book) -> None:
        self.book, self.uid = book, uuid.uuid4().hex
        self.clients: set[Client] = set()
        self.lock, self.flushing = asyncio.Lock(), asyncio.Lock()
        self.closed = False
        self.seen, self.size = 0, 0
        self.buffer: list[bytes] = []
        self.authors: set[UUID] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self.due: asyncio.Task[None] | None = None
        self.state: dict[str, Any] | None = None
        self._start_document()

    def _start_document(self) -> None:
        present = self._present() if hasattr(self, "awareness") else None
        self.doc: Doc[Any] = Doc()
        self.awareness = Awareness(self.doc)
        self.awareness.set_local_state(None)  # the server is nobody
        if present:  # a document that is loaded again has the same people around it
            self.awareness.apply_awareness_update(present, None)
        self._changes, self._news = 0, b""
        self._watching = self.doc.observe(self._count)

    def _count(self, event: Any) -> None:
        self._changes += 1
        self._news = event.update

    async def open(self) -> None:
        """Listen first, then read: what is written in between arrives twice, which does no harm."""
        listening = asyncio.Event()
        self._spawn(self._listen(listening))
        self._spawn(self._tick())
        with contextlib.suppress(TimeoutError):  # Valkey is away: the log is enough
            await asyncio.wait_for(listening.wait(), LISTEN_AGAIN_S)
        await self._read()
        self.state = await database_sync_to_async(self.book.state)()

    async def _read(self) -> None:
        updates, self.seen = await database_sync_to_async(self.book.read)()
        self._start_document()
        self.size = sum(map(len, updates))
        for update in updates + self.buffer:
            yjs.apply(self.doc, update)

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
            log.exception("the last changes of %s could not be written; its editors' pages still hold them", self.book.key)
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    # What clients send

    def _apply(self, update: bytes) -> bool:
        """Whether the update says anything that the document does not know (or that waits for an update still to come)."""
        before = self._changes
        yjs.apply(self.doc, update)
        return self._changes > before or self._waits(update)

    def _waits(self, update: bytes) -> bool:
        """Whether an update that was applied says something that waits for one still to come."""
        return pycrdt.get_update(update, self.doc.get_state())[:1] != b"\x00"

    async def take(self, update: bytes, sender: Client, author: UUID) -> None:
        """A client's change: to the other clients, to the other processes, and soon to the log."""
        if self.size + len(update) > self.book.largest:
            self.size = len(self.doc.get_update())  # what was said again and again counts once
            if self.size + len(update) > self.book.largest:
                sender.leave(TOO_LARGE)
                return
        try:
            news = self._apply(update)
        except yjs.BadUpdate:
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
            faces = _faces(update)
            if any(face is not None and not self.book.vouches(sender.access.seat, face) for face in faces.values()):
                sender.leave(REFUSED)
                return
            sender.faces |= set(faces)
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
        if present := self._present():
            messages.append(pycrdt.create_awareness_message(present))
        if self.state is not None:
            messages.append(_state_message(self.state))
        return messages

    def _present(self) -> bytes | None:
        here = list(self.awareness.states)
        return self.awareness.encode_awareness_update(here) if here else None

    async def look(self) -> None:
        """Ask the book how things stand, and tell the pages if they stand otherwise."""
        found = await database_sync_to_async(self.book.state)()
        if found != self.state:
            self.state = found
            if found is not None:
                self._tell(_state_message(found))

    def _tell(self, message: bytes, but: Client | None = None) -> None:
        for client in self.clients:
            if client is not but:
                client.put(message)

    # Other processes

    async def _send(self, event: dict[str, Any]) -> None:
        try:
            await get_channel_layer().group_send(self.book.key, {"type": "live.event", "event": {**event, "from": self.uid}})
        except Exception as error:  # Valkey is away: the others find it in the log
            log.warning("%s: not sent to other processes now: %s", self.book.key, error)

    async def _listen(self, listening: asyncio.Event) -> None:
        layer = get_channel_layer()
        channel = await layer.new_channel("live")
        receiving: asyncio.Task[Any] | None = None
        try:
            while True:
                try:
                    # Said again after every silence: a Valkey that was away has forgotten who listens.
                    await layer.group_add(self.book.key, channel)
                    listening.set()
                    # Never cancelled while it waits: the layer would forget the channel.
                    receiving = receiving or asyncio.create_task(layer.receive(channel))
                    await asyncio.wait({receiving}, timeout=TICK_S)
                    if not receiving.done():
                        continue
                    message, receiving = receiving.result(), None
                except Exception as error:
                    log.warning("%s: other processes are not heard now: %s", self.book.key, error)
                    receiving = None if receiving is not None and receiving.done() else receiving
                    await asyncio.sleep(LISTEN_AGAIN_S)
                    continue
                event = message.get("event", {})
                if event.get("look"):
                    self._spawn(self.look())
                self._heard(event)
        finally:
            if receiving is not None:
                receiving.cancel()
            with contextlib.suppress(Exception):
                await layer.group_discard(self.book.key, channel)

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
            log.exception("%s: a message of another process was not understood", self.book.key)

    # The log

    async def _flush_soon(self, wait: float) -> None:
        await asyncio.sleep(wait)
        self.due = None
        try:
            await self.flush()
        except Exception:
            log.exception("%s: the log cannot be written now; trying again", self.book.key)
            if self.due is None:
                self.due = self._spawn(self._flush_soon(RETRY_S))

    async def flush(self, *, look: bool = False) -> None:
        """Write what is new here, and take what others wrote. `look`: also when there is nothing to write."""
        async with self.flushing:
            if not self.buffer and not (look and await database_sync_to_async(self.book.newest)() > self.seen):
                return
            updates, authors = self.buffer, self.authors
            self.buffer, self.authors = [], set()
            try:
                done: Appended = await database_sync_to_async(self.book.append)(updates, self.seen, list(authors))
            except BaseException:
                self.buffer, self.authors = updates + self.buffer, authors | self.authors
                raise
            self.seen = done.last
            for update in done.others:
                before = self._changes
                if self._apply(update):
                    # A log that was made one update says all again: pages are told what is new of it, unless some of it still waits.
                    waits = self._changes == before or self._waits(update)
                    self._tell(pycrdt.create_update_message(update if waits else self._news))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            try:
                await self.flush(look=True)
                await self.look()
                await self.check_access()
            except Exception:
                log.exception("%s: looking for changes failed", self.book.key)

    async def check_access(self) -> None:
        """Roles change, people sign out or leave, things are deleted; an open socket must not outlive that."""
        clients = list(self.clients)
        rights = await database_sync_to_async(self.book.rights)({client.access.seat for client in clients})
        for client in clients:
            seat = client.access.seat
            if seat not in rights:
                client.leave(FORBIDDEN)
            client.access = client.access._replace(writes=rights.get(seat, False))


def _state_message(state: dict[str, Any]) -> bytes:
    return bytes([STATE]) + pycrdt.write_message(json.dumps(state).encode())


def _faces(update: bytes) -> dict[int, Any]:
    """What an awareness update says of each of its ids; None of one that goes."""
    decoder = Decoder(update)
    found: dict[int, Any] = {}
    for _ in range(min(decoder.read_var_uint(), MAX_FACES + 1)):
        face = decoder.read_var_uint()
        decoder.read_var_uint()
        found[face] = json.loads(decoder.read_var_string())
    return found


rooms: dict[str, Room] = {}


async def join(book: Book, client: Client) -> Room:
    """Enter the room of a document, opening it when nobody is there."""
    while True:
        room = rooms.get(book.key)
        if room is None or room.closed:
            room = rooms[book.key] = Room(book)
        async with room.lock:
            if room.closed:
                continue
            if not room.tasks:
                try:
                    await room.open()
                except BaseException:
                    rooms.pop(book.key, None)
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
            if rooms.get(room.book.key) is room:
                del rooms[room.book.key]
            await room.close()
