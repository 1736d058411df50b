"""How a request is carried to Django and its answer back, without a server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse

from backend.core.handler import Handler

SCOPE: dict[str, Any] = {
    "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "path": "/x", "raw_path": b"/x",
    "query_string": b"", "headers": [(b"host", b"localhost")], "scheme": "http", "server": ("localhost", 80), "client": ("127.0.0.1", 1),
}  # fmt: skip


def asked(handler: Handler, leave: asyncio.Event | None = None) -> tuple[list[dict[str, Any]], Any]:
    """(What was sent, a coroutine of one request with a body of two pieces, whose sender leaves when `leave` is set)."""
    sent: list[dict[str, Any]] = []
    came = iter([{"type": "http.request", "body": b"he", "more_body": True}, {"type": "http.request", "body": b"llo", "more_body": False}])

    async def receive() -> dict[str, Any]:
        if (message := next(came, None)) is not None:
            return message
        await (leave or asyncio.Event()).wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    return sent, handler(SCOPE, receive, send)


async def test_a_request_has_one_thread_and_its_whole_body(db: None) -> None:
    threads: list[str] = []

    class Echo(Handler):
        def get_response(self, request: Any) -> HttpResponse:
            threads.append(threading.current_thread().name)
            answer = HttpResponse(request.body)
            answer._resource_closers.append(lambda: threads.append(threading.current_thread().name))
            return answer

    sent, request = asked(Echo())
    await request
    assert next(m["body"] for m in sent if m["type"] == "http.response.body") == b"hello" and sent[0]["status"] == 200
    assert len(threads) == 2 and len(set(threads)) == 1 and threads[0].startswith("request"), threads


async def test_a_stream_ends_when_its_reader_leaves(db: None) -> None:
    leave, over = asyncio.Event(), asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"more"
                leave.set()
                await asyncio.sleep(0)
        finally:
            over.set()

    class Streams(Handler):
        def get_response(self, request: Any) -> StreamingHttpResponse:
            return StreamingHttpResponse(endless())

    sent, request = asked(Streams(), leave)
    await asyncio.wait_for(request, 20)
    assert over.is_set(), "what made the pieces still runs"
    assert any(m.get("body") == b"more" for m in sent)
