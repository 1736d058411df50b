"""The other side of `aside`: the process that does the work. `python -m backend.artifacts.hand SOCKET IDLE` is started by `aside` alone.

It knows settings for where bytes lie, and nothing else of Django: no apps, no database. It calls only functions of the backend.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import resource
import socket
import struct
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

GROWN = 300 * 1024 * 1024
"""Bytes of its own (not of mapped files) after which a hand is replaced by a fresh one."""
PIECE = 128 * 1024
Json = dict[str, Any]
_progress: Callable[[float], None] | None = None


def progress(fraction: float) -> None:
    """Say how far the work is (0 to 1); nothing happens where nobody asked for it."""
    if _progress is not None:
        _progress(fraction)


class _Line:
    """The socket to the web process."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._said = 0.0

    def read(self, size: int) -> bytes:
        found = bytearray()
        while len(found) < size:
            piece = self._connection.recv(size - len(found))
            if not piece:
                os._exit(0)  # the web process is gone, or needs this hand no more
            found += piece
        return bytes(found)

    def request(self) -> Json:
        found: Json = json.loads(self.read(struct.unpack(">I", self.read(4))[0]))
        return found

    def say(self, message: Json, body: bytes | None = None) -> None:
        if body is not None:
            message = {**message, "size": len(body)}
        data = json.dumps(message).encode()
        self._connection.sendall(struct.pack(">I", len(data)) + data + (body or b""))

    def progress(self, fraction: float) -> None:
        if time.monotonic() - self._said > 0.1:
            self._said = time.monotonic()
            self.say({"progress": round(fraction, 3)})


def _do(line: _Line, request: Json) -> None:
    from backend.artifacts.aside import BODY
    from backend.artifacts.errors import BytesMissing
    from backend.core.errors import HeadraceError
    from workers.sdk.store import BlobMissing

    module, _, name = request["call"].partition(":")
    assert module.startswith("backend.")
    try:
        try:
            found = getattr(importlib.import_module(module), name)(**request["arguments"])
            if isinstance(found, Iterator):
                for piece in found:
                    for start in range(0, len(piece), PIECE):
                        line.say({}, piece[start : start + PIECE])
                found = None
        except BlobMissing as exc:
            raise BytesMissing(digest=str(exc)[:12]) from exc
    except HeadraceError as exc:
        kind = type(exc)
        told = exc.as_json()["error"]
        error = {"class": f"{kind.__module__}:{kind.__qualname__}", **{k: told[k] for k in ("field", "hint", "problems", "details")}}
        line.say({"error": error})
    except Exception as exc:
        traceback.print_exc()
        line.say({"failed": f"{type(exc).__name__}: {exc}"[:1000]})
    else:
        leaving = {"leaving": _grown()}
        if not isinstance(found, bytes):
            line.say({"result": found, **leaving})
        elif len(found) <= BODY:
            line.say(leaving, found)
        else:
            line.say({"file": str(_kept(found)), "bytes": len(found), **leaving})


def _kept(data: bytes) -> Path:
    from django.conf import settings

    folder: Path = settings.DATA_DIR / "cache" / "aside"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():  # of a web process that was killed before it read it
        with contextlib.suppress(OSError):
            if old.stat().st_mtime < time.time() - 600:
                old.unlink()
    path = folder / uuid.uuid4().hex
    path.write_bytes(data)
    return path


def _grown() -> bool:
    """Give back what is not used, then look."""
    if "pyarrow" in sys.modules:
        sys.modules["pyarrow"].default_memory_pool().release_unused()
    if sys.platform != "linux":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > GROWN
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    resident, shared = Path("/proc/self/statm").read_text().split()[1:3]
    return (int(resident) - int(shared)) * resource.getpagesize() > GROWN


def main() -> None:
    global _progress
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("800")  # when memory runs out the kernel takes a hand, not the database
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.config.settings")
    # As `-m` this module is `__main__`; what the work imports is the real one, whose `progress` it calls.
    from backend.artifacts import hand

    connection = socket.socket(fileno=int(sys.argv[1]))
    line = _Line(connection)
    hand._progress = line.progress
    idle, last = float(sys.argv[2]), [time.monotonic()]

    def leave_when_idle() -> None:
        while last[0] is None or time.monotonic() - last[0] < idle:
            time.sleep(5)
        os._exit(0)

    threading.Thread(target=leave_when_idle, daemon=True).start()
    while True:
        request = line.request()
        last[0] = float("inf")
        _do(line, request)
        last[0] = time.monotonic()


if __name__ == "__main__":
    main()
