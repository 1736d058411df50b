"""Ports and addresses: what is free, what is taken, how the studio is called from outside and from its own processes."""

from __future__ import annotations

import errno
import json
import socket
from pathlib import Path

import psutil

from infra.supervisor.errors import CannotStart
from infra.supervisor.options import DEFAULT_PORT

TRIED = 50
"""How many ports after the default are tried before giving up."""


def listen(host: str, port: int | None) -> socket.socket:
    """A listening socket. An explicit port must be free; the default one may move up to the next free one."""
    candidates = [port] if port is not None else [*range(DEFAULT_PORT, DEFAULT_PORT + TRIED), 0]
    for candidate in candidates:
        try:
            return _bind(host, candidate)
        except OSError as exc:
            if exc.errno == errno.EADDRINUSE:
                continue
            if exc.errno == errno.EACCES:
                raise CannotStart(f"This account may not listen on port {candidate}; choose one above 1023 with --port.") from exc
            raise CannotStart(f"Cannot listen on {host}: {exc.strerror or exc}; choose an address of this machine with --host.") from exc
    raise CannotStart(
        f"Port {port} on {host} is in use by another program; choose another one with --port, or leave it out to take the next free one."
    )


def _bind(host: str, port: int) -> socket.socket:
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(1024)
    except OSError:
        sock.close()
        raise
    return sock


def own(ports: Path, name: str, host: str) -> socket.socket:
    """A listening socket on a port that stays the same from start to start when it can (an endpoint's address should not change)."""
    try:
        known = json.loads(ports.read_text())
    except (OSError, ValueError):
        known = {}
    for candidate in (known.get(name) or DEFAULT_PORT + 10, 0):
        try:
            sock = _bind(host, int(candidate))
        except (OSError, ValueError, OverflowError):
            continue
        ports.write_text(json.dumps({**known, name: int(sock.getsockname()[1])}))
        return sock
    raise CannotStart(f"No port is free on {host}.")


def reachable_host(host: str) -> str:
    """How a process on this machine calls a server that listens on `host`."""
    if host in ("", "0.0.0.0"):  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    return "[::1]" if host == "::" else f"[{host}]" if ":" in host else host


def names(host: str) -> list[str]:
    """Host names under which a browser may ask for the studio."""
    found = ["localhost", "127.0.0.1", "[::1]", reachable_host(host)]
    if host in ("", "0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        found += [socket.gethostname(), socket.getfqdn()]
        found += [a.address for card in psutil.net_if_addrs().values() for a in card if a.family == socket.AF_INET]
        found += [f"[{a.address.split('%')[0]}]" for card in psutil.net_if_addrs().values() for a in card if a.family == socket.AF_INET6]
    return list(dict.fromkeys(found))
