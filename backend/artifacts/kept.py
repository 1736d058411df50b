"""Files that can be made again at any time, kept in the data folder: made once on a machine, named by what they hold, never changed;
the longest unused go first."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import uuid
from collections.abc import Collection, Iterator
from pathlib import Path

HOUR = 3600


@contextlib.contextmanager
def written(path: Path) -> Iterator[Path]:
    """A temporary file that takes the name `path` when the block succeeds and is gone when it does not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{uuid.uuid4().hex}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Held by one process of this machine at a time; a killed one gives it back by dying."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def used(path: Path) -> None:
    with contextlib.suppress(OSError):
        os.utime(path)


def evict(folder: Path, suffixes: Collection[str], most: int, fresh: Collection[Path]) -> None:
    """Of the files with these endings keep the last used, `most` bytes of them, and `fresh`; remove what a killed process left."""
    found = []
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            known = path.stat()
            if path.suffix in suffixes:
                found.append((path in fresh, known.st_mtime, known.st_size, path))
            elif known.st_mtime < time.time() - HOUR:
                path.unlink()
    left = most
    for _, _, size, path in sorted(found, reverse=True):
        left -= size
        if left < 0 and path not in fresh:
            with contextlib.suppress(OSError):
                path.unlink()
