"""Lines of several points in an image, and how much two of them lie over each other.

Two lines are compared as strips `WIDE` wide, by intersection over union: the measure of the CULane benchmark (Pan et al. 2018, “Spatial as
Deep”, section 4.2), which draws lanes 30 pixels wide on a diagonal of 1,743. The strips are not drawn: at points evenly along each line the
distance d to the other one says how much of the width they share, 1 − d / `WIDE`, which is exact for parallel lines, (`WIDE` − d) / (`WIDE`
+ d), and for one that goes on where the other ends. Which end a line was begun at does not matter. Of two closed lines the areas are
compared, as of polygons.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from workers.sdk.labels.shapes import Outline, Point, overlap

WIDE = 0.03
"""Of the image's diagonal: parallel lines a hundredth of it apart are half the same."""
STEPS = 100


@dataclass(frozen=True, kw_only=True)
class Line:
    """`points` are in the image's own proportions, its diagonal being 1; a closed one ends where it begins."""

    points: Outline
    closed: bool


def line_of(region: dict[str, Any]) -> Line:
    """Of a region whose value has `vertices`; square where the size of the image is unknown."""
    across, down = region.get("original_width") or 1, region.get("original_height") or 1
    scale = 100 * math.hypot(across, down)
    points = tuple((v["x"] * across / scale, v["y"] * down / scale) for v in region["value"]["vertices"])
    closed = region["value"].get("closed") is True
    return Line(points=(*points, points[0]) if closed else points, closed=closed)


def alike(a: Line, b: Line) -> float:
    """0 to 1."""
    if a.closed and b.closed:
        return overlap(a.points[:-1], b.points[:-1])
    lengths = _length(a.points), _length(b.points)
    if not all(lengths):  # all points in one place
        return 1.0 if _away(a.points[0], b.points) + _away(b.points[0], a.points) < WIDE else 0.0
    shared = (lengths[0] * _covered(a.points, b.points) + lengths[1] * _covered(b.points, a.points)) / 2
    return shared / (sum(lengths) - shared)


def _length(points: Sequence[Point]) -> float:
    return sum(math.dist(one, other) for one, other in pairwise(points))


def _covered(line: Sequence[Point], other: Sequence[Point]) -> float:
    """The share of a line's strip that lies in the other's."""
    return sum(max(0.0, 1 - _away(point, other) / WIDE) for point in _evenly(line)) / STEPS


def _evenly(points: Sequence[Point]) -> list[Point]:
    """`STEPS` points, each in the middle of its part of the line."""
    step = _length(points) / STEPS
    found: list[Point] = []
    passed = 0.0
    for (x1, y1), (x2, y2) in pairwise(points):
        part = math.dist((x1, y1), (x2, y2))
        while len(found) < STEPS and (at := (len(found) + 0.5) * step - passed) <= part and part:
            found.append((x1 + (x2 - x1) * at / part, y1 + (y2 - y1) * at / part))
        passed += part
    return found + [points[-1]] * (STEPS - len(found))


def _away(point: Point, line: Sequence[Point]) -> float:
    """The distance of a point from the nearest place of a line."""
    return min(_from_part(point, one, other) for one, other in pairwise(line))


def _from_part(point: Point, one: Point, other: Point) -> float:
    dx, dy = other[0] - one[0], other[1] - one[1]
    along = ((point[0] - one[0]) * dx + (point[1] - one[1]) * dy) / (dx * dx + dy * dy or 1)
    along = min(max(along, 0.0), 1.0)
    return math.dist(point, (one[0] + along * dx, one[1] + along * dy))
