"""How far two annotations of one item say the same, 0 to 1: the mean over the schema's controls that at least one of them answers.

Choices: Jaccard index. Pairs: the same side. Rankings: `preferences.same_order`.
Ratings and numbers: 1 − |difference| / range. Texts: `difflib`'s ratio. Regions and spans: F1 of the pairs that
match one to one, have the same labels and an intersection over union of at least 0.5 (greedy, best first; as in the PASCAL VOC challenge,
Everingham et al. 2010), of masks in pixels, of lines as strips (`lines`), of segments in seconds, of tracks the mean over
frames. Key points match within 2 % of the image's diagonal.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from workers.sdk.labels import brush, lines, preferences, timed
from workers.sdk.labels.config import LabelConfig, LabelControl
from workers.sdk.labels.shapes import Outline, outline, overlap

Json = dict[str, Any]
Covered = Outline | brush.Mask | lines.Line | timed.Frames | None
MATCH = 0.5
NEAR = 2.0
"""Percent of an image's diagonal within which two key points are the same."""


def agreement(config: LabelConfig, a: Sequence[Json], b: Sequence[Json]) -> float:
    """1.0 for two empty results."""
    found = [s for control in config.controls if (s := of_control(control, a, b)) is not None]
    return sum(found) / len(found) if found else 1.0


def of_control(control: LabelControl, a: Sequence[Json], b: Sequence[Json]) -> float | None:
    """Agreement on one control; None when neither answers it. Attributes of regions count with their regions' labels only."""
    one, other = ([r for r in result if r.get("from_name") == control.name] for result in (a, b))
    if control.per_region or not (one or other):
        return None
    if control.makes_regions:
        return f1(control, one, other)
    if not (one and other):
        return 0.0
    return _VALUES[control.type](control, one[0]["value"], other[0]["value"])


def f1(control: LabelControl, one: Sequence[Json], other: Sequence[Json]) -> float:
    """2 × matches / (regions of both)."""
    return 2 * len(matches(control, one, other)) / (len(one) + len(other))


def matches(control: LabelControl, one: Sequence[Json], other: Sequence[Json], *, same_label: bool = True) -> list[tuple[int, int, float]]:
    """Pairs of regions (place in `one`, place in `other`, intersection over union), best first, each region in one pair."""
    shapes = [[covered(r) for r in side] for side in (one, other)]
    pairs = []
    for i, first in enumerate(one):
        for j, second in enumerate(other):
            if same_label and set(first["value"].get(control.label_key, ())) != set(second["value"].get(control.label_key, ())):
                continue
            score = alike(first, second, shapes[0][i], shapes[1][j])
            if score >= MATCH:
                pairs.append((score, i, j))
    taken: tuple[set[int], set[int]] = (set(), set())
    found = []
    for score, i, j in sorted(pairs, key=lambda p: (-p[0], p[1], p[2])):
        if i not in taken[0] and j not in taken[1]:
            taken[0].add(i)
            taken[1].add(j)
            found.append((i, j, score))
    return found


def covered(region: Json) -> Covered:
    """What a region of an image or a track of a video covers, made once for comparing it with many."""
    if "sequence" in region["value"]:
        return timed.frames_of(region["value"])
    if "vertices" in region["value"]:
        return lines.line_of(region)
    return brush.mask_of(region) if "rle" in region["value"] else outline(region)


def alike(first: Json, second: Json, a: Covered, b: Covered) -> float:
    """How far two regions cover the same, 0 to 1, whatever their labels. `a` and `b`: what they cover."""
    one, other = first["value"], second["value"]
    if first.get("item_index") != second.get("item_index"):  # on other pages of a document
        return 0.0
    if "start" in one:
        both = min(one["end"], other["end"]) - max(one["start"], other["start"])
        return float(max(both, 0) / (max(one["end"], other["end"]) - min(one["start"], other["start"])))
    if "sequence" in one:
        return timed.tracks_alike(a, b) if isinstance(a, Mapping) and isinstance(b, Mapping) else 0.0
    if isinstance(a, brush.Mask) and isinstance(b, brush.Mask):
        return brush.alike(a, b)
    if isinstance(a, lines.Line) and isinstance(b, lines.Line):
        return lines.alike(a, b)
    if not isinstance(a, tuple) or not isinstance(b, tuple):  # key points
        across = math.hypot(one["x"] - other["x"], one["y"] - other["y"]) / math.sqrt(2)
        return 1.0 if across <= NEAR else 0.0
    return overlap(a, b)


def _choices(control: LabelControl, one: Json, other: Json) -> float:
    a, b = set(one["choices"]), set(other["choices"])
    return len(a & b) / len(a | b)


def _rating(control: LabelControl, one: Json, other: Json) -> float:
    return 1 - abs(one["rating"] - other["rating"]) / max((control.maximum or 5) - 1, 1)


def _number(control: LabelControl, one: Json, other: Json) -> float:
    a, b = one["number"], other["number"]
    if control.minimum is not None and control.maximum is not None and control.maximum > control.minimum:
        return 1 - min(abs(a - b) / (control.maximum - control.minimum), 1)
    return 1.0 if math.isclose(a, b, rel_tol=1e-9) else 0.0


def _text(control: LabelControl, one: Json, other: Json) -> float:
    return same_text(one, other)


def same_text(one: Json, other: Json) -> float:
    """Of two values of a TextArea."""
    return SequenceMatcher(None, "\n".join(one["text"]), "\n".join(other["text"]), autojunk=False).ratio()


def _pair(control: LabelControl, one: Json, other: Json) -> float:
    return float(one["selected"] == other["selected"])


def _ranking(control: LabelControl, one: Json, other: Json) -> float:
    return preferences.same_order(control, one["ranker"], other["ranker"])


_VALUES: dict[str, Callable[[LabelControl, Json, Json], float]] = {
    "choices": _choices,
    "rating": _rating,
    "number": _number,
    "textarea": _text,
    "pairwise": _pair,
    "ranker": _ranking,
}
