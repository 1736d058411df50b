"""Marks in a text (labelled spans) that would no longer say what they said once the text is another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workers.sdk.labels.config import LabelConfig

Json = dict[str, Any]
PLACES = ("start", "startOffset", "globalOffsets")


def broken(config: LabelConfig, results: Iterable[Any], old: Json | None, new: Json) -> int:
    """How many marks no longer fit. `old` is what the data was, where it is known."""
    fields = {o.name: o.value for o in config.objects}
    found = set()
    for result in results:
        for region in result if isinstance(result, list) else ():
            value = region.get("value") if isinstance(region, dict) else None
            name = fields.get(str(region.get("to_name", "")).split(",")[0]) if isinstance(region, dict) else None
            if name is None or not isinstance(value, dict) or not any(place in value for place in PLACES):
                continue
            if not isinstance(new.get(name), str | list) or (old is not None and old.get(name) == new.get(name)):
                continue
            if not _fits(value, old.get(name) if old else None, new[name]):
                found.add((name, str([value.get(p) for p in (*PLACES, "end")])))
    return len(found)


def _fits(value: Json, old: Any, new: Any) -> bool:
    start, end = value.get("start"), value.get("end")
    if not (isinstance(new, str) and isinstance(start, int) and isinstance(end, int) and 0 <= start <= end):
        return False  # in a page or a conversation places are paths, which a change moves
    said = value.get("text")
    for cut in (_points, _units):
        want = said if isinstance(said, str) else cut(old, start, end) if isinstance(old, str) else None
        if want is not None and cut(new, start, end) == want:
            return True
    return False


def _points(text: str, start: int, end: int) -> str:
    return text[start:end]


def _units(text: str, start: int, end: int) -> str:
    """As JavaScript counts: a character beyond the first 65,536 is two."""
    return text.encode("utf-16-le", "surrogatepass")[2 * start : 2 * end].decode("utf-16-le", "replace")
