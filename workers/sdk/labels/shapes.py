"""The outline of a region, and how much two outlines overlap.

Boxes that are not turned are compared exactly. Others are drawn on a grid of `GRID` × `GRID` cells over both and counted by their
centres (even-odd rule), which is within a percent for shapes of some size and needs no geometry library.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

Point = tuple[float, float]
Outline = tuple[Point, ...]
GRID = 96
ROUND = 48
"""Corners of the polygon that an ellipse is compared as."""


def outline(region: dict[str, Any]) -> Outline | None:
    """The corners of a region in percent of the image, or None for spans and key points. Turning is done in the image's own
    proportions (`original_width`, `original_height`; square when unknown)."""
    value = region["value"]
    across, down = region.get("original_width") or 1, region.get("original_height") or 1
    if "points" in value:
        return tuple((float(x), float(y)) for x, y in value["points"])
    if "radiusX" in value:
        turns = [2 * math.pi * n / ROUND for n in range(ROUND)]
        corners = [(value["x"] + value["radiusX"] * math.cos(t), value["y"] + value["radiusY"] * math.sin(t)) for t in turns]
        return _turned(corners, (value["x"], value["y"]), value.get("rotation", 0), across, down)
    if "width" in value and "height" in value:
        x, y, w, h = value["x"], value["y"], value["width"], value["height"]
        return _turned([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], (x, y), value.get("rotation", 0), across, down)
    return None


def _turned(corners: Sequence[Point], about: Point, degrees: float, across: float, down: float) -> Outline:
    if not degrees:
        return tuple(corners)
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    found = []
    for x, y in corners:
        dx, dy = (x - about[0]) * across, (y - about[1]) * down
        found.append((about[0] + (dx * cos - dy * sin) / across, about[1] + (dx * sin + dy * cos) / down))
    return tuple(found)


def overlap(a: Outline, b: Outline) -> float:
    """Intersection over union, 0 to 1."""
    box_a, box_b = _bounds(a), _bounds(b)
    width = min(box_a[2], box_b[2]) - max(box_a[0], box_b[0])
    height = min(box_a[3], box_b[3]) - max(box_a[1], box_b[1])
    if width <= 0 or height <= 0:
        return 0.0
    if _upright(a, box_a) and _upright(b, box_b):
        both = width * height
        return both / (_area(box_a) + _area(box_b) - both)
    left, top = min(box_a[0], box_b[0]), min(box_a[1], box_b[1])
    right, bottom = max(box_a[2], box_b[2]), max(box_a[3], box_b[3])
    both = either = 0
    for row in range(GRID):
        y = top + (row + 0.5) * (bottom - top) / GRID
        in_a, in_b = _crossings(a, y), _crossings(b, y)
        if not in_a and not in_b:
            continue
        for column in range(GRID):
            x = left + (column + 0.5) * (right - left) / GRID
            one, other = _inside(in_a, x), _inside(in_b, x)
            both += one and other
            either += one or other
    return both / either if either else 0.0


def _bounds(shape: Outline) -> tuple[float, float, float, float]:
    xs, ys = [p[0] for p in shape], [p[1] for p in shape]
    return min(xs), min(ys), max(xs), max(ys)


def _area(box: tuple[float, float, float, float]) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _upright(shape: Outline, box: tuple[float, float, float, float]) -> bool:
    return len(shape) == 4 and {(x, y) for x, y in shape} == {(box[0], box[1]), (box[2], box[1]), (box[2], box[3]), (box[0], box[3])}


def _crossings(shape: Outline, y: float) -> list[float]:
    """Where a horizontal line meets the outline, in order."""
    found = []
    for (x1, y1), (x2, y2) in zip(shape, (*shape[1:], shape[0]), strict=True):
        if (y1 <= y) != (y2 <= y):
            found.append(x1 + (y - y1) * (x2 - x1) / (y2 - y1))
    return sorted(found)


def _inside(crossings: Sequence[float], x: float) -> bool:
    return sum(c <= x for c in crossings) % 2 == 1
