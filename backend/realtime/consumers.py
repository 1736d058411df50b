"""The socket of a project, `/ws/v1/projects/<slug>`: authenticate, subscribe, forward; it decides nothing.

Client → studio   {"subscribe": ["project", "run:<id>"]}   {"unsubscribe": […]}   {"ping": 1}
                  {"present": {"label_schema": "pets", "item": 7, "doing": "labelling"}}   where somebody is: a heartbeat; null: nowhere
Studio → client   {"subscribed": […]}                      what is followed now
                  {"events": […]}                          at most 20 frames a second, in order
                  {"resync": true}                         something was lost: ask over HTTP for what is shown
                  {"ping": true}                           after a silence: the line lives
                  {"pong": 1}                              the answer to a client's ping
                  {"error": {…}}                           the shape of the API's errors

Refuses: other origins, strangers, topics of other projects, messages over MAX_MESSAGE, more than MAX_TOPICS topics.
Close codes 44xx (4401 sign in, 4403 not allowed, 4404 no such project) mean that trying again would not help;
1013 means to come back later.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import uuid
from typing import Any

import redis
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from backend.core.errors import HeadraceError, InvalidInput, NotFound
from backend.core.sockets import Seat, admit
from backend.labeling.actions import presence
from backend.realtime.topics import group_of
from backend.realtime.watch import watch

log = logging.getLogger(__name__)
FRAME_S = 0.05
SILENCE_S = 20.0
STUCK_S = 30.0
"""A client that takes nothing for so long is disconnected."""
MAX_WAITING = 2000
MAX_WAITING_BYTES = 4 * 1024 * 1024
MAX_FRAME_BYTES = 256 * 1024
MAX_MESSAGE = 16 * 1024
MAX_TOPICS = 50
TRY_LATER = 1013


class ProjectSocket(AsyncWebsocketConsumer):
    seat: Seat

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.topics: dict[str, str] = {}
        self.waiting: list[str] = []
        self.waiting_bytes = 0
        self.lost = False
        self.ready = asyncio.Event()
        self.sender: asyncio.Task[None] | None = None
        self.line = uuid.uuid4().hex
        self.where: tuple[Any, presence.Place] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        """Without Valkey there is nothing to forward: the client is asked to come back."""
        try:
            return await super().__call__(scope, receive, send)
        except (redis.RedisError, OSError) as exc:
            log.warning("a socket was closed because Valkey is away: %s", exc)
            await self._leave()
            await send({"type": "websocket.close", "code": TRY_LATER})
        return None

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Events skip Channels' look at old database connections: a thread hop for each would cost more than all the rest."""
        if message["type"] == "live.event":
            self.take(message["event"])
        else:
            await super().dispatch(message)

    # Coming and going

    async def connect(self) -> None:
        await self.accept()
        try:
            self.seat = await database_sync_to_async(admit)(self.scope, self.scope["url_route"]["kwargs"]["project"], "event.read")
        except HeadraceError as exc:
            await self.tell(exc.as_json())
            await self.close(4000 + exc.status)
            return
        watch().add(self)
        self.sender = asyncio.create_task(self._send_frames())

    async def disconnect(self, code: int) -> None:
        await self._leave()

    async def _leave(self) -> None:
        watch().remove(self)
        if self.sender is not None:
            self.sender.cancel()
        await self._present(None)
        for group in self.topics.values():
            with contextlib.suppress(redis.RedisError, OSError):  # the server that knew of it may be away
                await self.channel_layer.group_discard(group, self.channel_name)
        self.topics = {}

    async def revoked(self) -> None:
        await self.close(4403)

    async def line_restored(self) -> None:
        """Valkey is back after an absence: follow again, and have the client ask for what was lost."""
        try:
            for group in self.topics.values():
                await self.channel_layer.group_add(group, self.channel_name)
        except (redis.RedisError, OSError):
            await self.close(TRY_LATER)
            return
        self.lose()

    # What the client says

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        try:
            if text_data is None or len(text_data) > MAX_MESSAGE:
                raise InvalidInput(message=f"A message is JSON text of at most {MAX_MESSAGE} characters.")
            try:
                message = json.loads(text_data)
            except (ValueError, RecursionError):
                raise InvalidInput(message="A message is a JSON object.") from None
            if not isinstance(message, dict):
                raise InvalidInput(message="A message is a JSON object.")
            if "ping" in message:
                await self.tell({"pong": message["ping"]})
            if "present" in message:
                await self._present(message["present"])
            if "unsubscribe" in message:
                await self._unsubscribe(_topics(message["unsubscribe"], "unsubscribe"))
            if "subscribe" in message:
                await self._subscribe(_topics(message["subscribe"], "subscribe"))
            if "subscribe" in message or "unsubscribe" in message:
                await self.tell({"subscribed": sorted(self.topics)})
        except HeadraceError as exc:
            await self.tell(exc.as_json())

    async def _present(self, said: Any) -> None:
        """Where its person is. It is looked up when it is another place; a heartbeat only says it again."""
        before, self.where = self.where, None
        if said is None:
            if before is not None:
                await database_sync_to_async(presence.leave)(self.line, before[1])
            return
        if before is not None and before[0] == said:
            here = before[1]
        else:
            here = await database_sync_to_async(presence.place)(self.seat.project, self.seat.user, said)
            if before is not None and before[1].schema != here.schema:
                await database_sync_to_async(presence.leave)(self.line, before[1])
        self.where = said, here
        await database_sync_to_async(presence.enter)(self.line, here)

    async def _subscribe(self, topics: list[str]) -> None:
        """Topic by topic: one that does not exist does not take the others with it."""
        for topic in topics:
            if topic in self.topics:
                continue
            if len(self.topics) >= MAX_TOPICS:
                raise InvalidInput(message=f"One socket follows at most {MAX_TOPICS} topics.", field="subscribe")
            group = await database_sync_to_async(group_of)(self.seat.project, topic)
            if group is None:
                await self.tell(NotFound(what="topic", name=topic, field="subscribe").as_json())
                continue
            await self.channel_layer.group_add(group, self.channel_name)
            self.topics[topic] = group

    async def _unsubscribe(self, topics: list[str]) -> None:
        for topic in topics:
            if (group := self.topics.pop(topic, None)) is not None and group not in self.topics.values():
                await self.channel_layer.group_discard(group, self.channel_name)

    # What the studio says

    def take(self, event: dict[str, Any]) -> None:
        """Into the queue; one that is full is given up, because the client can ask for all of it at once."""
        text = json.dumps(event, separators=(",", ":"))
        if len(self.waiting) >= MAX_WAITING or self.waiting_bytes + len(text) > MAX_WAITING_BYTES:
            self.lose()
            return
        self.waiting.append(text)
        self.waiting_bytes += len(text)
        self.ready.set()

    def lose(self) -> None:
        self.waiting, self.waiting_bytes, self.lost = [], 0, True
        self.ready.set()

    async def _send_frames(self) -> None:
        """One frame, a pause of FRAME_S, the next; while the client is slow in taking one, events gather in the queue."""
        try:
            while True:
                try:
                    await asyncio.wait_for(self.ready.wait(), SILENCE_S)
                except TimeoutError:
                    await asyncio.wait_for(self.tell({"ping": True}), STUCK_S)
                    continue
                self.ready.clear()
                if self.lost:
                    self.lost = False
                    await asyncio.wait_for(self.tell({"resync": True}), STUCK_S)
                if frame := self._frame():
                    await asyncio.wait_for(self.send(text_data=frame), STUCK_S)
                await asyncio.sleep(FRAME_S)
        except TimeoutError:
            await self.close(TRY_LATER)
        except (OSError, RuntimeError):
            return  # the line is gone; `disconnect` follows

    def _frame(self) -> str:
        """The next events, as many as fit in a frame; at least one."""
        size = taken = 0
        for text in self.waiting:
            if taken and size + len(text) > MAX_FRAME_BYTES:
                break
            size, taken = size + len(text), taken + 1
        frame, self.waiting = self.waiting[:taken], self.waiting[taken:]
        self.waiting_bytes -= size
        if self.waiting:
            self.ready.set()
        return '{"events":[' + ",".join(frame) + "]}" if frame else ""

    async def tell(self, message: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(message))


def _topics(value: Any, field: str) -> list[str]:
    if not isinstance(value, list) or len(value) > MAX_TOPICS or not all(isinstance(topic, str) and len(topic) <= 100 for topic in value):
        raise InvalidInput(
            message=f"`{field}` is a list of at most {MAX_TOPICS} topics.", field=field, hint='For example ["project", "run:<id>"].'
        )
    return value
