"""Requests of the studio to addresses that people entered: webhooks, ML backends, other servers (DESIGN §8).

What counts is the connection: each name is resolved here, every address it has is looked at, and the connection goes to one of those, so
that a name which resolves differently a moment later leads nowhere else. Redirects are not followed, proxies of the environment not used.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx
from django.conf import settings

from backend.core.errors import InvalidInput

MOST_BYTES = 64 * 1024 * 1024
"""Of an answer: more is no answer to anything that the studio asks."""
HINT = "The operator can allow private networks with ALLOW_PRIVATE_CALLS=1."


class PrivateTarget(httpcore.ConnectError):
    """The address is on a private network."""


class AnswerTooLarge(httpx.HTTPError):
    """The answer has more bytes than anything the studio asks for."""


def is_public(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_global and not address.is_multicast


def check_url(url: Any, field: str) -> str:
    """The URL, or InvalidInput where it is none or leads to a private network now. A name that does not resolve is told later."""
    parts = urlsplit(url) if isinstance(url, str) and len(url) <= 2000 else urlsplit("")
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        port = 0
    if parts.scheme not in ("http", "https") or not parts.hostname or not port:
        raise InvalidInput(message="This is no web address.", field=field, hint="Write it as https://example.org/path.")
    if not settings.ALLOW_PRIVATE_CALLS:
        try:
            _addresses(parts.hostname, port)
        except PrivateTarget as exc:
            raise InvalidInput(message=f"{parts.hostname} is on a private network.", field=field, hint=HINT) from exc
        except OSError:
            pass
    return str(url)


def client(*, seconds: float = 30.0, headers: dict[str, str] | None = None) -> httpx.Client:
    """A client for addresses that people entered; use it in `with`."""
    transport = httpx.HTTPTransport(trust_env=False, retries=0)
    transport._pool._network_backend = _Guarded()  # type: ignore[attr-defined]  # httpx hands no backend on to the pool it makes
    return httpx.Client(transport=transport, trust_env=False, follow_redirects=False, timeout=seconds, headers=headers)


def fetch(caller: httpx.Client, method: str, url: str, *, most: int = MOST_BYTES, **given: Any) -> httpx.Response:
    """The answer, read whole; raises AnswerTooLarge instead of filling memory."""
    with caller.stream(method, url, **given) as answer:
        body = bytearray()
        for piece in answer.iter_bytes():
            body += piece
            if len(body) > most:
                raise AnswerTooLarge(f"The answer of {urlsplit(url).hostname} has more than {most:,} bytes.")
    answer._content = bytes(body)
    return answer


def _addresses(host: str, port: int) -> list[str]:
    found = list(dict.fromkeys(str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
    if not settings.ALLOW_PRIVATE_CALLS and not all(is_public(one) for one in found):
        raise PrivateTarget(f"{host} is on a private network. {HINT}")
    return found


class _Guarded(httpcore.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            found = _addresses(host, port)
        except OSError as exc:
            raise httpcore.ConnectError(f"{host} cannot be found.") from exc
        last: Exception = httpcore.ConnectError(f"{host} has no address.")
        for address in found:
            try:
                return super().connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError as exc:
                last = exc
        raise last

    def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.NetworkStream:
        raise PrivateTarget("Sockets of this machine are no web addresses.")
