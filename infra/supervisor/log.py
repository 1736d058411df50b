"""One rotating file with the prefixed lines of every child, and the same lines on the terminal on request."""

from __future__ import annotations

import contextlib
import datetime
import sys
from pathlib import Path

KEEP_BYTES = 10 * 1024 * 1024
KEEP_FILES = 5
WIDTH = 9
COLOURS = {
    "postgres": 34,
    "valkey": 31,
    "web": 32,
    "platform": 36,
    "steps": 35,
    "gpu-steps": 35,
    "reaper": 33,
    "tunnel": 36,
    "predictor": 96,
    "headrace": 1,
}


class Log:
    """Never raises: a full disk must not end the supervisor, which is then needed most."""

    def __init__(self, path: Path, *, terminal: bool) -> None:
        self._path, self._terminal = path, terminal
        self._file = path.open("ab", buffering=0)
        self._size = path.stat().st_size
        self.failed: Exception | None = None

    def write(self, name: str, line: str) -> None:
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        data = f"{now} {name:{WIDTH}} | {line}\n".encode(errors="replace")
        try:
            if self._size + len(data) > KEEP_BYTES:
                self._rotate()
            self._file.write(data)
            self._size += len(data)
            self.failed = None
        except (OSError, ValueError) as exc:  # ValueError: closed, because opening the next file failed
            self.failed = exc
        if self._terminal:
            with contextlib.suppress(OSError, ValueError):
                colour = COLOURS.get(name, 37) if sys.stdout.isatty() else None
                prefix = f"{name:{WIDTH}} |"
                print(f"\x1b[{colour}m{prefix}\x1b[0m {line}" if colour else f"{prefix} {line}", flush=True)

    def _rotate(self) -> None:
        self._file.close()
        for number in range(KEEP_FILES - 1, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number}")
            newer = self._path if number == 1 else self._path.with_name(f"{self._path.name}.{number - 1}")
            if newer.exists():
                newer.replace(older)
        self._file = self._path.open("ab", buffering=0)
        self._size = 0

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
