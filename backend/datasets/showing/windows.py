"""Windows of a version's rows or items: any place of a million rows in the time of one row group."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from backend.artifacts import tables
from backend.datasets.showing import views
from backend.datasets.showing.shown import Shown, View

ITEM = ("key", "digest", "label", "split", "width", "height", "duration", "media_type", "size")
MAKE_FIRST = "make first"
"""The answer when the view is not there and takes more than a moment: see `views.make`."""


def rows(*, shown: dict[str, Any], view: dict[str, Any], offset: int, limit: int) -> bytes | str:
    """The JSON of a `RowsOut`: rows `offset` to `offset + limit` of the view."""
    version, wanted = Shown(**shown), View(**view)
    if not wanted:
        part, total = version.as_typed(tables.window(version.data, offset, limit)), tables.row_count(version.data)
    elif (path := views.find(version, wanted)) is None:
        return MAKE_FIRST
    else:
        numbers, total = views.numbers(path, offset, limit)
        part = views.take(version, numbers, wide=bool(wanted.sort))
    found = {"columns": version.columns, "rows": tables.json_rows(part), "offset": offset, "total": total}
    return json.dumps(found, separators=(",", ":"), allow_nan=False).encode()


def items(*, shown: dict[str, Any], view: dict[str, Any], offset: int, limit: int, known_labels: list[str] | None) -> dict[str, Any] | str:
    """`{numbers, items, total, labels}` of a data set of images, texts, sounds …"""
    version, wanted = Shown(**shown), View(**view)
    present = tables.schema(version.data).names
    columns = [c for c in ITEM if c in present]
    if not wanted:
        part, total = tables.window(version.data, offset, limit, columns), tables.row_count(version.data)
        numbers = list(range(offset, offset + part.num_rows))
    elif (path := views.find(version, wanted)) is None:
        return MAKE_FIRST
    else:
        numbers, total = views.numbers(path, offset, limit)
        part = tables.take(version.data, numbers, columns)
    labels = _labels(version.data) if known_labels is None else known_labels
    return {"numbers": numbers, "items": part.to_pylist(), "total": total, "labels": labels}


@lru_cache(maxsize=16)
def _labels(data: str) -> list[str]:
    """The classes of a draft, in order."""
    import pyarrow.compute as pc

    found: set[str] = set()
    for group in tables.batches(data, ["label"]):
        found.update(v for v in pc.unique(group.column("label")).to_pylist() if v is not None)
    return sorted(found)
