"""Which brokers a listener may reach: none on a private network, unless the operator's setting allows it (DESIGN §8).

A name is looked at when a trigger is saved, which makes a clear error. What counts is the connection itself: a name may resolve
to another address later, and a Kafka broker tells its clients where to go next. So a listener's process asks `guard` before every
connection that Python makes.
"""

from __future__ import annotations

import re
import socket
import sys
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from backend.core.errors import InvalidInput
from backend.core.outgoing import is_public

ADDRESS = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]{1,253}):(?P<port>[0-9]{1,5})")
HINT = "The operator can allow brokers on private networks with ALLOW_PRIVATE_BROKERS=1."


class PrivateAddress(OSError):
    """The broker is on a private network."""


def split(address: str) -> tuple[str, int]:
    """`host:port` as both; raises ValueError with what is needed."""
    found = ADDRESS.fullmatch(address)
    if found is None or not 0 < int(found["port"]) < 65536:
        raise ValueError(f"“{address[:80]}” is no address; host:port is needed, such as broker.example.org:9092")
    return found["host"].strip("[]"), int(found["port"])


def check(addresses: list[str], field: str) -> None:
    """Raises InvalidInput when one of them leads to a private network now. A name that does not resolve is the listener's to tell."""
    if settings.ALLOW_PRIVATE_BROKERS:
        return
    for address in addresses:
        host, port = split(address)
        try:
            found = {str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
        except OSError:
            continue
        if any(not is_public(one) for one in found):
            raise InvalidInput(message=f"{address} is on a private network, which listeners may not reach.", field=field, hint=HINT)


def guard() -> None:
    """From now on this process connects to public addresses and to the studio's own parts only. There is no way back."""
    if settings.ALLOW_PRIVATE_BROKERS:
        return
    own = {urlsplit(url).hostname for url in (settings.BROKER_URL, settings.DATABASE_URL)} - {None, ""}
    known: set[str] = set()
    for name in own:
        try:
            known |= {str(info[4][0]) for info in socket.getaddrinfo(name, None)}
        except OSError:
            continue

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.connect" and isinstance(arguments[1], tuple):
            host = str(arguments[1][0])
            if host not in known and not is_public(host):
                raise PrivateAddress(f"{host} is on a private network. {HINT}")

    sys.addaudithook(hook)
