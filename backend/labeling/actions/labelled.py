"""Labels become data: a frozen version of the data set with the ground truth of a schema, who said it and when.

Of images and texts, a single choice is the item's label and the whole result lies in the column `annotations`. A table gets a column for
each control, and `labelled_by`, `labelled_at`, `labelled_how` and `labelled_support`. Items without a ground truth keep what they had.
The version that was labelled stays.
"""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import F
from django.utils import timezone

from backend.artifacts import tables
from backend.artifacts.actions import link
from backend.artifacts.storage import store
from backend.core.actions import audit
from backend.core.errors import HeadraceError
from backend.core.models import Project, User
from backend.datasets.actions.announce import announce
from backend.datasets.actions.items import items_of
from backend.datasets.actions.relabelling import items_version, table_version
from backend.datasets.locks import only_one
from backend.datasets.models import DatasetVersion
from backend.datasets.reading.items import FIELDS
from backend.datasets.reading.parquet import Writer
from backend.labeling.actions.announce import FREEZE, schema_changed
from backend.labeling.actions.schemas import newest_frozen
from backend.labeling.errors import NothingLabelled
from backend.labeling.models import LabelledVersion, LabelSchema
from backend.labeling.queries.items import wording
from backend.labeling.queries.schemas import find_schema, newest_version
from backend.labeling.rows import table_rows
from workers.sdk.labels.config import LabelConfig, LabelControl

log = logging.getLogger(__name__)
ATTEMPTS = 3
Truth = tuple[list[dict[str, Any]], str, str, str, float | None]
"""A result, its author (`model: …` of a suggestion that became a label, empty when it was fused), the moment, how it became the truth and
with which support."""
HOW = (
    "CASE WHEN EXISTS (SELECT 1 FROM labeling_review r WHERE r.annotation_id = a.id AND r.verdict = 'adjudicated') THEN 'adjudicated'"
    " WHEN a.how <> '' THEN a.how"
    " WHEN EXISTS (SELECT 1 FROM labeling_review r WHERE r.annotation_id = a.id AND r.verdict <> 'rejected') THEN 'reviewed'"
    " WHEN q.wanted > 1 THEN 'agree' ELSE 'single' END"
)


def freeze_labels(request: Any, project: Project, user: User, slug: str, note: str) -> LabelledVersion:
    """Hand it to a worker."""
    with transaction.atomic():
        schema = find_schema(project, slug, lock=True)
        if not schema.items.filter(removed=False, truth__isnull=False).exists():
            raise NothingLabelled()
        newest_frozen(schema.dataset)
        made = LabelledVersion.objects.create(schema=schema, schema_version_id=newest_version(schema).pk, note=note, created_by=user)
        audit.record(request, "label_schema.freeze", ("label_schema", schema.pk, schema.slug))
        announce(FREEZE, made.pk)
        schema_changed(schema)
    return made


def run_labelled(id_: UUID) -> None:
    """In the worker. Safe to call again and at once from several workers."""
    with only_one(f"labelled:{id_}") as mine:
        made = (
            LabelledVersion.objects.select_related("schema__dataset__project", "schema__project", "schema_version", "created_by")
            .filter(pk=id_, status__in=["queued", "running"])
            .first()
        )
        if not mine or made is None:
            return
        LabelledVersion.objects.filter(pk=id_).update(status="running", attempts=F("attempts") + 1, announced_at=timezone.now())
        if made.attempts >= ATTEMPTS:
            _over(made, "failed", f"It ended the worker {ATTEMPTS} times; the studio's log says why.")
            return
        base = settings.DATA_DIR / "uploads"
        base.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix="labels-", dir=base))
        try:
            _make(made, work)
        except HeadraceError as e:
            _over(made, "failed", f"{e} {e.hint}".strip())
        except OperationalError:
            raise  # the database is away: it waits
        except Exception:
            log.exception("labels of %s could not be frozen", made.schema.slug)
            _over(made, "failed", "An error of the studio itself stopped it; its log says which.")
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _over(made: LabelledVersion, status: str, message: str) -> None:
    with transaction.atomic():
        LabelledVersion.objects.filter(pk=made.pk).update(status=status, message=message[:500])
        schema_changed(made.schema)


def _make(made: LabelledVersion, work: Path) -> None:
    schema = made.schema
    config, base = wording(made.schema_version), newest_frozen(schema.dataset)
    truths = _truths(schema)
    if schema.dataset.modality == "table":
        path, rows, columns, label = _table(base, config, truths, work)
        stored = store().put_file(path, consume=True)
        keep: Callable[[], DatasetVersion] = partial(table_version, base, made.created_by, stored, rows, columns, label, made.note)
    else:
        spool = work / "items.jsonl"
        with spool.open("w", encoding="utf-8") as out:
            for line in _items(made, base, config, truths):
                out.write(json.dumps(line, ensure_ascii=False) + "\n")
        keep = partial(items_version, base, made.created_by, spool, work, made.note)
    with transaction.atomic():
        version = keep()
        link(schema.project, [
            (("dataset_version", base.pk), ("dataset_version", version.pk), "labelled as"),
            (("label_schema_version", made.schema_version_id), ("dataset_version", version.pk), "wording of"),
        ])  # fmt: skip
        LabelledVersion.objects.filter(pk=made.pk).update(
            version=version, status="ready", items=len(truths), message=f"{len(truths):,} labelled items"
        )
        schema_changed(schema)


def _truths(schema: LabelSchema) -> dict[tuple[str, str], Truth]:
    """{(key, digest): ground truth} of a queue."""
    found: dict[tuple[str, str], Truth] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT q.key, q.digest, a.result::text,"  # noqa: S608 - text of ours
            f" coalesce('model: ' || l.model_version, nullif(u.name, ''), u.email, ''), a.updated_at, {HOW}, a.support"
            " FROM labeling_queueitem q"
            " JOIN labeling_annotation a ON a.id = q.truth_id LEFT JOIN core_user u ON u.id = a.author_id"
            " LEFT JOIN labeling_autolabel l ON l.annotation_id = a.id WHERE"
            " q.schema_id = %s AND NOT q.removed",
            [schema.pk],
        )
        for key, digest, result, by, at, how, support in cursor:
            found[key, digest] = (json.loads(result), by, at.isoformat(), how, support)
    return found


def _items(made: LabelledVersion, base: DatasetVersion, config: LabelConfig, truths: dict[tuple[str, str], Truth]) -> Iterator[list[Any]]:
    """Lines of a spool: the items of `base`, labelled."""
    control = _class(config)
    key, digest, label, data = (FIELDS.index(name) for name in ("key", "digest", "label", "data"))
    for rows in items_of(base.dataset, base.number, FIELDS):
        for row in rows:
            line = list(row)
            line[data] = json.loads(line[data]) if isinstance(line[data], str) else line[data]
            truth = truths.get((line[key], line[digest]))
            if truth is not None:
                result, by, at, how, support = truth
                if control is not None:
                    line[label] = _answer(control, result)
                said = {
                    "label_schema": made.schema.slug, "version": made.schema_version.number, "result": result, "by": by, "at": at,
                    "how": how, "support": support,
                }  # fmt: skip
                line[data] = {**line[data], "annotations": said}
            yield line


def _class(config: LabelConfig) -> LabelControl | None:
    """The control whose answer is an item's label: the first single choice about the whole item."""
    return next((c for c in config.controls if c.type == "choices" and not c.multiple and not c.per_region), None)


def _answer(control: LabelControl, result: list[dict[str, Any]]) -> Any:
    """What a result says to a control, as a cell: a text, a number, or JSON for several choices and for regions; None when nothing."""
    said = [r for r in result if r.get("from_name") == control.name]
    if not said:
        return None
    value = said[0]["value"]
    if control.makes_regions or control.per_region:
        return json.dumps([{"id": r["id"], **r["value"]} for r in said], ensure_ascii=False)
    if control.type == "pairwise":
        return value["selected"]
    if control.type == "ranker":
        return json.dumps(value["ranker"], ensure_ascii=False)
    if control.type == "choices":
        return json.dumps(value["choices"], ensure_ascii=False) if control.multiple else value["choices"][0]
    return "\n".join(value["text"]) if control.type == "textarea" else value[control.type]


def _table(
    base: DatasetVersion, config: LabelConfig, truths: dict[tuple[str, str], Truth], work: Path
) -> tuple[Path, int, list[dict[str, Any]], str | None]:
    """(The Parquet file, its rows, its columns, the column with the label)."""
    import pyarrow as pa

    kinds: dict[str, tuple[Any, str]] = {
        "labelled_by": (pa.string(), "category"), "labelled_at": (pa.string(), "text"), "labelled_how": (pa.string(), "category"),
        "labelled_support": (pa.float64(), "number"),
    }  # fmt: skip
    controls = {c.name: c for c in config.controls}
    for c in config.controls:
        several = c.makes_regions or c.per_region or c.multiple or c.type == "ranker"
        kinds[c.name] = (
            (pa.string(), "json") if several
            else (pa.float64(), "number") if c.type in ("rating", "number")
            else (pa.string(), "category" if c.type in ("choices", "pairwise") else "text")
        )  # fmt: skip
    old = [c for c in base.columns if c["name"] not in kinds]
    columns = [*old, *({"name": name, "type": kind, "nullable": True} for name, (_, kind) in kinds.items())]
    found = tables.schema(base.data)
    schema = pa.schema([*(found.field(c["name"]) for c in old), *((name, kind) for name, (kind, _) in kinds.items())])
    class_ = _class(config)
    label = class_.name if class_ else base.label_column
    path = work / "labelled.parquet"
    rows = table_rows(base.data, [])
    with Writer(path, schema, columns=columns, label_column=label) as writer:
        for batch in tables.batches(base.data):
            said = [truths.get((key, digest)) for key, digest, _ in (next(rows) for _ in range(batch.num_rows))]
            cells: dict[str, list[Any]] = {
                "labelled_by": [t[1] if t else None for t in said], "labelled_at": [t[2] if t else None for t in said],
                "labelled_how": [t[3] if t else None for t in said], "labelled_support": [t[4] if t else None for t in said],
                **{name: [_answer(c, t[0]) if t else None for t in said] for name, c in controls.items()},
            }  # fmt: skip
            arrays = [_plain(batch.column(c["name"])) for c in old] + [pa.array(cells[name], kind) for name, (kind, _) in kinds.items()]
            writer.write(pa.table(arrays, schema=schema))
        count = writer.rows
    return path, count, columns, label


def _plain(column: Any) -> Any:
    return column.combine_chunks() if hasattr(column, "combine_chunks") else column
