"""Texts of inputs."""

from __future__ import annotations

from workers.embedding.shape import Input
from workers.sdk.store import Store, StoreError

MOST = 20_000
"""Characters of a text that are read: topics show early, and a book would hold everything up."""


def text_of(store: Store, one: Input) -> str | None:
    if "file" not in one:
        value = one.get("text")
        return None if value is None else str(value)[:MOST]
    try:
        data = store.read(one["file"])[: 4 * MOST]
    except StoreError:
        return None
    return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "replace")[:MOST]
