"""Whether a result fits its label schema. A result is Label Studio's: a list of regions `{id, from_name, to_name, type, value}` and
relations.

Positions and sizes in an image or a frame of a video are percent of its width and height, 0 to 100; rotation is degrees clockwise about
the upper left corner (https://labelstud.io/guide/task_format). Places in a text count UTF-16 units, as browsers do; those in a sound are
seconds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workers.sdk.labels import preferences
from workers.sdk.labels.brush import BRUSHES, BadMask, decode
from workers.sdk.labels.config import LABELLED, LabelConfig, LabelControl
from workers.sdk.labels.misfit import Misfit as Misfit  # also for those who ask here
from workers.sdk.labels.misfit import number as _number
from workers.sdk.labels.timed import segment, track

Json = dict[str, Any]
MOST_REGIONS = 10_000
MOST_POINTS = 10_000
MOST_PAGES = 10_000
ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
EDGE = 0.01
"""Percent that a region may stand over the image's edge: what rounding in a browser leaves."""
DIRECTIONS = ("left", "right", "bi")
KEPT = (
    "id",
    "from_name",
    "to_name",
    "type",
    "value",
    "original_width",
    "original_height",
    "image_rotation",
    "origin",
    "meta",
    "score",
    "parentID",
    "item_index",
    "original_length",
)


def check(config: LabelConfig, result: Any, data: Mapping[str, Any], *, complete: bool = True) -> tuple[list[Json], list[Json]]:
    """(The result as it is kept, the problems `{field, message, expected}`). `data` are the item's: a text's length is known from it.
    `complete` also asks for the controls that are required; drafts are checked without."""
    if not isinstance(result, list):
        return [], [_problem("result", "The result is a list of regions.", "[]")]
    if len(result) > MOST_REGIONS:
        return [], [_problem("result", f"There are {len(result):,} regions.", f"at most {MOST_REGIONS:,}")]
    kept: list[Json] = []
    problems: list[Json] = []
    ids: dict[tuple[str, str], int] = {}
    for n, region in enumerate(result):
        try:
            one = _relation(region) if isinstance(region, dict) and region.get("type") == "relation" else _region(config, region, data)
            if "from_name" in one:
                key = (one["id"], one["from_name"])
                if key in ids:
                    raise Misfit("id", f"Region {ids[key]} has the same id and control.", "an id of its own")
                ids[key] = n
            kept.append(one)
        except Misfit as e:
            problems.append(_problem(f"result.{n}.{e.field}", e.message, e.expected))
            if len(problems) >= 20:
                return [], problems
    if not problems:
        problems = _whole(config, kept, {id_ for id_, _ in ids}, complete)
    return kept, problems


def _whole(config: LabelConfig, kept: Sequence[Json], ids: set[str], complete: bool) -> list[Json]:
    problems = []
    for n, one in enumerate(kept):
        if one["type"] == "relation":
            for end in ("from_id", "to_id"):
                if one[end] not in ids:
                    problems.append(_problem(f"result.{n}.{end}", f"There is no region “{one[end]}”.", "the id of a region of this result"))
    drawn = {one["id"] for one in kept if one["type"] != "relation" and (c := config.control(one["from_name"])) and c.makes_regions}
    said = {one["from_name"] for one in kept if "from_name" in one}
    attributes = {(one["id"], one["from_name"]) for one in kept if "from_name" in one}
    for n, one in enumerate(kept):
        control = config.control(one.get("from_name", ""))
        if control is not None and control.per_region and one["id"] not in drawn:
            problems.append(
                _problem(f"result.{n}.id", f"“{control.name}” speaks of a region, and there is none with this id.", "the id of a region")
            )
        elif (
            control is not None
            and not control.per_region
            and not control.makes_regions
            and sum(o.get("from_name") == control.name for o in kept) > 1
        ):
            problems.append(_problem(f"result.{n}.from_name", f"“{control.name}” is answered more than once.", "one answer"))
            break
    for control in config.controls if complete else ():
        if not control.required:
            continue
        missing = [id_ for id_ in sorted(drawn) if (id_, control.name) not in attributes] if control.per_region else []
        if (control.per_region and missing) or (not control.per_region and control.name not in said):
            problems.append(_problem(control.name, control.required_message or f"“{control.name}” needs an answer.", _wanted(control)))
    return problems


def _wanted(control: LabelControl) -> str:
    if control.makes_regions:
        return "at least one region"
    if control.type == "pairwise":
        return "left or right"
    return "one of " + ", ".join(label.value for label in control.labels[:10]) if control.labels else "an answer"


def _problem(field: str, message: str, expected: str) -> Json:
    return {"field": field, "message": message, "expected": expected}


def _relation(region: Json) -> Json:
    for end in ("from_id", "to_id"):
        if not isinstance(region.get(end), str) or not ID.fullmatch(region[end]):
            raise Misfit(end, "A relation names two regions.", "the id of a region")
    direction = region.get("direction", "right")
    if direction not in DIRECTIONS:
        raise Misfit("direction", f"“{str(direction)[:40]}” is no direction.", "left, right or bi")
    labels = region.get("labels")
    if labels is not None and not (isinstance(labels, list) and all(isinstance(v, str) and len(v) <= 200 for v in labels)):
        raise Misfit("labels", "The labels of a relation are a list of texts.", '["has"]')
    return {
        "type": "relation",
        "from_id": region["from_id"],
        "to_id": region["to_id"],
        "direction": direction,
        **({"labels": labels} if labels else {}),
    }


def _region(config: LabelConfig, region: Any, data: Mapping[str, Any]) -> Json:
    if not isinstance(region, dict):
        raise Misfit("", "A region is an object.", '{"from_name": …, "to_name": …, "type": …, "value": {…}}')
    name = region.get("from_name")
    control = config.control(name) if isinstance(name, str) else None
    if control is None:
        names = ", ".join(c.name for c in config.controls)
        raise Misfit("from_name", f"The schema has no control “{str(region.get('from_name'))[:80]}”.", f"one of {names}")
    if region.get("to_name") != control.to_name:
        raise Misfit(
            "to_name", f"“{control.name}” speaks of “{control.to_name}”, not of “{str(region.get('to_name'))[:80]}”.", control.to_name
        )
    if region.get("type") != control.type:
        raise Misfit("type", f"“{control.name}” gives {control.type}, not {str(region.get('type'))[:40]}.", control.type)
    id_ = region.get("id")
    if not isinstance(id_, str) or not ID.fullmatch(id_):
        raise Misfit("id", "A region has an id of its own.", "1 to 64 letters, digits, - or _")
    value = region.get("value")
    if not isinstance(value, dict):
        raise Misfit("value", "The value is an object.", "{…}")
    for side in ("original_width", "original_height"):
        size = region.get(side)
        if size is not None and not (isinstance(size, int) and not isinstance(size, bool) and 0 < size < 10**6):
            raise Misfit(side, "The size of the image is a number of pixels.", "a whole number above 0")
    checked = _mask(control, value, region) if control.type in BRUSHES else VALUES[control.type](control, value, data)
    if (length := region.get("original_length")) is not None and (isinstance(length, bool) or not isinstance(length, int | float)):
        raise Misfit("original_length", "The length of the sound is a number of seconds.", "a number above 0")
    parent = region.get("parentID")
    if parent is not None and parent != "" and (not isinstance(parent, str) or not ID.fullmatch(parent)):
        raise Misfit("parentID", "A region is part of another one.", "the id of that region")
    _page(config, control, region.get("item_index"))
    meta = region.get("meta")
    if meta is not None and not isinstance(meta, dict):
        raise Misfit("meta", "The notes of a region are an object.", '{"text": ["…"]}')
    return {**{k: region[k] for k in KEPT if k in region and region[k] is not None}, "value": checked}


def _page(config: LabelConfig, control: LabelControl, page: Any) -> None:
    """Label Studio's `item_index`: from 0."""
    if page is not None and not (isinstance(page, int) and not isinstance(page, bool) and 0 <= page < MOST_PAGES):
        raise Misfit("item_index", "A page is a whole number from 0 on.", f"0 to {MOST_PAGES - 1:,}")
    shown = config.object(control.to)
    if page is None and control.makes_regions and shown is not None and shown.tag == "Pdf":
        raise Misfit("item_index", "A region of a document lies on a page.", "its number, from 0 on")


def _texts(value: Json, key: str, most: int = 1000) -> list[str]:
    found = value.get(key)
    if isinstance(found, str):
        found = [found]
    if not isinstance(found, list) or len(found) > most or not all(isinstance(v, str) for v in found):
        raise Misfit(f"value.{key}", f"“{key}” is a list of texts.", '["…"]')
    return found


def _labels(control: LabelControl, value: Json) -> Json:
    """{type: [labels]} of a control with labels, nothing of one without."""
    key = control.label_key
    if control.tag not in LABELLED and not (control.type == "videorectangle" and control.labels):
        return {}
    found = _texts(value, key)
    for label in found:
        if label not in control.values:
            raise Misfit(
                f"value.{key}",
                f"“{label[:80]}” is no label of “{control.name}”.",
                "one of " + ", ".join(x.value for x in control.labels[:20]),
            )
    if not found:
        raise Misfit(f"value.{key}", "The region has no label.", "one of " + ", ".join(x.value for x in control.labels[:20]))
    return {key: found}


def _rectangle(control: LabelControl, value: Json, data: Mapping[str, Any]) -> Json:
    rotation = _number(value, "rotation", -360, 360) if "rotation" in value else 0
    x, y = _number(value, "x", -EDGE, 100 + EDGE), _number(value, "y", -EDGE, 100 + EDGE)
    width, height = _number(value, "width", 0, 100 + EDGE), _number(value, "height", 0, 100 + EDGE)
    if width <= 0 or height <= 0:
        raise Misfit("value.width" if width <= 0 else "value.height", "The box has no area.", "more than 0")
    if not rotation:
        for place, size, names in ((x, width, ("x", "width")), (y, height, ("y", "height"))):
            if place + size > 100 + 2 * EDGE:
                raise Misfit(
                    f"value.{names[1]}", f"The box ends at {place + size:.2f} %, outside the image.", f"{names[0]} + {names[1]} ≤ 100"
                )
    return {"x": x, "y": y, "width": width, "height": height, "rotation": rotation, **_labels(control, value)}


def _ellipse(control: LabelControl, value: Json, data: Mapping[str, Any]) -> Json:
    rotation = _number(value, "rotation", -360, 360) if "rotation" in value else 0
    place = {key: _number(value, key, -EDGE, 100 + EDGE) for key in ("x", "y")}
    radii = {key: _number(value, key, 0, 100) for key in ("radiusX", "radiusY")}
    for key, radius in radii.items():
        if radius <= 0:
            raise Misfit(f"value.{key}", "The ellipse has no area.", "more than 0")
    return {**place, **radii, "rotation": rotation, **_labels(control, value)}


def _polygon(control: LabelControl, value: Json, data: Mapping[str, Any]) -> Json:
    points = value.get("points")
    if not isinstance(points, list) or not 3 <= len(points) <= MOST_POINTS:
        raise Misfit("value.points", "A polygon has at least three points.", f"3 to {MOST_POINTS:,} pairs [x, y]")
    for n, point in enumerate(points):
        if not isinstance(point, list) or len(point) != 2:
            raise Misfit(f"value.points.{n}", "A point is a pair.", "[x, y]")
        for axis, key in zip(point, "xy", strict=True):
            try:
                _number({key: axis}, key, -EDGE, 100 + EDGE)
            except Misfit as e:
                raise Misfit(f"value.points.{n}", e.message, e.expected) from None
    return {"points": points, "closed": value.get("closed", True) is not False, **_labels(control, value)}


def _vector(control: LabelControl, value: Json, data: Mapping[str, Any]) -> Json:
    """A line's points name the one before them (`prevPointId`); the first of a closed line may name the last."""
    vertices, closed = value.get("vertices"), value.get("closed") is True
    least, most = max(3 if closed else 2, int(control.minimum or 0)), min(MOST_POINTS, int(control.maximum or MOST_POINTS))
    if closed and not control.closable:
        raise Misfit("value.closed", f"The lines of “{control.name}” stay open.", "false")
    if not isinstance(vertices, list) or not least <= len(vertices) <= most:
        raise Misfit("value.vertices", "The line has too few or too many points.", f"{least} to {most:,} objects {{x, y}}")
    kept: list[Json] = []
    for n, vertex in enumerate(vertices):
        if not isinstance(vertex, dict):
            raise Misfit(f"value.vertices.{n}", "A point is an object.", '{"x": …, "y": …}')
        if vertex.get("isBezier"):
            raise Misfit(f"value.vertices.{n}.isBezier", "Curves are not read.", "false, with more points")
        before, id_ = vertex.get("prevPointId"), vertex.get("id")
        if id_ is not None and not (isinstance(id_, str) and len(id_) <= 64):
            raise Misfit(f"value.vertices.{n}.id", "A point's id is a text.", "at most 64 characters")
        follows = kept[-1].get("id") if kept else vertices[-1].get("id") if closed and isinstance(vertices[-1], dict) else None
        if before is not None and before != follows:
            raise Misfit(f"value.vertices.{n}.prevPointId", "The line branches.", "the id of the point before it")
        place = {}
        for key in "xy":
            try:
                place[key] = _number(vertex, key, -EDGE, 100 + EDGE)
            except Misfit as e:
                raise Misfit(f"value.vertices.{n}.{key}", e.message, e.expected) from None
        kept.append({**{key: vertex[key] for key in ("id", "prevPointId", "isBezier") if key in vertex}, **place})
    return {"vertices": kept, "closed": closed, **_labels(control, value)}


def _keypoint(control: LabelControl, value: Json, data: Mapping[str, Any]) -> Json:
    width = {"width": _number(value, "width", 0, 100)} if "width" in value else {}
    return {"x": _number(value, "x", -EDGE, 100 + EDGE), "y": _number(value, "y", -EDGE, 100 + EDGE), **width, **_labels(control, value)}


def _mask(control: LabelControl, value: Json, region: Json) -> Json:
    for side in ("original_width", "original_height"):
        if region.get(side) is None:
            raise Misfit(side, "A mask has the size of its image.", "a whole number above 0")
    if value.get("format", "rle") != "rle":
        raise Misfit("value.format", f"Masks in the format “{str(value['format'])[:40]}” are not read.", "rle")
    try:
        mask = decode(value.get("rle"), region["original_width"], region["original_height"])
    except BadMask as e:
        raise Misfit("value.rle", e.message, e.expected) from None
    if not mask.edges:
        raise Misfit("value.rle", "The mask has no pixel.", "at least one")
    return {"format": "rle", "rle": value["rle"], **_labels(control, value)}


def _span(control: LabelControl, value: Json, data: Mapping[str, Any]) -> Json:
    place = {}
    for key in ("start", "end"):
        found = _number(value, key, 0, 2**31)
        if found != int(found):
            raise Misfit(f"value.{key}", f"{found:g} is no place in a text.", "a whole number")
        place[key] = int(found)
    if place["start"] >= place["end"]:
        raise Misfit("value.end", "The span is empty.", "more than start")
    kept: Json = {**place, **_labels(control, value)}
    text = data.get(control.to)
    if isinstance(text, str):
        units = text.encode("utf-16-le", "surrogatepass")
        if place["end"] * 2 > len(units):
            raise Misfit("value.end", f"The span ends at {place['end']}, the text at {len(units) // 2}.", f"at most {len(units) // 2}")
        kept["text"] = units[place["start"] * 2 : place["end"] * 2].decode("utf-16-le", "replace")
    elif isinstance(value.get("text"), str):
        kept["text"] = value["text"]
    return kept


def _part(control: LabelControl, value: Json, data: Mapping[str, Any]) -> Json:
    """`labels`: a span of a text or, where what it speaks of has a length in time, a segment of a sound."""
    known = data.get(control.to)
    if isinstance(known, Mapping):
        return {**segment(value, known), **_labels(control, value)}
    return _span(control, value, data)


def _track(control: LabelControl, value: Json, data: Mapping[str, Any]) -> Json:
    known = data.get(control.to)
    return {**track(value, known if isinstance(known, Mapping) else {}), **_labels(control, value)}


def _choices(control: LabelControl, value: Json, data: Mapping[str, Any]) -> Json:
    found = _texts(value, "choices")
    for choice in found:
        if choice not in control.values:
            raise Misfit(
                "value.choices",
                f"“{choice[:80]}” is no choice of “{control.name}”.",
                "one of " + ", ".join(x.value for x in control.labels[:20]),
            )
    if not found or len(set(found)) != len(found) or (len(found) > 1 and not control.multiple):
        raise Misfit(
            "value.choices",
            f"“{control.name}” takes {'different choices' if control.multiple else 'one choice'}.",
            "at least one" if control.multiple else "one",
        )
    return {"choices": found}


def _rating(control: LabelControl, value: Json, data: Mapping[str, Any]) -> Json:
    found = _number(value, "rating", 1, control.maximum or 5)
    if found != int(found):
        raise Misfit("value.rating", f"{found:g} is not a number of stars.", "a whole number")
    return {"rating": int(found)}


def _said(control: LabelControl, value: Json, data: Mapping[str, Any]) -> Json:
    low = control.minimum if control.minimum is not None else -math.inf
    return {"number": _number(value, "number", low, control.maximum if control.maximum is not None else math.inf)}


def _textarea(control: LabelControl, value: Json, data: Mapping[str, Any]) -> Json:
    found = _texts(value, "text", control.max_submissions or 1000)
    if not found or any(not v.strip() or len(v) > 100_000 for v in found):
        raise Misfit("value.text", "The text is empty, or longer than 100,000 characters.", "some text")
    return {"text": found}


def _preferred(control: LabelControl, value: Json, data: Mapping[str, Any]) -> Json:
    return preferences.pair(control, value) if control.type == "pairwise" else preferences.ranking(control, value, data.get(control.to))


VALUES: dict[str, Callable[[LabelControl, Json, Mapping[str, Any]], Json]] = {
    "rectanglelabels": _rectangle, "rectangle": _rectangle, "ellipselabels": _ellipse, "ellipse": _ellipse, "polygonlabels": _polygon,
    "polygon": _polygon, "keypointlabels": _keypoint, "keypoint": _keypoint, "labels": _part, "choices": _choices, "rating": _rating,
    "number": _said, "textarea": _textarea, "videorectangle": _track,
    "vectorlabels": _vector, "vector": _vector, "pairwise": _preferred, "ranker": _preferred,
}  # fmt: skip
