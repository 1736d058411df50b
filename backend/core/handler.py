"""Django under ASGI, each request in one thread from its first middleware to the closed answer.

Django's own `ASGIHandler` runs its chain on the event loop and sends every synchronous part of it (each middleware, the view, each signal)
to a thread that lives for this request only: some ten hops and a new thread. All of our views are synchronous, so the whole chain is one
function for a thread that stays: an empty view takes 0.8 ms instead of 6 (`manage.py bench labelling`, row “GET /me”).
"""

from __future__ import annotations

import asyncio
import contextvars
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.db import close_old_connections
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

THREADS = int(os.environ.get("WEB_THREADS", "128"))
"""Requests answered at once; more wait for their turn. Many of them only wait themselves (for a hand, the database, the store)."""

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]


class Handler(ASGIHandler):
    """What `django.core.asgi.get_asgi_application` gives, but faster; for synchronous views, and answers that stream asynchronously."""

    def __init__(self) -> None:
        super(ASGIHandler, self).__init__()
        self.load_middleware(is_async=False)
        self.threads = ThreadPoolExecutor(THREADS, thread_name_prefix="request")

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"Only HTTP is answered here, not {scope['type']}.")
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        context = contextvars.copy_context()
        response = await asyncio.get_running_loop().run_in_executor(self.threads, context.run, self.respond, scope, body)
        if response.streaming:
            await self.stream(response, receive, send)
            body.close()
        else:
            await self.send_response(response, send)

    def respond(self, scope: dict[str, Any], body: IO[bytes]) -> HttpResponseBase:
        """The whole of a request but for sending: an answer that does not stream is closed, and the thread's connection given back."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=self.__class__, scope=scope)
        request, refused = self.create_request(scope, body)
        response = refused if request is None else self.get_response(request)
        response._handler_class = self.__class__
        if response.streaming:
            close_old_connections()  # what the stream reads from the database it asks for on connections of its own
        else:
            response.close()
            body.close()
        return response

    async def stream(self, response: HttpResponseBase, receive: Receive, send: Send) -> None:
        """Send piece by piece, until the end or until nobody listens any more."""
        async with ThreadSensitiveContext():
            sending = asyncio.ensure_future(self.send_response(response, send))
            leaving = asyncio.ensure_future(receive())
            try:
                await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
                if not sending.done():
                    sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
                if not sending.cancelled():
                    sending.result()
            finally:
                leaving.cancel()
                await sync_to_async(response.close)()
