"""What there is to embed in a data set version: each content once, as an embedder takes it, with what tells it from others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.db import connection

from backend.artifacts import tables
from backend.artifacts.storage import store
from backend.datasets.models import DatasetVersion
from backend.labeling.rows import table_rows
from backend.similarity.models import Space
from workers.sdk.store import StoreError

SNIPPET, CELLS = 300, 6
ITEMS = 2_000


class Content(NamedTuple):
    digest: str
    key: str
    shown: dict[str, Any]
    given: dict[str, Any]


def contents(space: Space, version: DatasetVersion) -> Iterator[Content]:
    """In the order of the version; equal contents may come again."""
    if space.dataset.modality == "table":
        yield from _rows(space, version)
        return
    images = space.dataset.modality == "images"
    last = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id, digest, key FROM datasets_item WHERE dataset_id = %s AND id > %s AND added_in <= %s"
                " AND (removed_in IS NULL OR removed_in > %s) ORDER BY id LIMIT %s",
                [space.dataset_id, last, version.number, version.number, ITEMS],
            )
            rows = cursor.fetchall()
        if not rows:
            return
        last = rows[-1][0]
        for _, digest, key in rows:
            if images:
                yield Content(digest, key, {}, {"image": digest})
            else:
                yield Content(digest, key, {"text": _snippet(digest)}, {"file": digest})


def _snippet(digest: str) -> str:
    try:
        with store().open(digest) as source:
            data = source.read(4 * SNIPPET)
    except StoreError:
        return ""
    return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "replace")[:SNIPPET].replace("\0", "")


def _rows(space: Space, version: DatasetVersion) -> Iterator[Content]:
    """Without the column that holds labels, and the key: alike is what was measured, not what was said of it."""
    column = space.parameters.get("column")
    known = tables.key_column(version.data)
    names = [c["name"] for c in version.columns if c["name"] not in (version.label_column, known)] or [c["name"] for c in version.columns]
    wanted = [column] if column else names
    for key, digest, data in table_rows(version.data, wanted):
        cells = {name: str(data[name])[:SNIPPET].replace("\0", "") for name in wanted[:CELLS] if data.get(name) is not None}
        yield Content(digest, key, cells, {"text": data[column]} if column else {"row": data})
