"""What a worker and the process of a step say to each other: JSON messages, each behind its length, over one socket.

The step's process says `log`, `progress`, `metric` and at last `result` or `error`; the worker says `cancel`. A worker that
does not trust the other side gives the reader a limit; what a message holds is then its own to look at.
"""

from __future__ import annotations

import array
import contextlib
import json
import logging
import os
import socket
import struct
import threading
from typing import Any

Json = dict[str, Any]


class TooLong(ValueError):
    """A message longer than this side reads."""


def send(connection: socket.socket, message: Json, fds: tuple[int, ...] = ()) -> None:
    data = json.dumps(message, separators=(",", ":")).encode("utf-8", "surrogatepass")
    data = struct.pack(">I", len(data)) + data
    if fds:
        sent = connection.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))])
        data = data[sent:]
    connection.sendall(data)


class Reader:
    """Whole messages out of a stream of bytes. Raises TooLong before it gathers a message of more than `limit` bytes."""

    def __init__(self, limit: int | None = None) -> None:
        self._buffer, self._limit = bytearray(), limit

    def feed(self, data: bytes) -> list[Json]:
        self._buffer += data
        found = []
        while len(self._buffer) >= 4:
            (size,) = struct.unpack(">I", self._buffer[:4])
            if self._limit is not None and size > self._limit:
                raise TooLong(f"a message of {size} bytes; {self._limit} are read at most")
            if len(self._buffer) < 4 + size:
                break
            found.append(json.loads(self._buffer[4 : 4 + size]))
            del self._buffer[: 4 + size]
        return found


class Remote:
    """In the step's process: a `context.Reporter` over the socket to the worker."""

    def __init__(self, connection: socket.socket):
        self._connection, self._lock, self._stop = connection, threading.Lock(), threading.Event()
        threading.Thread(target=self._listen, name="control", daemon=True).start()

    def _listen(self) -> None:
        reader = Reader()
        while data := self._connection.recv(65536):
            for message in reader.feed(data):
                if message["type"] == "cancel":
                    self._stop.set()
        os._exit(1)  # the worker is gone

    def send(self, message: Json) -> None:
        with self._lock:
            send(self._connection, message)

    def log(self, text: str, level: str) -> None:
        self.send({"type": "log", "lines": text.splitlines() or [""], "level": level})

    def progress(self, fraction: float, message: str) -> None:
        self.send({"type": "progress", "fraction": fraction, "message": message})

    def metric(self, name: str, value: float, index: float) -> None:
        self.send(
            {"type": "metric", "name": name, "value": value if value == value and abs(value) != float("inf") else None, "index": index}
        )

    def cancelled(self) -> bool:
        return self._stop.is_set()


class Logging(logging.Handler):
    """Log records of the step's code, as lines of its log."""

    def __init__(self, remote: Remote):
        super().__init__()
        self._remote = remote

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(Exception):
            text = record.getMessage()
            if record.exc_info and record.exc_info[0] is not None:
                text += "\n" + logging.Formatter().formatException(record.exc_info)
            self._remote.log(text, record.levelname.lower())
