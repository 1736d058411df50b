"""Imported tasks become a frozen version of their data set, in the worker, once a script has stopped sending them.

Of rows, the version is a table whose key column is the number of the task: a task whose data a script changes keeps its annotations
(decision 19). Other columns are the fields of the tasks' data.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from backend.artifacts.storage import store
from backend.core.actions import audit
from backend.datasets.actions.announce import PROFILE, dataset_changed
from backend.datasets.actions.announce import announce as announce_dataset
from backend.datasets.actions.items import change_items, write_manifest
from backend.datasets.actions.relabelling import first_or_next
from backend.datasets.locks import only_one
from backend.datasets.models import Dataset, DatasetVersion
from backend.datasets.reading.parquet import Writer
from backend.labeling.actions.announce import FILL, schema_changed
from backend.labeling.models import LabelSchema, QueueItem
from backend.labelstudio.actions.importing import QUIET
from backend.labelstudio.models import Counterpart

BATCH = 5_000
LONGEST = timedelta(minutes=5)
"""A script that never stops sending gets a version this often."""
NOTE = "Tasks imported over Label Studio's API"
WIDEST = 2**63
OF_A_FILE = ("duration", "channels", "sample_rate", "frame_rate", "codec")
"""What is known of a sound or a video by its bytes."""


def freeze_tasks(counterpart_id: int, *, at_once: bool = False) -> None:
    """Safe to call again and at once from several workers. Not before nothing came for a while, unless `at_once`."""
    with only_one(f"tasks:{counterpart_id}") as mine:
        found = Counterpart.objects.select_related("schema__dataset__project", "schema__project", "schema__created_by").filter(
            pk=counterpart_id
        ).first()  # fmt: skip
        if not mine or found is None or found.touched_at is None or (found.frozen_at is not None and found.frozen_at >= found.touched_at):
            return
        now = timezone.now()
        quiet = now - found.touched_at >= timedelta(seconds=QUIET * 0.9)
        if not at_once and not quiet and (found.frozen_at is None or now - found.frozen_at < LONGEST):
            return  # the last import has a message of its own on its way
        base = settings.DATA_DIR / "uploads"
        base.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix="tasks-", dir=base))
        try:
            _freeze(found, work)
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _freeze(counterpart: Counterpart, work: Path) -> None:
    schema, seen = counterpart.schema, counterpart.touched_at
    newest = QueueItem.objects.filter(schema=schema).aggregate(n=Max("pk"))["n"] or 0
    rows = QueueItem.objects.filter(schema=schema, removed=False, pk__lte=newest)
    if not counterpart.owned:  # to what was uploaded comes what is new
        rows = rows.filter(pending=True)
    if not rows.exists():
        Counterpart.objects.filter(pk=counterpart.pk).update(frozen_at=seen)
        return
    version = _table(schema, rows, work) if schema.dataset.modality == "table" else _files(counterpart, rows, work)
    with transaction.atomic():
        rows.filter(pending=True).update(pending=False)
        Counterpart.objects.filter(pk=counterpart.pk).update(frozen_at=seen)
        if counterpart.owned:
            LabelSchema.objects.filter(pk=schema.pk).update(filled=version.number, fill_status="ready", fill_message="")
        else:  # the queue may have been behind the data set
            LabelSchema.objects.filter(pk=schema.pk).update(fill_status="queued", announced_at=timezone.now())
            announce_dataset(FILL, schema.pk)
        schema_changed(schema)


def _batches(rows: Any) -> Iterator[list[tuple[int, dict[str, Any]]]]:
    last = 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", "data")[:BATCH]):
        last = batch[-1][0]
        yield batch


def _table(schema: LabelSchema, rows: Any, work: Path) -> DatasetVersion:
    import pyarrow as pa

    kinds: dict[str, str] = {}
    for batch in _batches(rows):
        for _, data in batch:
            for name, value in data.items():
                kinds[name] = _wider(kinds.get(name), _kind(value))
    key = "task"
    while key in kinds:
        key += "_"
    arrow = {"integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}
    kinds = {name: "text" if kind == "" else kind for name, kind in kinds.items()}
    columns: list[dict[str, Any]] = [{"name": key, "type": "integer", "nullable": False, "key": True}]
    columns += [{"name": name, "type": kind, "nullable": True} for name, kind in kinds.items()]
    types = pa.schema([(key, pa.int64()), *((name, arrow.get(kind, pa.string())) for name, kind in kinds.items())])
    path = work / "tasks.parquet"
    with Writer(path, types, columns=columns) as writer:
        for batch in _batches(rows):
            cells: dict[str, list[Any]] = {key: [id_ for id_, _ in batch]}
            for name, kind in kinds.items():
                cells[name] = [_cell(data.get(name), kind) for _, data in batch]
            writer.write(pa.table(cells, schema=types))
        count = writer.rows
    stored = store().put_file(path, consume=True)
    with transaction.atomic():
        return first_or_next(schema.dataset, schema.created_by, stored, count, columns, NOTE)


def _kind(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer" if -WIDEST <= value < WIDEST else "json"
    return "number" if isinstance(value, float) else "text" if isinstance(value, str) else "json"


def _wider(one: str | None, other: str) -> str:
    """A kind that holds values of both."""
    if not one or not other or one == other:
        return one or other
    return "number" if {one, other} == {"integer", "number"} else "json"


def _cell(value: Any, kind: str) -> Any:
    if value is None:
        return None
    return json.dumps(value, ensure_ascii=False) if kind == "json" else float(value) if kind == "number" else value


def _files(counterpart: Counterpart, rows: Any, work: Path) -> DatasetVersion:
    schema, spool, keeper = counterpart.schema, work / "items.jsonl", store()
    with spool.open("w", encoding="utf-8") as out:
        for item in rows.order_by("pk").iterator(chunk_size=BATCH):
            known = {name: item.data[name] for name in OF_A_FILE if name in item.data}
            line = [item.key, item.digest, item.media_type, keeper.size(item.digest), item.width, item.height, None, None, known]
            out.write(json.dumps(line) + "\n")
    with transaction.atomic():
        dataset = Dataset.objects.select_for_update(of=("self",)).select_related("project").get(pk=schema.dataset_id)
        number = (dataset.versions.aggregate(n=Max("number"))["n"] or 0) + 1
        version = DatasetVersion(dataset=dataset, number=number, created_by=schema.created_by, note=NOTE)
        change_items(dataset, number, spool, replace=counterpart.owned)
        manifest = write_manifest(dataset, number, work)
        version.columns, version.label_column = manifest.columns, manifest.label_column
        version.item_count, version.size = manifest.count, manifest.bytes
        frozen = manifest.artifact()
        frozen.apply(version)
        version.save()
        frozen.link(version)
        audit.record(
            schema.created_by, "dataset.version", ("dataset_version", version.pk, f"{dataset.slug}@{number}"), project=dataset.project
        )
        announce_dataset(PROFILE, version.pk)
        dataset_changed(dataset.project, dataset.slug)
    return version
