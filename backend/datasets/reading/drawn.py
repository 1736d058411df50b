"""Boxes that a manifest says lie on its pictures, in percent of the picture from its upper left corner:

    {"path": "1.png", "boxes": [{"label": "cat", "x": 10, "y": 20, "width": 30, "height": 40}]}

An empty list says that nothing is there. They are kept as what people drew is
(`annotations`), so that a detector learns from them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
NAME = "boxes"
SIDES = ("x", "y", "width", "height")
MOST = 10_000
EDGE = 0.02
"""Percent that rounding may bring a box over the edge."""
EXPECTED = '[{"label": "cat", "x": 10, "y": 20, "width": 30, "height": 40}], in percent of the picture'


def kept(said: Any, complain: Callable[[str, str], None]) -> Json | None:
    """What an item keeps; None where the manifest says nothing (`said` is None), or with a problem added."""
    if said is None:
        return None
    if not isinstance(said, list) or len(said) > MOST:
        complain(f"“{NAME}” is no list of at most {MOST:,} boxes.", EXPECTED)
        return None
    regions = []
    for number, box in enumerate(said):
        wrong = _wrong(box)
        if wrong:
            complain(f"Box {number + 1} {wrong}.", EXPECTED)
            return None
        value = {
            **{side: min(max(float(box[side]), 0.0), 100.0) for side in SIDES},
            "rotation": 0,
            "rectanglelabels": [box["label"].strip()],
        }
        regions.append({"id": f"b{number + 1}", "from_name": "box", "to_name": "image", "type": "rectanglelabels", "value": value})
    return {"result": regions}


def _wrong(box: Any) -> str:
    if not isinstance(box, dict):
        return "is no object"
    label = box.get("label")
    if not isinstance(label, str) or not 0 < len(label.strip()) <= 200:
        return "has no label of 1 to 200 characters"
    for side in SIDES:
        number = box.get(side)
        if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
            return f"has no number “{side}”"
    for place, size in (("x", "width"), ("y", "height")):
        if box[size] <= 0:
            return f"has a {size} of {box[size]:g}"
        if box[place] < -EDGE or box[place] + box[size] > 100 + EDGE:
            return f"reaches from {box[place]:g} to {box[place] + box[size]:g} %, beyond the picture"
    return ""
