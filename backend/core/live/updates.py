"""Updates of Yjs documents: applied with care, merged, compacted. Pure: no database, no sockets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pycrdt
from pycrdt import Doc

EMPTY = b"\x00\x00"


class BadUpdate(ValueError):
    """Bytes that are no Yjs update."""


def load(updates: Iterable[bytes]) -> Doc[Any]:
    """A document with these updates applied."""
    doc: Doc[Any] = Doc()
    for update in updates:
        apply(doc, update)
    return doc


def apply(doc: Doc[Any], update: bytes) -> None:
    """Apply one update. Raises BadUpdate; the document may then be damaged and is to be loaded again."""
    if update == EMPTY:
        return
    try:
        doc.apply_update(update)
    except Exception as e:
        raise BadUpdate(str(e)) from None
    except BaseException as e:  # the Rust side's panics are no Exception
        if type(e).__name__ != "PanicException":
            raise
        raise BadUpdate("the update made the document code fail") from None


def merge(updates: Sequence[bytes]) -> bytes:
    """Several updates as one, without looking into them."""
    return updates[0] if len(updates) == 1 else pycrdt.merge_updates(*updates)


def compact(updates: list[bytes]) -> bytes:
    """One update in place of many. What was deleted is forgotten, unless some update still waits for one that has not come:
    a document would lose that one, so then they are merely merged."""
    merged = merge(updates)
    doc = load([merged])
    waiting = pycrdt.get_update(merged, doc.get_state())
    # The first number of an update is how many writers it has content of; what the document holds already is left out.
    return doc.get_update() if waiting[:1] == b"\x00" else merged
