"""Removing blobs that nobody needs, from a store in which others write at the same time.

Who calls this decides what nobody needs; here it is decided that it was not put meanwhile. Putting a blob that is there already
gives it a new time. A writer does three things in this order: (1) put the blob, which makes it or makes it new, (2) commit a row that
names it; the sweeper (a) takes blobs older than its cutoff, (b) finds those that no committed row names, (c) removes each that is
still older than the cutoff. A blob is lost only if (c) removes what (1) had put, before or after (2):

- (1) before (c): the blob is new by then, because looking at its time and removing it are one thing to writers: in a local folder both
  hold the `gate`, the sweeper alone. It stays.
- (1) after (c): the writer finds nothing there and writes the blob. It stays.
- (1) long before (a), (2) after (b), a writer slower than the cutoff is old: the caller's cutoff is never newer than the beginning of
  any writer still at work.

A remote store has no gate. There a blob that is put again within `store.FRESH` is not sent again, so a writer relies on a blob at most
that old, while the sweeper refuses a cutoff newer than a day: what a writer relies on cannot be removed for 23 hours. What remains is
a blob older than a day that is sent anew within the milliseconds between looking at its time and removing it; the caller
therefore sweeps a remote store only while nothing is being written.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from workers.sdk.gate import gate
from workers.sdk.store import BlobMissing, Store
from workers.sdk.stored import DIGEST

LEAST = 86_400.0
"""Seconds: of a remote store nothing younger is removed."""


def blobs(store: Store, before: float) -> Iterator[tuple[str, int]]:
    """(digest, bytes) of every blob that was last put before this time (seconds since 1970)."""
    if store.root is None:
        yield from _remote_blobs(store, before)
        return
    for folder in sorted(store.root.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]")):
        for path in folder.iterdir():
            try:
                about = path.stat()
            except FileNotFoundError:
                continue
            if DIGEST.fullmatch(path.name) and about.st_mtime < before:
                yield path.name, about.st_size


def _remote_blobs(store: Store, before: float) -> Iterator[tuple[str, int]]:
    for name, about in store._fs.find(store._base, detail=True).items():
        digest = name.rsplit("/", 1)[-1]
        if DIGEST.fullmatch(digest) and store.modified(digest) < min(before, time.time() - LEAST):
            yield digest, int(about.get("size") or 0)


def remove(store: Store, digest: str, before: float) -> bool:
    """Remove the blob unless it was put since `before`; whether it was removed."""
    try:
        if store.root is None:
            if store.modified(digest) >= min(before, time.time() - LEAST):
                return False
            store.delete(digest)
            return True
        with gate(store.root, alone=True):
            if store.modified(digest) >= before:
                return False
            store.delete(digest)
    except BlobMissing:
        return False
    return True
