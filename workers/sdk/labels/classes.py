"""Labels as classes of regions in an image, in the order of the schema: numbers in files of others, and which control takes one back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workers.sdk.labels import brush
from workers.sdk.labels.config import LabelConfig, LabelControl
from workers.sdk.labels.results import Misfit
from workers.sdk.labels.travel import Json, Said, Writing

BOXES, POLYGONS = ("rectanglelabels", "rectangle"), ("polygonlabels", "polygon")
ELLIPSES, POINTS = ("ellipselabels", "ellipse"), ("keypointlabels", "keypoint")
MASKS = ("brushlabels", "brush", "magicwand")
SHAPES = frozenset({*BOXES, *POLYGONS, *ELLIPSES})
DECIMALS = 8
"""Of a percent, kept when pixels are read: a hundred-millionth, so that what was written comes back the same."""


def classes(config: LabelConfig, types: Sequence[str] | frozenset[str]) -> list[str]:
    """Every label of controls of these types, once; a control without labels is one class with its name."""
    found = (name for c in config.controls if c.type in types for name in ([x.value for x in c.labels] or [c.name]))
    return list(dict.fromkeys(found))


def colors(config: LabelConfig) -> dict[str, str]:
    return {label.value: label.color for control in config.controls for label in control.labels}


def taker(config: LabelConfig, label: str, *types: Sequence[str]) -> LabelControl:
    """The control that takes a region of this class: the first of the types, in the order given. Raises Misfit, naming the classes."""
    for wanted in types:
        for control in config.controls:
            if control.type in wanted and (label in control.values or (not control.labels and label == control.name)):
                return control
    known = classes(config, [t for some in types for t in some])
    raise Misfit("label", f"“{label[:80]}” is no label of this schema for such regions.", "one of " + ", ".join(known[:20]))


def region(control: LabelControl, id_: str, label: str, place: Json, size: tuple[int, int] | None = None) -> Json:
    """A region of a result. `size`: of the image, in pixels."""
    value = {**place, control.type: [label]} if control.labels else place
    sizes = {"original_width": size[0], "original_height": size[1]} if size else {}
    return {"id": id_, "from_name": control.name, "to_name": control.to, "type": control.type, "value": value, **sizes}


def percent(pixels: float, of: float) -> float:
    return round(100 * pixels / of, DECIMALS)


def box(x: float, y: float, width: float, height: float, size: tuple[float, float]) -> Json:
    """The place of an upright box, from its upper left corner and size."""
    across, down = size
    return {"x": percent(x, across), "y": percent(y, down), "width": percent(width, across), "height": percent(height, down), "rotation": 0}


def polygon(points: Sequence[tuple[float, float]], size: tuple[float, float]) -> Json:
    return {"points": [[percent(x, size[0]), percent(y, size[1])] for x, y in points], "closed": True}


def mask(found: brush.Mask) -> Json:
    return {"format": "rle", "rle": brush.encode(found)}


def labels_of(control: LabelControl, one: Json) -> list[str]:
    found: list[str] = one["value"].get(control.label_key) if control.labels else [control.name]
    return found


def turned(one: Json) -> bool:
    """A box that does not lie upright."""
    return "width" in one["value"] and bool(one["value"].get("rotation", 0) % 360)


KINDS = {
    "rectangle": "boxes", "polygon": "polygons", "ellipse": "ellipses", "keypoint": "key points", "brush": "masks", "magicwand": "masks",
    "labels": "spans", "choices": "choices", "videorectangle": "tracks", "vector": "lines",
    "rating": "ratings", "number": "numbers", "textarea": "texts", "pairwise": "pairs", "ranker": "rankings",
}  # fmt: skip


def carried(said: Said, writing: Writing, title: str, types: Sequence[str] | frozenset[str]) -> Iterator[tuple[LabelControl, Json, str]]:
    """(Control, region, its label) of what a format can hold; counts the rest. A region with several labels comes once for each."""
    for one in said.result:
        if one["type"] == "relation":
            writing.lost[f"{title} has no place for relations."] += 1
            continue
        control = writing.config.control(one["from_name"])
        if control is None or one["type"] not in types:
            kind = KINDS.get(one["type"].removesuffix("labels") or "labels", one["type"])
            writing.lost[f"{title} has no place for “{one['from_name']}” ({kind})."] += 1
            continue
        labels = labels_of(control, one)
        if len(labels) > 1:
            writing.lost[f"{title} knows one label a region: one with several goes out once for each."] += 1
        for label in labels:
            yield control, one, label
