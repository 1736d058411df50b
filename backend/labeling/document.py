"""A result as a Yjs document, and back. Pure: no database, no sockets. `frontend/src/features/labeling/together/document.ts` is the same.

The root map `regions` has one map for each entry of the result:

    <id>               a region             name   {id, from_name, to_name, type, labels}: what it is called, changed as one
    <id>/<control>     what is said of it   place  its geometry, changed as one: half of two moves would be neither
    /<control>         an answer of the     said:… other parts of its value
                       item, given once     also:… other parts of the entry
    <id> <id>          a relation           order  its place in the list, a number
                                            mark:… of a mask, in place of its bytes: each stroke (`marks.py`)
                                            key:…  of a track, in place of its sequence: each key frame, by its number

What two people change at once merges where it is not the same field; of the same field one value stays, everywhere the same one. What was
deleted stays deleted, whatever somebody changed in it meanwhile.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from pycrdt import Doc, Map

from backend.core.live.updates import EMPTY, merge
from backend.labeling import marks
from workers.sdk.labels.brush import BRUSHES, MOST_PIXELS, BadMask, Mask, decode, encode
from workers.sdk.labels.config import LabelConfig

Json = dict[str, Any]
ROOT = "regions"
TRACK = "videorectangle"
GEOMETRY = ("x", "y", "width", "height", "rotation", "radiusX", "radiusY", "points", "closed", "start", "end", "text")
NAMED = ("id", "from_name", "to_name", "type")


def read(doc: Doc[Any]) -> list[Json]:
    """The result in the document. Merging never fails, so reading must not either: what is no entry, what is said of a region that is
    gone, and relations that lost an end are left out."""
    entries = []
    for key, value in (doc.get(ROOT, type=Map).to_py() or {}).items():
        if isinstance(value, dict) and (entry := _entry(key, value)) is not None:
            order = value.get("order")
            entries.append((order if isinstance(order, int | float) else 0.0, key, entry))
    entries.sort(key=lambda e: e[:2])
    regions = {key for _, key, _ in entries if "/" not in key and " " not in key}
    answers = {entry["id"] for _, key, entry in entries if key.startswith("/")}
    found = []
    for _, key, entry in entries:
        id_ = key.partition("/")[0]
        if entry["type"] == "relation":
            if not {entry["from_id"], entry["to_id"]} <= regions | answers:
                continue
        elif id_ and id_ not in regions:
            continue
        found.append(entry)
    return found


def _entry(key: str, held: Json) -> Json | None:
    name = held.get("name")
    if not isinstance(name, dict):
        return None
    also = _parts(held, "also:")
    if name.get("type") == "relation":
        ends = {end: name.get(end) for end in ("from_id", "to_id")}
        return {**also, **ends, "type": "relation"} if all(isinstance(v, str) for v in ends.values()) else None
    if not all(isinstance(name.get(k), str) for k in NAMED):
        return None
    place = held.get("place")
    value = {
        **({k: _plain(v) for k, v in place.items()} if isinstance(place, dict) else {}),
        **_parts(held, "said:"),
        **({name["type"]: name["labels"]} if isinstance(name.get("labels"), list) else {}),
    }
    if name["type"] in BRUSHES and (size := _picture(also)) and _parts(held, "mark:"):
        value["rle"] = encode(_mask(held, size)[0])
    if name["type"] == TRACK:
        value["sequence"] = _sequence(held)
        if not value["sequence"]:
            return None  # each of two people took a different one of the last two key frames away
    return {**also, **{k: name[k] for k in NAMED}, "value": value}


def _sequence(held: Json) -> list[Json]:
    """The key frames of a track in their order, on the list that drafts had before each was a field."""
    said = _plain(held.get("said:sequence"))
    keys = [key for key in (*(said if isinstance(said, list) else ()), *_parts(held, "key:").values()) if isinstance(key, dict)]
    return [key for _, key in sorted({key["frame"]: key for key in keys if isinstance(key.get("frame"), int)}.items())]


def _parts(held: Json, prefix: str) -> Json:
    return {k.removeprefix(prefix): _plain(v) for k, v in held.items() if k.startswith(prefix)}


def _picture(entry: Json) -> tuple[int, int] | None:
    """The size of the picture that the entry of a mask names; None where it names none."""
    width, height = entry.get("original_width"), entry.get("original_height")
    good = all(isinstance(side, int) and not isinstance(side, bool) and side > 0 for side in (width, height))
    return (width, height) if good and width * height <= MOST_PIXELS else None  # type: ignore[operator,return-value]  # both are whole numbers


def _mask(held: Json, size: tuple[int, int]) -> tuple[Mask, int]:
    """(The mask that an entry's marks make, on the bytes that drafts had before marks were kept; the highest number of a mark)."""
    try:
        base = decode(_plain(held["said:rle"]), *size)
    except (KeyError, BadMask):
        base = Mask(*size, ())
    return marks.laid(base, _parts(held, "mark:"))


def _plain(value: Any) -> Any:
    """Whole numbers are written as such: JSON of a browser makes no difference."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return value


def write(doc: Doc[Any], config: LabelConfig, result: Sequence[Json]) -> bytes:
    """Have the document say all of `result`, touching only what differs and taking nothing away; the update that does so."""
    regions = doc.get(ROOT, type=Map)
    made: list[bytes] = []
    watching = doc.observe(lambda event: made.append(event.update))
    try:
        with doc.transaction():
            for n, (key, fields) in enumerate(_keyed(config, result)):
                held = regions.get(key)
                mask = _taken(fields)
                if not isinstance(held, Map):
                    begun = {} if mask is None else {"mark:0": marks.packed(marks.Mark(n=0, add=mask.edges, cut=()))}
                    regions[key] = Map({**fields, **begun, "order": float(n)})
                    continue
                before = held.to_py() or {}
                if mask is not None:
                    there, last = _mask(before, (mask.width, mask.height))
                    if there != mask:
                        held[f"mark:{uuid.uuid4().hex[:12]}"] = marks.packed(marks.between(there, mask, last + 1))
                    before = {name: value for name, value in before.items() if name != "said:rle" and not name.startswith("mark:")}
                for name, value in fields.items():
                    if _plain(before.get(name)) != _plain(value):
                        held[name] = value
                for name in before.keys() - fields.keys() - {"order"}:
                    del held[name]
    finally:
        doc.unobserve(watching)
    return merge(made) if made else EMPTY


def fold(doc: Doc[Any]) -> bytes:
    """Have the document say the older strokes of each mask as one, with the same pixels; the update that does so. Of two who did that at
    once one would lose what the other folded: whoever calls this is alone with the document's log."""
    regions = doc.get(ROOT, type=Map)
    made: list[bytes] = []
    watching = doc.observe(lambda event: made.append(event.update))
    try:
        with doc.transaction():
            for held in list(regions.values()):
                fields = held.to_py() if isinstance(held, Map) else None
                size = _picture(_parts(fields, "also:")) if fields else None
                if fields is None or size is None:
                    continue
                folded = marks.fold(_parts(fields, "mark:"), size[0] * size[1], bottom="said:rle" not in fields)
                if folded is None:
                    continue
                mark, old = folded
                held[f"mark:{uuid.uuid4().hex[:12]}"] = marks.packed(mark)
                for key in old:
                    del held[f"mark:{key}"]
    finally:
        doc.unobserve(watching)
    return merge(made) if made else EMPTY


def _taken(fields: Json) -> Mask | None:
    """The mask of an entry's fields, whose bytes are taken from them; None where there is none."""
    size = _picture(_parts(fields, "also:"))
    if fields["name"]["type"] not in BRUSHES or size is None or "said:rle" not in fields:
        return None
    return decode(_plain(fields.pop("said:rle")), *size)


def _keyed(config: LabelConfig, result: Sequence[Json]) -> list[tuple[str, Json]]:
    mains: dict[str, int] = {}
    for n, entry in enumerate(result):
        control = config.control(entry.get("from_name", ""))
        if control is not None and control.makes_regions and (entry["type"] != "labels" or "start" in entry["value"]):
            mains.setdefault(entry["id"], n)
    found = []
    for n, entry in enumerate(result):
        if entry["type"] == "relation":
            key = f"{entry['from_id']} {entry['to_id']}"
            name = {k: entry[k] for k in ("type", "from_id", "to_id")}
            found.append((key, {"name": name, **{f"also:{k}": _floats(v) for k, v in entry.items() if k not in name}}))
            continue
        main = mains.get(entry["id"])
        key = entry["id"] if main == n else f"{entry['id']}/{entry['from_name']}" if main is not None else f"/{entry['from_name']}"
        found.append((key, _fields(entry)))
    return found


def _fields(entry: Json) -> Json:
    value, type_ = entry["value"], entry["type"]
    labels = value.get(type_) if type_.endswith("labels") else None
    rest = {k: v for k, v in value.items() if k != type_ or labels is None}
    keys = rest.pop("sequence") if type_ == TRACK and isinstance(rest.get("sequence"), list) else []
    place = {k: _floats(v) for k, v in rest.items() if k in GEOMETRY and (k != "text" or type_ != "textarea")}
    return {
        "name": {**{k: entry[k] for k in NAMED}, **({"labels": labels} if labels is not None else {})},
        **({"place": place} if place else {}),
        **{f"said:{k}": _floats(v) for k, v in rest.items() if k not in place},
        **{f"key:{int(key['frame'])}": _floats(key) for key in keys},
        **{f"also:{k}": _floats(v) for k, v in entry.items() if k not in (*NAMED, "value")},
    }


def _floats(value: Any) -> Any:
    """Whole numbers as browsers write them: others arrive there as `bigint`."""
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, list):
        return [_floats(v) for v in value]
    if isinstance(value, dict):
        return {k: _floats(v) for k, v in value.items()}
    return value
