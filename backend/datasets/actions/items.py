"""Items of a data set: a whole upload of them in a few statements, however many, and the manifest of a version."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection

from backend.artifacts.storage import store
from backend.datasets.actions.freezing import Frozen
from backend.datasets.models import Dataset, Item
from backend.datasets.reading.items import FIELDS
from backend.datasets.reading.parquet import Writer
from workers.sdk.store import Stored

BATCH = 10_000
FROM_DATA = {"annotations": "(data -> 'annotations')::text", "duration": "(data ->> 'duration')::float8"}
IMAGE_COLUMNS = [
    {"name": "key", "type": "text", "nullable": False},
    {"name": "digest", "type": "text", "nullable": False},
    {"name": "width", "type": "integer", "nullable": True},
    {"name": "height", "type": "integer", "nullable": True},
    {"name": "label", "type": "category", "nullable": True},
    {"name": "split", "type": "category", "nullable": True},
    {"name": "media_type", "type": "category", "nullable": False},
    {"name": "size", "type": "integer", "nullable": False},
]
TEXT_COLUMNS = [
    {"name": "key", "type": "text", "nullable": False},
    {"name": "text", "type": "text", "nullable": False},
    {"name": "label", "type": "category", "nullable": True},
    {"name": "split", "type": "category", "nullable": True},
    {"name": "digest", "type": "text", "nullable": False},
    {"name": "size", "type": "integer", "nullable": False},
]
FILE_COLUMNS = [
    {"name": "key", "type": "text", "nullable": False},
    {"name": "digest", "type": "text", "nullable": False},
    {"name": "media_type", "type": "category", "nullable": False},
    {"name": "duration", "type": "number", "nullable": True},
    {"name": "width", "type": "integer", "nullable": True},
    {"name": "height", "type": "integer", "nullable": True},
    {"name": "label", "type": "category", "nullable": True},
    {"name": "split", "type": "category", "nullable": True},
    {"name": "size", "type": "integer", "nullable": False},
]
"""Of sounds, videos and PDFs; the duration in seconds, where it is known."""
ANNOTATIONS = {"name": "annotations", "type": "json", "nullable": True}
"""What people said of an item beyond its label: `{label_schema, version, result, by, at}`; a column of versions that have some."""


def change_items(dataset: Dataset, number: int, spool: Path, *, replace: bool) -> None:
    """Make the items of version `number` those of the spool (`replace`), or those there were and the spool's. An item that is
    the same stays the same row; one with the same key and other content, label, split or annotations takes the old one's place."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE incoming (n bigint GENERATED ALWAYS AS IDENTITY, key text, digest text, media_type text, size bigint,"
            " width int, height int, label text, split text, data jsonb) ON COMMIT DROP"
        )
        with spool.open(encoding="utf-8") as lines, cursor.copy(f"COPY incoming ({', '.join(FIELDS)}) FROM STDIN") as copy:
            for line in lines:
                *row, data = json.loads(line)
                copy.write_row([*row, json.dumps(data)])
        cursor.execute("CREATE INDEX ON incoming (key)")
        cursor.execute("ANALYZE incoming")
        cursor.execute(
            "UPDATE datasets_item old SET removed_in = %(number)s WHERE old.dataset_id = %(dataset)s AND old.removed_in IS NULL AND ("
            " EXISTS (SELECT 1 FROM incoming new WHERE new.key = old.key"
            "   AND (new.digest, new.label, new.split, new.data)"
            "    IS DISTINCT FROM (old.digest::text, old.label::text, old.split::text, old.data))"
            " OR (%(replace)s AND NOT EXISTS (SELECT 1 FROM incoming new WHERE new.key = old.key)))",
            {"number": number, "dataset": dataset.pk, "replace": replace},
        )
        cursor.execute(
            "INSERT INTO datasets_item (dataset_id, key, added_in, digest, media_type, size, width, height, label, split, data)"
            " SELECT %(dataset)s, key, %(number)s, digest, media_type, size, width, height, label, split, data FROM incoming new"
            " WHERE NOT EXISTS (SELECT 1 FROM datasets_item old"
            " WHERE old.dataset_id = %(dataset)s AND old.removed_in IS NULL AND old.key = new.key)"
            " ORDER BY n",
            {"number": number, "dataset": dataset.pk},
        )
        cursor.execute("DROP TABLE incoming")


def items_of(dataset: Dataset, number: int, fields: tuple[str, ...]) -> Iterator[list[tuple[Any, ...]]]:
    """The items of a version in their order, in batches; read by key, not by offset."""
    last = 0
    names = ", ".join(FROM_DATA.get(field, field) for field in fields)
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                f"SELECT id, {names} FROM datasets_item WHERE dataset_id = %s AND id > %s AND added_in <= %s"  # noqa: S608 - names of ours
                " AND (removed_in IS NULL OR removed_in > %s) ORDER BY id LIMIT %s",
                [dataset.pk, last, number, number, BATCH],
            )
            rows = cursor.fetchall()
            if not rows:
                return
            last = rows[-1][0]
            yield [row[1:] for row in rows]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A version's items as one Parquet file."""

    kind: str
    stored: Stored
    count: int
    bytes: int
    columns: list[dict[str, Any]]
    label_column: str | None
    labels: list[str]

    def artifact(self) -> Frozen:
        metadata: dict[str, Any] = {"count": self.count, "labels": self.labels}
        if self.kind == "Table":
            metadata = {
                "rows": self.count,
                "columns": [{"name": c["name"], "type": c["type"]} for c in self.columns],
                "label_column": self.label_column,
            }
            if "media_type" in {c["name"] for c in self.columns}:
                metadata |= {"names_files": True, "labels": self.labels}
        return Frozen(kind=self.kind, stored=self.stored, metadata=metadata)


def write_manifest(dataset: Dataset, number: int, work: Path) -> Manifest:
    """From the rows in PostgreSQL, which are the truth for items. Images, sounds, videos, PDFs: their digests; texts: the texts
    themselves. All but images are a table."""
    import pyarrow as pa

    images = dataset.modality == "images"
    texts = dataset.modality == "text"
    columns = IMAGE_COLUMNS if images else TEXT_COLUMNS if texts else FILE_COLUMNS
    if Item.objects.filter(dataset=dataset, removed_in=None, data__has_key="annotations").exists():
        columns = [*columns, ANNOTATIONS]
    kinds = {"width": pa.int32(), "height": pa.int32(), "size": pa.int64(), "duration": pa.float64()}
    schema = pa.schema([(c["name"], kinds.get(str(c["name"]), pa.string())) for c in columns])
    names = ["digest" if n == "text" else n for n in schema.names]
    labels: set[str] = set()
    total = 0
    path = work / "manifest.parquet"
    with Writer(path, schema, columns=columns, label_column="label") as writer:
        for rows in items_of(dataset, number, tuple(names)):
            lists = [list(column) for column in zip(*rows, strict=True)]
            labels.update(v for v in lists[names.index("label")] if v is not None)
            total += sum(lists[names.index("size")])
            if not texts:
                writer.write(pa.RecordBatch.from_arrays([pa.array(v, f.type) for v, f in zip(lists, schema, strict=True)], schema=schema))
                continue
            for start in range(0, len(rows), 500):  # texts are read a few at a time
                part = [v[start : start + 500] for v in lists]
                part[schema.names.index("text")] = [_text(store().read(d)) for d in part[schema.names.index("digest")]]
                writer.write(pa.RecordBatch.from_arrays([pa.array(v, f.type) for v, f in zip(part, schema, strict=True)], schema=schema))
        count = writer.rows
    return Manifest(
        kind="Images" if images else "Table",
        stored=store().put_file(path, consume=True),
        count=count,
        bytes=total,
        columns=columns,
        label_column="label" if labels else None,
        labels=sorted(labels),
    )


def _text(data: bytes) -> str:
    return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
