"""Browsers send cookies with a WebSocket from any page: only pages of this studio may open one.

Stricter than Channels' own validator, which compares hosts without ports: another program's page on `localhost`
is not ours. A script sends no Origin; it must bring an API token, and its cookies are not looked at.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.http.request import split_domain_port, validate_host


class SameOrigin:
    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        headers = {name.lower(): value.decode("latin-1") for name, value in scope.get("headers", [])}
        if b"authorization" in headers:
            scope = {**scope, "headers": [(n, v) for n, v in scope["headers"] if n.lower() != b"cookie"]}
        elif not ours(headers.get(b"origin", ""), headers.get(b"host", "")):
            return await WebsocketDenier()(scope, receive, send)
        return await self.application(scope, receive, send)


def ours(origin: str, host: str) -> bool:
    if not origin or not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
        return False
    parts = urlsplit(origin)
    return f"{parts.scheme}://{parts.netloc}" in settings.CSRF_TRUSTED_ORIGINS or (
        parts.scheme in ("http", "https") and parts.netloc == host
    )
