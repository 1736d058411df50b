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


def between(before: Mask, after: Mask, n: int) -> Mark:
    """What makes the second of the first."""
    return Mark(n=n, add=tuple(without(after.edges, before.edges)), cut=tuple(without(before.edges, after.edges)))


def united(a: Sequence[int], b: Sequence[int]) -> Sequence[int]:
    """Edges of the pixels of either."""
    return _combined(a, b, lambda in_a, in_b: in_a or in_b) if a and b else a or b


def without(a: Sequence[int], b: Sequence[int]) -> Sequence[int]:
    """Edges of the pixels of the first that are not of the second."""
    return _combined(a, b, lambda in_a, in_b: in_a and not in_b) if a and b else a


def _combined(a: Sequence[int], b: Sequence[int], wanted: Callable[[bool, bool], bool]) -> list[int]:
    in_a = in_b = on = False
    edges = []
    turns = sorted([(edge, True) for edge in a] + [(edge, False) for edge in b])
    for place, (edge, of_a) in enumerate(turns):
        if of_a:
            in_a = not in_a
        else:
            in_b = not in_b
        if place + 1 < len(turns) and turns[place + 1][0] == edge:
            continue
        if wanted(in_a, in_b) is not on:
            on = not on
            edges.append(edge)
    return edges
