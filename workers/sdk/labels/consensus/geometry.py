"""One shape from several of the same thing: the weighted median of what describes them, of masks the pixels that most of the weight
marks, of polygons and lines the one most like the others.

A turned box can be described in four ways, an ellipse in two; each is first described as the one most like the others is. Turning is
done in the image's own proportions, as in `shapes`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from workers.sdk.labels import brush

Json = dict[str, Any]


def median(values: Sequence[float], weights: Sequence[float], *, between: bool = True) -> float:
    """The value with half of the weight below it; where it falls between two, their middle, or the lower one (not `between`)."""
    pairs = sorted(zip(values, weights, strict=True))
    half, passed = sum(weights) / 2, 0.0
    for n, (value, weight) in enumerate(pairs):
        passed += weight
        if passed > half + 1e-9 or n == len(pairs) - 1:
            return value
        if passed >= half - 1e-9:
            return (value + pairs[n + 1][0]) / 2 if between and pairs[n + 1][0] != value else value
    raise ValueError("there is no value")


def fused(regions: Sequence[Json], weights: Sequence[float], middle: int) -> Json:
    """The value of a region (without labels) from those that mark the same thing; `middle` is the place of the one most like the rest."""
    from workers.sdk.labels.consensus import tracks  # here: it takes the median from this module

    values = [r["value"] for r in regions]
    known = values[middle]
    if all(_shape(v) == _shape(known) for v in values) or "points" in known or "vertices" in known:
        return _shape(known)
    if "rle" in known:
        masks = [brush.mask_of(r) for r in regions]
        return {"format": "rle", "rle": brush.encode(brush.voted(masks, weights, above=sum(weights) / 2, tied=masks[middle]))}
    if "sequence" in known:
        return tracks.fused(values, weights, known)
    if "channel" in known:
        start, end = (median([v[key] for v in values], weights, between=False) for key in ("start", "end"))
        return {"start": start, "end": end, "channel": known["channel"]} if start < end else _shape(known)
    if "start" in known:
        return _span(values, weights, known)
    if "radiusX" in known:
        return _turned(regions, weights, middle, ("radiusX", "radiusY"), centred=True)
    if "height" in known:
        return _box(regions, weights, middle)
    return {key: median([v[key] for v in values], weights) for key in ("x", "y", "width") if all(key in v for v in values)}


def _shape(value: Json) -> Json:
    keys = ("points", "vertices", "closed", "x", "y", "width", "height", "radiusX", "radiusY", "rotation", "start", "end", "text", "format",
            "rle", "channel", "sequence", "framesCount", "duration")  # fmt: skip
    return {key: value[key] for key in keys if key in value}


def _box(regions: Sequence[Json], weights: Sequence[float], middle: int) -> Json:
    values = [r["value"] for r in regions]
    if any(v.get("rotation") for v in values):
        return _turned(regions, weights, middle, ("width", "height"), centred=False)
    left, top = median([v["x"] for v in values], weights), median([v["y"] for v in values], weights)
    right = median([v["x"] + v["width"] for v in values], weights)
    bottom = median([v["y"] + v["height"] for v in values], weights)
    return {"x": left, "y": top, "width": right - left, "height": bottom - top, "rotation": 0}


def _turned(regions: Sequence[Json], weights: Sequence[float], middle: int, sides: tuple[str, str], *, centred: bool) -> Json:
    across, down = regions[middle].get("original_width") or 1, regions[middle].get("original_height") or 1
    about = regions[middle]["value"].get("rotation", 0)
    described = []
    for region in regions:
        value = region["value"]
        one, other, turn = value[sides[0]] * across, value[sides[1]] * down, value.get("rotation", 0)
        x, y = value["x"] * across, value["y"] * down
        if not centred:
            dx, dy = _turn(one / 2, other / 2, turn)
            x, y = x + dx, y + dy
        quarters = round((turn - about) / 90)
        if quarters % 2:
            one, other = other, one
        described.append((x, y, one, other, turn - 90 * quarters - about))
    x, y, one, other, turn = (median([d[n] for d in described], weights) for n in range(5))
    turn += about
    if not centred:
        dx, dy = _turn(one / 2, other / 2, turn)
        x, y = x - dx, y - dy
    place = {"x": min(max(x / across, 0), 100), "y": min(max(y / down, 0), 100)}
    return {**place, sides[0]: min(one / across, 100), sides[1]: min(other / down, 100), "rotation": math.fmod(turn, 360)}


def _turn(x: float, y: float, degrees: float) -> tuple[float, float]:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return x * cos - y * sin, x * sin + y * cos


def _span(values: Sequence[Json], weights: Sequence[float], known: Json) -> Json:
    """Both ends are somebody's, so that none falls inside a character; the text is put together from the parts that the spans hold."""
    start = int(median([v["start"] for v in values], weights, between=False))
    end = int(median([v["end"] for v in values], weights, between=False))
    if "text" not in known:
        return {"start": start, "end": end}
    units: dict[int, bytes] = {}
    for value in values:
        text = value.get("text", "").encode("utf-16-le", "surrogatepass")
        units.update({value["start"] + n: text[2 * n : 2 * n + 2] for n in range(len(text) // 2)})
    if not all(n in units for n in range(start, end)):
        return _shape(known)
    return {"start": start, "end": end, "text": b"".join(units[n] for n in range(start, end)).decode("utf-16-le", "replace")}
