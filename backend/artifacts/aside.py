"""Work aside: what needs memory is done by child processes (“hands”), so that the web process stays small whatever is asked of it.

    rows = aside.ask("read", "backend.datasets.showing.windows:rows", shown=…, offset=0, limit=100)
    for piece in aside.stream("backend.artifacts.zips:images", digest=…): …

A hand is a Python without Django's apps, database, broker or secret key; it is started when first needed, does one thing at a time,
stays warm for a while, and is replaced when it has grown. It ends with the web process (its socket closes), and is the first
to go when the machine runs out of memory. What crosses is JSON and bytes. `hand.py` is its side of it.

Kinds of work never wait for each other: `read` (windows: milliseconds), `make` (views: seconds), `draw` (small pictures), `tile` (large
ones). Streams have their own. Whoever waits here holds no database connection meanwhile.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from django.conf import settings
from django.db import connection

from backend.artifacts.errors import HandBusy, HandLost
from backend.core.errors import HeadraceError

Kind = Literal["read", "make", "draw", "tile", "stream"]
MOST: dict[str, int] = {"read": 2, "make": 2, "draw": 1, "tile": 1, "stream": 8}
"""Hands of a kind at once. A stream lasts as long as its reader is slow, and is mostly idle; the others compute."""
PATIENCE_S: dict[str, float] = {"read": 60, "make": 300, "draw": 120, "tile": 600, "stream": 30}
"""How long a request waits for a free hand before it is told to come again."""
IDLE_S = 300.0
BODY = 1024 * 1024
"""Bytes of an answer that pass through memory; a larger one is left in a file, which is sent piece by piece."""
HIDDEN = ("DATABASE_URL", "BROKER_URL", "SECRET_KEY")
LEFT = "exit status 0"
"""How a hand ends that had been idle for `IDLE_S`. One that leaves in the moment in which it is asked is replaced, unseen by the caller."""
Json = dict[str, Any]


class Body:
    """Bytes that a hand answered with: in memory, or in a file that is gone once read."""

    def __init__(self, size: int, data: bytes = b"", file: Path | None = None) -> None:
        self.size, self._data, self._source = size, data, None
        if file is not None:
            self._source = file.open("rb")
            file.unlink()

    def pieces(self) -> Iterator[bytes]:
        if self._source is None:
            yield self._data
            return
        with self._source as source:
            while piece := source.read(128 * 1024):
                yield piece


def received(connection: socket.socket, seconds: float | None = None) -> Json | None:
    """The next message of a hand; None when none began within so many seconds. Raises OSError, EOFError.

    Never reads beyond its end: what lay in a buffer here nobody would wait for, and two messages may come at once."""

    def read(size: int) -> bytes:
        found = bytearray(size)
        rest = memoryview(found)
        while rest:
            if not (count := connection.recv_into(rest)):
                raise EOFError
            rest = rest[count:]
        return bytes(found)

    if seconds is not None:
        waiting = select.poll()
        waiting.register(connection, select.POLLIN)
        if not waiting.poll(seconds * 1000):
            return None
    message: Json = json.loads(read(struct.unpack(">I", read(4))[0]))
    if "size" in message:
        message["body"] = read(message["size"])
    return message


class Hand:
    """One child process, from our side."""

    def __init__(self, environment: dict[str, str]) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "backend.artifacts.hand", str(theirs.fileno()), str(IDLE_S)],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=environment,
                cwd=settings.ROOT,
            )
        self._socket = ours
        self.leaving = False

    def tell(self, call: str, arguments: Json) -> None:
        data = json.dumps({"call": call, "arguments": arguments}).encode()
        try:
            self._socket.sendall(struct.pack(">I", len(data)) + data)
        except OSError as exc:
            raise HandLost(how=self.end(patience=2)) from exc

    def hear(self, seconds: float | None = None) -> Json | None:
        """The next message; None when there was none for so long. `body` holds the bytes that came with it."""
        try:
            message = received(self._socket, seconds)
        except (OSError, EOFError) as exc:
            raise HandLost(how=self.end(patience=2)) from exc
        self.leaving = message is not None and bool(message.get("leaving"))
        return message

    def there(self) -> bool:
        return self._process.poll() is None

    def end(self, patience: float = 0) -> str:
        """End it (at once, or when it has not ended by itself within `patience` seconds); how it ended."""
        with contextlib.suppress(OSError):
            self._socket.close()
        try:
            code = self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        return signal.Signals(-code).name if code < 0 else f"exit status {code}"


class _Hands:
    """The hands of one kind."""

    def __init__(self, kind: Kind, environment: dict[str, str]) -> None:
        self.kind, self._environment = kind, environment
        self._free: list[Hand] = []
        self._lock = threading.Lock()
        self._room = threading.BoundedSemaphore(MOST[kind])
        atexit.register(self.end)

    @contextlib.contextmanager
    def one(self, wanted: Callable[[], bool] = lambda: True) -> Iterator[Hand]:
        """A hand for as long as the block lasts; it is ended when the block raises. Waits while `wanted`; raises HandBusy."""
        until = time.monotonic() + PATIENCE_S[self.kind]
        while not self._room.acquire(timeout=0.5):
            if time.monotonic() > until or not wanted():
                raise HandBusy
        try:
            hand = self._warm() or Hand(self._environment)
            try:
                yield hand
            except BaseException:
                hand.end()
                raise
            if hand.leaving:
                hand.end()
            else:
                with self._lock:
                    self._free.append(hand)
        finally:
            self._room.release()

    def _warm(self) -> Hand | None:
        """A free one that is still there; one that was idle for too long has left by itself."""
        while True:
            with self._lock:
                hand = self._free.pop() if self._free else None
            if hand is None or hand.there():
                return hand
            hand.end()

    def end(self) -> None:
        with self._lock:
            while self._free:
                self._free.pop().end()


_making = threading.Lock()


@lru_cache(maxsize=16)
def _hands(kind: Kind, artifacts: str, data: str) -> _Hands:
    environment = {k: v for k, v in os.environ.items() if k not in HIDDEN}
    # Arrow in the system's heap, which gives back what is not used; one thread each: there is one hand for each core already.
    sparing = {"ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "2", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    places = {"ARTIFACT_URL": artifacts, "HEADRACE_DATA_DIR": data, "SECRET_KEY": "a hand needs none"}
    return _Hands(kind, environment | sparing | places)


def hands(kind: Kind) -> _Hands:
    """Asked for each time, so that a changed setting (tests) counts."""
    with _making:
        return _hands(kind, str(settings.ARTIFACT_URL), str(settings.DATA_DIR))


def let_go() -> None:
    """Give the database connection back to the pool: a hundred requests that wait would otherwise keep everyone from it."""
    if not connection.in_atomic_block:
        connection.close()


def ask(kind: Kind, call: str, /, **arguments: Any) -> Any:
    """What the function `call` (“module:name”) answers in a hand: JSON, or a Body. Raises what it raised, as far as it is one of
    our errors; HandLost when its process ended, HandBusy when all hands had work for too long."""
    let_go()
    for again in (True, False):
        message = None
        try:
            with hands(kind).one() as hand:
                hand.tell(call, arguments)
                message = finished(hand)
            break
        except HandLost as exc:
            if not again or exc.details["how"] != LEFT:
                raise
    return answer_of(message or {})


def finished(hand: Hand) -> Json:
    while "progress" in (message := hand.hear() or {}):
        pass
    return message


def answer_of(message: Json) -> Any:
    """The result in a hand's last message, or its error."""
    if (error := message.get("error")) is not None:
        module, _, name = error["class"].partition(":")
        kind = getattr(importlib.import_module(module), name)
        assert issubclass(kind, HeadraceError)
        raise kind(field=error["field"], hint=error["hint"], problems=error["problems"], **error["details"])
    if "failed" in message:
        raise RuntimeError(f"in a hand (its log lines are above): {message['failed']}")
    if "file" in message:
        return Body(message["bytes"], file=Path(message["file"]))
    if "body" in message:
        return Body(len(message["body"]), data=message["body"])
    return message.get("result")


def stream(call: str, /, **arguments: Any) -> Iterator[bytes]:
    """The pieces that the generator `call` gives, made no faster than they are taken. The first is made before this returns, so
    that what goes wrong at the beginning is an error and not a torn file."""
    let_go()
    pieces = _pieces(call, arguments)
    first = next(pieces, b"")

    def rest() -> Iterator[bytes]:
        try:
            yield first
            yield from pieces
        finally:
            pieces.close()

    return rest()


def _pieces(call: str, arguments: Json, *, again: bool = True) -> Generator[bytes, None, None]:
    begun = False
    try:
        with hands("stream").one() as hand:
            hand.tell(call, arguments)
            while "body" in (message := hand.hear() or {}):
                begun = True
                yield message["body"]
    except HandLost as exc:
        if begun or not again or exc.details["how"] != LEFT:
            raise
        yield from _pieces(call, arguments, again=False)
        return
    answer_of(message)
