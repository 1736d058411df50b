"""A plain progress display: rich is not installed yet."""

from __future__ import annotations

import contextlib
import shutil
import sys
import threading
import time
from collections.abc import Iterator


class Progress:
    """One line a part: on a terminal it moves, in a file it is written when the part is done."""

    def __init__(self, title: str, total: int) -> None:
        self.title, self.total, self.done, self.text = title, total, 0, ""
        self._start = time.monotonic()
        self._moving = sys.stdout.isatty()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._tick, daemon=True)

    def step(self, text: str) -> None:
        self.done, self.text = min(self.done + 1, self.total), text

    def note(self, text: str) -> None:
        self.text = text

    def begin(self) -> None:
        if self._moving:
            self._thread.start()
        else:
            print(f"{self.title} …", flush=True)

    def end(self, word: str) -> None:
        self._ended.set()
        if self._moving:
            self._thread.join()
            print("\r\x1b[K", end="")
        print(f"{self.title:22} {word}  {time.monotonic() - self._start:5.1f} s", flush=True)

    def _tick(self) -> None:
        while not self._ended.wait(0.2):
            filled = round(24 * self.done / self.total) if self.total else 0
            bar = "█" * filled + "░" * (24 - filled) if self.total else "░" * 24
            count = f" {self.done}/{self.total}" if self.total else ""
            room = max(10, shutil.get_terminal_size().columns - 60)
            print(f"\r\x1b[K{self.title:22} {bar}{count} {time.monotonic() - self._start:4.0f} s  {self.text[:room]}", end="", flush=True)


@contextlib.contextmanager
def progress(title: str, total: int = 0) -> Iterator[Progress]:
    shown = Progress(title, total)
    shown.begin()
    try:
        yield shown
    except BaseException:
        shown.end("failed")
        raise
    shown.end("done")
