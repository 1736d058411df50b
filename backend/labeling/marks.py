"""A mask in a shared draft: not its pixels but what was done to them, each stroke a value of its own that nobody else writes, so that it
costs what it changed, and two people's strokes are both there. `frontend/src/features/labeling/together/marks.ts` is the same.

A mark is bytes: numbers of seven bits a byte, the last byte of each below 128. They are: its place in the order, how many edges it adds,
then the edges that it adds and those that it cuts, each as its distance from the one before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

from workers.sdk.labels.brush import Mask

KEPT, KEPT_BYTES = 64, 64 * 1024
"""So many of a mask's newest marks, of so many bytes together, are not folded; the others are, once they are as many or as large."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """Marks are applied in the order of `n`; of the same number, in that of their keys."""

    n: int
    add: tuple[int, ...]
    cut: tuple[int, ...]


def packed(mark: Mark) -> bytes:
    found = bytearray()
    for edges in ((mark.n,), (len(mark.add),), mark.add, mark.cut):
        for value in (edges[0], *(b - a for a, b in pairwise(edges))) if edges else ():
            while value >= 128:
                found.append(value % 128 + 128)
                value //= 128
            found.append(value)
    return bytes(found)


def read(data: Any, pixels: int) -> Mark | None:
    """None for what is no mark of a picture of so many pixels."""
    if not isinstance(data, bytes | bytearray):  # the second is what pycrdt gives
        return None
    numbers, value, scale = [], 0, 1
    for byte in data:
        value += byte % 128 * scale
        scale *= 128
        if value > pixels * 2:
            return None
        if byte < 128:
            numbers.append(value)
            value, scale = 0, 1
    if scale != 1 or len(numbers) < 2 or numbers[1] > len(numbers) - 2:
        return None
    add, cut = numbers[2 : 2 + numbers[1]], numbers[2 + numbers[1] :]
    if any(len(gaps) % 2 or 0 in gaps[1:] or sum(gaps) > pixels for gaps in (add, cut)):
        return None
    return Mark(n=numbers[0], add=tuple(accumulate(add)), cut=tuple(accumulate(cut)))


def laid(base: Mask, marks: Mapping[str, Any]) -> tuple[Mask, int]:
    """(The mask that all marks make in their order of what was there before marks were kept, the highest number)."""
    found = [(mark.n, key, mark) for key, data in marks.items() if (mark := read(data, base.width * base.height))]
    edges: Sequence[int] = base.edges
    for _, _, mark in sorted(found, key=lambda one: one[:2]):
        edges = united(edges, mark.add)
        edges = without(edges, mark.cut)
    return Mask(base.width, base.height, tuple(edges)), max((n for n, _, _ in found), default=0)


def fold(marks: Mapping[str, Any], pixels: int, *, bottom: bool) -> tuple[Mark, list[str]] | None:
    """(One mark that does what the older ones of a mask did, their keys), or None where that is not worth it yet.

    It goes below all others, under the number 0. So the newest `KEPT` stay as they are: those that people may still undo, and below which a
    page that was away may still have strokes of its own. What arrives later with a number of before goes on top of it: never lost.
    `bottom`: there is nothing below, so that what it cuts there need not be said."""
    found = sorted((mark.n, key, mark) for key, data in marks.items() if (mark := read(data, pixels)))
    cost = {key: len(marks[key]) for _, key, _ in found}
    stays, size = 0, 0
    for _, key, _ in reversed(found):
        size += cost[key]
        if stays and (stays == KEPT or size > KEPT_BYTES):
            break
        stays += 1
    old = found[: len(found) - stays]
    news = old[1:] if old and old[0][0] == 0 else old  # the first is what was folded before, or began the mask
    if len(news) < KEPT and sum(cost[key] for _, key, _ in news) < KEPT_BYTES:
        return None
    whole = _composed([mark for _, _, mark in old])
    return Mark(n=0, add=whole.add, cut=() if bottom else whole.cut), [key for _, key, _ in old]


def _composed(marks: Sequence[Mark]) -> Mark:
    """One mark that does what these do in their order. In halves, so that what is large is not gone through for each stroke."""
    if len(marks) == 1:
        return marks[0]
    first, then = _composed(marks[: len(marks) // 2]), _composed(marks[len(marks) // 2 :])
    cut = united(without(first.cut, then.add), then.cut)
    return Mark(n=then.n, add=tuple(without(united(first.add, then.add), cut)), cut=tuple(cut))


def between(before: Mask, after: Mask, n: int) -> Mark:
    """What makes the second of the first."""
    return Mark(n=n, add=tuple(without(after.edges, before.edges)), cut=tuple(without(before.edges, after.edges)))


def united(a: Sequence[int], b: Sequence[int]) -> Sequence[int]:
    """Edges of the pixels of either."""
    return _combined(a, b, lambda in_a, in_b: in_a | in_b) if a and b else a or b


def without(a: Sequence[int], b: Sequence[int]) -> Sequence[int]:
    """Edges of the pixels of the first that are not of the second."""
    return _combined(a, b, lambda in_a, in_b: in_a & ~in_b) if a and b else a


def _combined(a: Sequence[int], b: Sequence[int], wanted: Callable[[Any, Any], Any]) -> list[int]:
    import numpy as np  # here: most items have no masks

    edges = np.concatenate((np.asarray(a, dtype=np.int64), np.asarray(b, dtype=np.int64)))
    order = np.argsort(edges, kind="stable")
    edges, of_a = edges[order], order < len(a)
    last = np.append(edges[1:] != edges[:-1], True)  # what holds behind an edge is said by the last of those at the same place
    on = wanted(np.cumsum(of_a)[last] % 2 == 1, np.cumsum(~of_a)[last] % 2 == 1)
    found: list[int] = edges[last][on != np.append(False, on[:-1])].tolist()
    return found
