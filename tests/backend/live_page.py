"""A browser page that has a live document open, with pycrdt as its side of the socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pycrdt
from asgiref.testing import ApplicationCommunicator
from channels.routing import URLRouter
from pycrdt import Awareness, Doc

from backend.core.live.room import STATE
from tests.backend.people import Person


class LivePage:
    def __init__(self, who: Person, path: str, routes: list[Any], doc: Doc[Any] | None = None):
        headers = [(b"authorization", f"Bearer {who.secret}".encode())]
        scope = {"type": "websocket", "path": f"/ws/v1/projects/{who.project.slug}/{path}", "headers": headers}
        self.socket = ApplicationCommunicator(URLRouter(routes), scope)
        self.doc: Doc[Any] = doc or Doc()
        self.awareness = Awareness(self.doc)
        self.answers = 0
        self.received = 0
        """Bytes of documents that came."""
        self.state: Any = None
        self.closed: int | None = None

    async def open(self) -> Any:
        await self.socket.send_input({"type": "websocket.connect"})
        assert (await self.socket.receive_output(20))["type"] == "websocket.accept"
        self.reader = asyncio.create_task(self.read())
        await self.ask()
        return self

    async def send(self, data: bytes) -> None:
        await self.socket.send_input({"type": "websocket.receive", "bytes": data})

    async def read(self) -> None:
        while True:
            message = await self.socket.receive_output(60)
            if message["type"] == "websocket.close":
                self.closed = message["code"]
                return
            data = message["bytes"]
            if data[0] == 0:
                self.received += len(data)
                reply = pycrdt.handle_sync_message(data[1:], self.doc)
                self.answers += data[1] == 1
                if reply is not None:
                    await self.send(reply)
            elif data[0] == STATE:
                self.state = json.loads(pycrdt.read_message(data[1:]))
            else:
                self.awareness.apply_awareness_update(pycrdt.read_message(data[1:]), None)

    async def ask(self) -> None:
        """Sync step 1; the answer means that all sent before is saved."""
        before = self.answers
        await self.send(pycrdt.create_sync_message(self.doc))
        await until(lambda: self.answers > before or self.closed is not None)

    async def change(self, make: Callable[[Doc[Any]], None]) -> None:
        """Change the document, and send what that says."""
        made: list[bytes] = []
        watching = self.doc.observe(lambda event: made.append(event.update))
        with self.doc.transaction():
            make(self.doc)
        self.doc.unobserve(watching)
        for update in made:
            await self.send(pycrdt.create_update_message(update))

    async def show(self, face: dict[str, Any]) -> int:
        """Present oneself to the others; the number that they see it under."""
        self.awareness.set_local_state(face)
        await self.send(pycrdt.create_awareness_message(self.awareness.encode_awareness_update([self.doc.client_id])))
        return int(self.doc.client_id)

    async def close(self) -> None:
        self.reader.cancel()
        await self.socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.socket.wait(20)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.005)
