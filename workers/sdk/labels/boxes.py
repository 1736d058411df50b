"""Boxes that people drew, as a detector learns them, and boxes that a detector found, as a label schema has them.

Only regions of <RectangleLabels> are boxes. A turned one becomes the upright box around it, in the image's own proportions: a detector's
boxes stand upright. What lies beyond the image's edge is cut off. Sides are shares of the image, 0 to 1: left, top, right, bottom.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from workers.sdk.labels.config import LabelConfig, LabelControl
from workers.sdk.labels.shapes import outline

Json = dict[str, Any]
KIND = "rectanglelabels"
LEAST = 1e-4
"""Share of a side that is left of a box at least, for it to be one."""


class Box(NamedTuple):
    label: str
    left: float
    top: float
    right: float
    bottom: float
    turned: bool


def drawn(result: Sequence[Json], width: int | None = None, height: int | None = None, control: str = "") -> list[Box]:
    """The boxes of a result (of one control, where it is named), with the first of their labels. `width` and `height` of the image serve
    where a turned region does not know them."""
    found = []
    for region in result:
        if region.get("type") != KIND or (control and region.get("from_name") != control):
            continue
        labels = region["value"].get(KIND) or []
        sized = {"original_width": width, "original_height": height, **{k: v for k, v in region.items() if v is not None}}
        corners = outline(sized)
        if not labels or corners is None:
            continue
        xs, ys = ([min(max(p[axis] / 100, 0.0), 1.0) for p in corners] for axis in (0, 1))
        box = Box(str(labels[0]), min(xs), min(ys), max(xs), max(ys), bool(region["value"].get("rotation")))
        if box.right - box.left >= LEAST and box.bottom - box.top >= LEAST:
            found.append(box)
    return found


def control_for(config: LabelConfig, labels: Sequence[str] | None = None) -> LabelControl | None:
    """The first control of a schema that draws labelled boxes on an image; with `labels`, that has all of them."""
    for control in config.controls:
        shown = config.object(control.to)
        if control.type == KIND and shown is not None and shown.tag == "Image" and (labels is None or set(labels) <= control.values):
            return control
    return None


def regions(
    boxes: Sequence[Mapping[str, Any]], control: LabelControl, ids: Sequence[str], width: int | None, height: int | None
) -> list[Json]:
    """Regions of a control from boxes of an answer (`workers.sdk.boxes.told`); each with its score. `ids` has one for each box."""
    size = {"original_width": width, "original_height": height, "image_rotation": 0} if width and height else {}
    return [
        {
            "id": id_, "from_name": control.name, "to_name": control.to_name, "type": KIND, **size, "score": box["score"],
            "value": {**{side: box[side] for side in ("x", "y", "width", "height")}, "rotation": 0, KIND: [box["label"]]},
        }
        for id_, box in zip(ids, boxes, strict=False)
        if box["width"] > 0 and box["height"] > 0
    ]  # fmt: skip
