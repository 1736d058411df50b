"""The moment in which a blob of a local store gets its name or its time, kept apart from the one in which it is removed (`sweeping`)."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def gate(root: Path, *, alone: bool = False) -> Iterator[None]:
    """Held by many writers at once, or by one sweeper `alone`; among all processes of the machine."""
    try:
        door = (root / ".gate").open("ab")
    except FileNotFoundError:
        root.mkdir(parents=True, exist_ok=True)
        door = (root / ".gate").open("ab")
    with door:
        fcntl.flock(door, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)  # given back by closing
        yield
