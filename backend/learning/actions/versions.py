"""What a model learns from: labelled items, and nothing else of the data, as a version of the loop's own data set.

Of its own, because a version of the labelled data set that lacks items would take them out of the queue.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from backend.artifacts import tables
from backend.artifacts.actions import link
from backend.artifacts.storage import store
from backend.core.queries.slugs import unique_slug
from backend.datasets.actions.items import items_of
from backend.datasets.actions.relabelling import first_or_next, items_first_or_next
from backend.datasets.models import Dataset, DatasetVersion
from backend.datasets.reading.items import FIELDS
from backend.datasets.reading.parquet import Writer
from backend.labeling.actions.schemas import newest_frozen
from backend.labeling.models import LabelSchema, QueueItem
from backend.labeling.queries.schemas import newest_version
from backend.labeling.rows import table_rows
from backend.learning.models import Loop
from backend.learning.queries import MEASURES
from workers.sdk.labels import boxes, spans

NOT_DATA = ("labelled_by", "labelled_at", "labelled_how", "labelled_support")
"""Columns of a labelled version that tell about labels: nothing to learn from."""
Said = dict[tuple[str, str], Any]
"""{(key, digest): choice}; of boxes the regions of the question, which may be none; of spans their list as JSON."""


def answers(control: str, items: list[tuple[str, str, list[dict[str, Any]]]]) -> Said:
    """{(key, digest): choice} of those whose ground truth answers the question."""
    found = {}
    for key, digest, result in items:
        said = [r["value"]["choices"] for r in result if r.get("from_name") == control and r.get("type") == "choices"]
        if said and len(said[0]) == 1:
            found[key, digest] = said[0][0]
    return found


def boxes_in(control: str, items: list[tuple[str, str, list[dict[str, Any]]]]) -> Said:
    """{(key, digest): regions}; no box is an answer too."""
    return {(key, digest): [r for r in result if r.get("from_name") == control] for key, digest, result in items}


def marked(control: str, items: list[tuple[str, str, list[dict[str, Any]]]]) -> Said:
    """{(key, digest): spans} of all: who found none has said so."""
    return {(key, digest): json.dumps(spans.values(control, result), ensure_ascii=False) for key, digest, result in items}


def labels_of(loop: Loop, items: Any) -> Said:
    """Of a query set of queue items."""
    found = list(items.values_list("key", "digest", "truth__result"))
    if loop.measure == MEASURES[boxes.KIND]:
        return boxes_in(loop.control, found)
    return marked(loop.control, found) if _spans(loop) else answers(loop.control, found)


def _spans(loop: Loop) -> bool:
    return loop.measure == MEASURES[spans.KIND]


def nothing(loop: Loop, said: Said) -> str:
    """Why these labels teach nothing; empty where they do."""
    if loop.measure == MEASURES[boxes.KIND]:
        return "" if any(said.values()) else "Nobody has drawn a box yet: there is nothing to find."
    if _spans(loop):
        return "" if any(cell != "[]" for cell in said.values()) else "No span is labelled yet: there is nothing to learn from."
    return "" if len(set(said.values())) > 1 else "The labels are all the same: there is nothing to tell apart."


def regions(control: str, said: str) -> list[dict[str, Any]]:
    """Spans as JSON, as the regions of a result."""
    return [{"id": f"span-{n}", "from_name": control, "type": "labels", "value": value} for n, value in enumerate(json.loads(said))]


def freeze(loop: Loop, said: Said, note: str) -> DatasetVersion:
    schema = loop.schema
    base = newest_frozen(schema.dataset)
    with _workplace() as work:
        if schema.dataset.modality == "table":
            path, rows, columns = _table(base, loop.control, "json" if _spans(loop) else "category", said, work)
            stored = store().put_file(path, consume=True)
            with transaction.atomic():
                version = first_or_next(_dataset(loop), loop.started_by, stored, rows, columns, note, loop.control)
                _told(schema, base, version)
        else:
            spool = work / "items.jsonl"
            with spool.open("w", encoding="utf-8") as out:
                out.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in _items(loop, base, said))
            with transaction.atomic():
                version = items_first_or_next(_dataset(loop), loop.started_by, spool, work, note)
                _told(schema, base, version)
    return version


def _told(schema: LabelSchema, base: DatasetVersion, version: DatasetVersion) -> None:
    link(schema.project, [
        (("dataset_version", base.pk), ("dataset_version", version.pk), "labelled as"),
        (("label_schema_version", newest_version(schema, again=True).pk), ("dataset_version", version.pk), "wording of"),
    ])  # fmt: skip


def _dataset(loop: Loop) -> Dataset:
    if loop.dataset is None or loop.dataset.deleted_at is not None:
        schema, name = loop.schema, f"{loop.schema.name[:100]} · learning"
        loop.dataset = Dataset.objects.create(
            project=schema.project, name=name, slug=unique_slug(Dataset.objects.filter(project=schema.project), name, "learning"),
            modality=schema.dataset.modality, licence=schema.dataset.licence, source=schema.dataset.source, created_by=loop.started_by,
            description=f"What the models of the loop of “{schema.name}” learned from: a version for each round and each random draw.",
        )  # fmt: skip
        Loop.objects.filter(pk=loop.pk).update(dataset=loop.dataset)
    return loop.dataset


@contextmanager
def _workplace() -> Iterator[Path]:
    base = settings.DATA_DIR / "uploads"
    base.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="learning-", dir=base))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _items(loop: Loop, base: DatasetVersion, said: Said) -> Iterator[list[Any]]:
    """Lines of a spool."""
    classes, wording = loop.measure == "accuracy", {"label_schema": loop.schema.slug, "version": newest_version(loop.schema).number}
    key, digest, label, split, data = (FIELDS.index(name) for name in ("key", "digest", "label", "split", "data"))
    for rows in items_of(base.dataset, base.number, FIELDS):
        for row in rows:
            if (row[key], row[digest]) in said:
                line, found = list(row), said[row[key], row[digest]]
                line[label], line[split], line[data] = found if classes else None, None, {}
                if not classes:
                    result = regions(loop.control, found) if _spans(loop) else found
                    line[data] = {"annotations": {**wording, "result": result}}
                yield line


def _table(base: DatasetVersion, control: str, kind: str, said: Said, work: Path) -> tuple[Path, int, list[dict[str, Any]]]:
    import pyarrow as pa

    kept = [c for c in base.columns if c["name"] != control and c["name"] not in NOT_DATA]
    columns = [*kept, {"name": control, "type": kind, "nullable": False}]
    found = tables.schema(base.data)
    schema = pa.schema([*(found.field(c["name"]) for c in kept), (control, pa.string())])
    path = work / "labelled.parquet"
    known = table_rows(base.data, [])
    with Writer(path, schema, columns=columns, label_column=control) as writer:
        for batch in tables.batches(base.data):
            labels = [said.get((key, digest)) for key, digest, _ in (next(known) for _ in range(batch.num_rows))]
            part = pa.table([*(batch.column(c["name"]) for c in kept), pa.array(labels, pa.string())], schema=schema)
            writer.write(part.filter(pa.array([label is not None for label in labels])).combine_chunks())
        rows = writer.rows
    return path, rows, columns


def some(items: list[int]) -> Any:
    """A query set of these items."""
    return QueueItem.objects.filter(pk__in=items)


def manifest_of(digest: str) -> dict[str, Any]:
    """Of a model's folder in the store."""
    found: dict[str, Any] = json.loads((store().fetch_folder(digest) / "manifest.json").read_text(encoding="utf-8"))
    return found
