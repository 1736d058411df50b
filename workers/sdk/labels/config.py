"""What a label schema asks for, read from its XML once and kept as JSON: objects to look at, controls to say something with, and the order
in which both are shown. It decides nothing about drawing."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
REGION_TYPES = {
    "RectangleLabels": "rectanglelabels", "PolygonLabels": "polygonlabels", "EllipseLabels": "ellipselabels",
    "KeyPointLabels": "keypointlabels", "BrushLabels": "brushlabels",
    "Rectangle": "rectangle", "Polygon": "polygon", "Ellipse": "ellipse", "KeyPoint": "keypoint", "Brush": "brush",
    "MagicWand": "magicwand", "VectorLabels": "vectorlabels", "Vector": "vector", "Labels": "labels",
    "VideoRectangle": "videorectangle",
}  # fmt: skip
"""Controls that make regions, and the type that their regions have in a result."""
VALUE_TYPES = {
    "Choices": "choices",
    "Rating": "rating",
    "TextArea": "textarea",
    "Number": "number",
    "Pairwise": "pairwise",
    "Ranker": "ranker",
}
"""Controls that say something of the whole object, or of one region (`per_region`)."""
TYPES = {**REGION_TYPES, **VALUE_TYPES}
ASKED = {*VALUE_TYPES} - {"Ranker"}
_DRAWN = {*REGION_TYPES, *ASKED} - {"Labels", "VideoRectangle"}
ON = {
    "Image": _DRAWN,
    "Pdf": _DRAWN,
    "Text": {"Labels", *ASKED},
    "Audio": {"Labels", *ASKED},
    "Video": {"VideoRectangle", "Labels", *ASKED},
    "List": {*VALUE_TYPES} - {"Pairwise"},
    "Table": ASKED,
}
"""Which controls can speak of which object."""
FILES = frozenset({"Image", "Audio", "Video", "Pdf"})
"""Objects that show a file."""
LABELLED = frozenset(tag for tag in REGION_TYPES if tag.endswith("Labels"))


@dataclass(frozen=True, kw_only=True)
class LabelObject:
    """`value` is the variable of an item's data that it shows, without the dollar sign; `frame_rate` of a video, frames a second, where
    the schema says it; `title` stands above a list."""

    name: str
    tag: Literal["Image", "Text", "Audio", "Video", "List", "Table", "Pdf"]
    value: str
    frame_rate: float | None = None
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class Label:
    """A choice or a label. `color` is #rrggbb."""

    value: str
    color: str
    hotkey: str = ""
    hint: str = ""


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """Where a Ranker's entries are put; into the `default` one all of them at first."""

    name: str
    title: str = ""
    default: bool = False


@dataclass(frozen=True, kw_only=True)
class LabelControl:
    """`maximum` of a Rating is its number of stars; `wand`: its masks may also be made by colour (Label Studio's
    MagicWand); `skeleton`: pairs of labels of key points that a line joins (decision 21); `closable`: its lines may end where they
    begin; `to_more`: the second object of a pair. Of lines `minimum` and `maximum` are numbers of points."""

    name: str
    to: str
    tag: str
    type: str
    labels: tuple[Label, ...] = ()
    multiple: bool = False
    required: bool = False
    required_message: str = ""
    per_region: bool = False
    can_rotate: bool = True
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    placeholder: str = ""
    rows: int = 3
    max_submissions: int | None = None
    stroke_width: float = 2
    opacity: float = 0.2
    wand: bool = False
    skeleton: tuple[tuple[str, str], ...] = ()
    closable: bool = False
    to_more: tuple[str, ...] = ()
    buckets: tuple[Bucket, ...] = ()

    @property
    def to_name(self) -> str:
        """What its results say they speak of: a pair, of two objects, names itself, as in Label Studio."""
        return self.name if self.tag == "Pairwise" else self.to

    @property
    def values(self) -> frozenset[str]:
        return frozenset(label.value for label in self.labels)

    @property
    def label_key(self) -> str:
        """Where the value of its regions holds their labels."""
        return "labels" if self.type == "videorectangle" else self.type

    @property
    def makes_regions(self) -> bool:
        return self.tag in REGION_TYPES


@dataclass(frozen=True, kw_only=True)
class LabelConfig:
    """A parsed label schema. `layout` nests `{kind: object|control, name}`, `{kind: header, text, size}` and
    `{kind: view, direction, children}`."""

    objects: tuple[LabelObject, ...]
    controls: tuple[LabelControl, ...]
    layout: tuple[Json, ...] = field(default=())

    def control(self, name: str) -> LabelControl | None:
        return next((c for c in self.controls if c.name == name), None)

    def object(self, name: str) -> LabelObject | None:
        return next((o for o in self.objects if o.name == name), None)

    @property
    def variables(self) -> dict[str, str]:
        """Variables of an item's data, with the tag that shows each."""
        return {o.value: o.tag for o in self.objects}

    def as_json(self) -> Json:
        return {
            **asdict(self),
            "objects": [asdict(o) for o in self.objects],
            "controls": [_plain(c) for c in self.controls],
            "layout": list(self.layout),
        }


def _plain(control: LabelControl) -> Json:
    return {**asdict(control), "labels": [asdict(label) for label in control.labels], "skeleton": [list(e) for e in control.skeleton],
            "to_more": list(control.to_more), "buckets": [asdict(b) for b in control.buckets]}  # fmt: skip


def _control(value: Json) -> LabelControl:
    labels, skeleton = value["labels"], value.get("skeleton", ())
    more = {"to_more": tuple(value.get("to_more", ())), "buckets": tuple(Bucket(**one) for one in value.get("buckets", ()))}
    return LabelControl(
        **{**value, "labels": tuple(Label(**one) for one in labels), "skeleton": tuple((a, b) for a, b in skeleton), **more}
    )


def from_json(value: Json) -> LabelConfig:
    """What `as_json` gave."""
    return LabelConfig(
        objects=tuple(LabelObject(**o) for o in value["objects"]),
        controls=tuple(_control(c) for c in value["controls"]),
        layout=tuple(value["layout"]),
    )
