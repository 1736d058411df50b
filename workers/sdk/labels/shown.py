"""What the objects of a label schema show of an item's data: a text, a list of entries that are ranked, the fields of a table.

Lists and tables may lie in the data as JSON text, as columns of a data set hold them. What has another form than is asked for is shown
as nothing, never guessed at.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from workers.sdk.labels.config import LabelObject

Json = dict[str, Any]
ROW = "row"
"""The variable by which a Table shows the whole row of a data set that has no column of this name."""
MOST_ENTRIES = 200


def shown(one: LabelObject, data: Mapping[str, Any]) -> Any:
    """Of a Text its text, of a List its entries, of a Table its fields or rows, of a sound or video what is known of it; None for what
    is only a file."""
    if one.tag in ("Audio", "Video"):
        return dict(data)
    value = data.get(one.value)
    if one.tag == "Text":
        return text_of(value)
    if one.tag == "List":
        return entries_of(value)
    if one.tag == "Table":
        return table_of(data if one.value == ROW and ROW not in data else value)
    return None


def text_of(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else str(value)


def entries_of(value: Any) -> list[Json]:
    """[{id, title, body}] of Label Studio's list of objects, or of a list of texts, which are called by their places from 0."""
    found = parsed(value)
    if not isinstance(found, list):
        return []
    entries: dict[str, Json] = {}
    for n, one in enumerate(found[:MOST_ENTRIES]):
        if isinstance(one, dict):
            id_ = str(one["id"]) if isinstance(one.get("id"), str | int) else str(n)
            rest = {k: v for k, v in one.items() if k not in ("id", "title")}
            body = text_of(rest["body"]) if "body" in rest else "\n".join(f"{k}: {text_of(v)}" for k, v in rest.items())
            entries.setdefault(id_, {"id": id_, "title": text_of(one.get("title")), "body": body})
        elif one is not None:
            entries.setdefault(str(n), {"id": str(n), "title": "", "body": text_of(one)})
    return list(entries.values())


def table_of(value: Any) -> Json | list[Json] | None:
    """The fields of one thing, or the rows of several; None for what is neither."""
    found = parsed(value)
    if isinstance(found, Mapping):
        return dict(found)
    rows = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
    return rows or None


def parsed(value: Any) -> Any:
    """JSON text as what it says; None for other text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value.lstrip()[:1] in ("[", "{") else None
    except ValueError:
        return None
