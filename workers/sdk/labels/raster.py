"""Regions as pixels and pixels as regions.

A pixel belongs to a region when its centre does (even-odd rule). `trace` goes round patches of pixels along their edges, so that
painting what it gives yields the same pixels again, holes included.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workers.sdk.labels.brush import decode, pixels_of
from workers.sdk.labels.results import MOST_POINTS, MOST_REGIONS, Misfit

if TYPE_CHECKING:
    import numpy as np

Point = tuple[float, float]
MOST_EDGES = 4_000_000
"""Pixel edges between two classes in one mask: more is noise, and would take minutes."""


def fill(mask: np.ndarray[Any, Any], outline: Sequence[Point], value: int) -> None:
    """Set the pixels inside an outline (in pixels, x to the right and y down from the upper left corner)."""
    import numpy as np

    height, width = mask.shape
    ys = [y for _, y in outline]
    top, bottom = max(0, math.ceil(min(ys) - 0.5)), min(height, math.ceil(max(ys) - 0.5))
    if top >= bottom:
        return
    turns = np.zeros((bottom - top, width + 1), dtype=np.uint8)
    for one, other in zip(outline, (*outline[1:], outline[0]), strict=True):
        (x1, y1), (x2, y2) = (one, other) if one[1] <= other[1] else (other, one)
        first, last = max(top, math.ceil(y1 - 0.5)), min(bottom, math.ceil(y2 - 0.5))
        if first < last:
            rows = np.arange(first, last)
            columns = np.ceil(x1 + (rows + 0.5 - y1) * (x2 - x1) / (y2 - y1) - 0.5)
            turns[rows - top, np.clip(columns, 0, width).astype(np.intp)] ^= 1
    inside = np.bitwise_xor.accumulate(turns[:, :width], axis=1).astype(bool)
    mask[top:bottom][inside] = value


Drawn = Sequence[Point] | dict[str, Any]
"""An outline in pixels, or a brush mask: {rle, width, height}."""


def png(width: int, height: int, shapes: Sequence[tuple[int, Drawn]], colors: Sequence[str]) -> bytes:
    """A PNG whose pixels are class numbers (0: none); `shapes` are (class, what is drawn), a later one lies over an earlier one.
    `colors` (#rrggbb) of the classes from 1 on are its palette."""
    import numpy as np
    from PIL import Image

    mask = np.zeros((height, width), dtype=np.uint8)
    for number, drawn in shapes:
        if isinstance(drawn, dict):
            mask[pixels_of(decode(drawn["rle"], drawn["width"], drawn["height"]), (width, height))] = number
        else:
            fill(mask, drawn, number)
    image = Image.fromarray(mask, "P")
    image.putpalette(b"\0\0\0" + b"".join(bytes.fromhex(color[1:]) for color in colors))
    out = io.BytesIO()
    image.save(out, "PNG", optimize=False)
    return out.getvalue()


def pixels(data: bytes, width: int | None, height: int | None) -> np.ndarray[Any, Any]:
    """Class numbers of a PNG that is as large as its picture; nothing is decoded otherwise. Raises Misfit."""
    import warnings

    import numpy as np
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # its size is compared with the picture's below
            image = Image.open(io.BytesIO(data), formats=["PNG"])
        if image.size != (width, height):
            raise Misfit("size", f"The mask has {image.size[0]:,} × {image.size[1]:,} pixels.", f"{width or 0:,} × {height or 0:,}")
        if image.mode not in ("P", "L", "1"):
            raise Misfit("mode", f"The mask's pixels are colours ({image.mode}).", "class numbers: an 8-bit PNG with a palette or of grey")
        return np.asarray(image).astype(np.uint8)
    except Image.DecompressionBombError:
        raise Misfit("size", "The mask is far larger than any picture.", f"{width or 0:,} × {height or 0:,} pixels") from None
    except (OSError, SyntaxError, ValueError) as e:
        raise Misfit("mask", f"This is no PNG that can be read: {str(e)[:100]}.", "a whole PNG") from None


def trace(mask: np.ndarray[Any, Any]) -> list[list[Point]]:
    """Polygons of the patches of a mask of true and false, in pixels; pixels that meet at a corner only are two patches. A hole is joined
    to its patch by a line there and back, which holds no pixel. Raises Misfit."""
    import numpy as np

    inside = np.pad(mask.astype(bool), 1)
    here = inside[1:, 1:]
    left, above, corner = inside[1:, :-1], inside[:-1, 1:], inside[:-1, :-1]
    # Of the corner (y, x): whether an edge leaves it to the right, down, left, up, with the patch on its right hand.
    leaving = np.stack([here & ~above, left & ~here, corner & ~left, above & ~corner])
    count = int(leaving.sum())
    if count > MOST_EDGES:
        raise Misfit("mask", f"The mask has {count:,} edges between pixels.", f"at most {MOST_EDGES:,}; noise is no label")
    outer: list[tuple[float, list[Point]]] = []
    holes: list[tuple[Point, list[Point]]] = []
    for y, x in zip(*np.nonzero(leaving[0]), strict=True):
        if leaving[0, y, x]:
            loop = _loop(leaving, int(x), int(y))
            area = _area(loop)
            if area > 0:
                outer.append((area, loop))
            else:
                holes.append(((x + 0.5, y + 0.5), loop))
            if len(outer) > MOST_REGIONS:
                raise Misfit("mask", f"The mask has more than {MOST_REGIONS:,} patches.", "fewer; noise is no label")
    outer.sort(key=lambda one: one[0])
    found = [list(loop) for _, loop in outer]
    for point, hole in holes:
        owner = next(n for n, (_, loop) in enumerate(outer) if _holds(loop, point))
        found[owner] += [outer[owner][1][0], *hole, hole[0]]
    if any(len(points) > MOST_POINTS for points in found):
        raise Misfit("mask", f"A patch has more than {MOST_POINTS:,} corners.", "smoother edges, or several patches")
    return sorted(found, key=lambda points: (points[0][1], points[0][0]))


STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))


def _loop(leaving: np.ndarray[Any, Any], x: int, y: int) -> list[Point]:
    """The corners of one way round, beginning with the first edge to the right of a run; its edges are used up."""
    start, heading, points = (x, y), 0, []
    while True:
        points.append((float(x), float(y)))
        turn: int | None = heading
        while turn == heading:
            leaving[heading, y, x] = False
            x, y = x + STEPS[heading][0], y + STEPS[heading][1]
            if (x, y) == start and heading == 3:
                return points
            ways = leaving[:, y, x]
            # A right turn first: where two patches meet at a corner each keeps to itself.
            turn = next((h for h in ((heading + 1) % 4, heading, (heading + 3) % 4) if ways[h]), None)
        if turn is None:
            return points
        heading = turn


def _area(loop: Sequence[Point]) -> float:
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(loop, (*loop[1:], loop[0]), strict=True)) / 2


def _holds(loop: Sequence[Point], point: Point) -> bool:
    inside = False
    for (x1, y1), (x2, y2) in zip(loop, (*loop[1:], loop[0]), strict=True):
        if (y1 <= point[1]) != (y2 <= point[1]) and point[0] < x1 + (point[1] - y1) * (x2 - x1) / (y2 - y1):
            inside = not inside
    return inside
