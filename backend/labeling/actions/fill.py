"""Filling a queue from a data set's newest frozen version, in the worker: one statement, however many items.

What is in the queue already stays with all that was said of it; what the version no longer holds is `removed`, and comes back if it does.
A row of a table is known by a digest of its values (and by its place among equal rows), so that rows may move between versions; where
the table says which column is its key, by that. What waits for its first version (`pending`) is not taken out.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from backend.artifacts import tables
from backend.datasets.locks import only_one
from backend.datasets.models import DatasetVersion
from backend.labeling.actions.announce import queue_filled, schema_changed
from backend.labeling.actions.order import LAST
from backend.labeling.actions.schemas import newest_frozen
from backend.labeling.errors import NoFrozenVersion
from backend.labeling.models import LabelSchema
from backend.labeling.queries.items import wording
from backend.labeling.queries.schemas import newest_version
from backend.labeling.rows import table_rows
from workers.sdk.labels.config import LabelConfig
from workers.sdk.labels.shown import ROW

INCOMING = (
    "CREATE TEMP TABLE incoming (position bigint GENERATED ALWAYS AS IDENTITY, key text, digest text, media_type"
    " text, width int, height int,"
    " data jsonb) ON COMMIT DROP"
)


def fill(schema_id: UUID) -> None:
    """Safe to call again and at once from several workers."""
    with only_one(f"fill:{schema_id}") as mine:
        schema = (
            LabelSchema.objects.select_related("dataset", "project").filter(pk=schema_id, fill_status__in=["queued", "running"]).first()
        )
        if not mine or schema is None:
            return
        LabelSchema.objects.filter(pk=schema_id).update(fill_status="running", announced_at=timezone.now())
        try:
            version = newest_frozen(schema.dataset)
        except NoFrozenVersion as e:
            if not schema.dataset.versions.exists():  # its items come one by one, before their first version
                LabelSchema.objects.filter(pk=schema_id).update(fill_status="ready", fill_message="")
                return
            LabelSchema.objects.filter(pk=schema_id).update(fill_status="failed", fill_message=str(e)[:500])
            return
        with transaction.atomic():
            fill_with(schema, version)


def fill_with(schema: LabelSchema, version: DatasetVersion) -> None:
    """Bring a queue to a frozen version, in the caller's transaction: whoever makes the version there knows its items at once."""
    row = LabelSchema.objects.select_for_update(of=("self",), no_key=True).get(pk=schema.pk)  # submissions go on meanwhile
    with connection.cursor() as cursor:
        cursor.execute(INCOMING)
        _incoming(cursor, schema, version)
        _take_in(cursor, row, keyed=schema.dataset.modality != "table" or tables.key_column(version.data) is not None)
    row.filled, row.fill_status, row.fill_message = version.number, "ready", ""
    row.save(update_fields=["filled", "fill_status", "fill_message", "updated_at"])
    queue_filled.send(LabelSchema, schema=row)
    schema_changed(row)


def _incoming(cursor: Any, schema: LabelSchema, version: DatasetVersion) -> None:
    if schema.dataset.modality == "table":
        variables = shown_columns(wording(newest_version(schema)), [c["name"] for c in version.columns])
        with cursor.copy("COPY incoming (key, digest, media_type, data) FROM STDIN") as copy:
            # What people judge, or mark, is the whole text.
            texts = {c["name"] for c in version.columns if c["type"] in ("text", "category")}
            for key, digest, data in table_rows(version.data, variables, texts.intersection(variables)):
                copy.write_row([key, digest, "application/json", json.dumps(data)])
        return
    cursor.execute(
        "INSERT INTO incoming (key, digest, media_type, width, height, data) SELECT key, digest, media_type, width, height,"
        " CASE WHEN media_type ~ '^(audio|video)/' THEN data - 'annotations' ELSE '{}' END"
        " FROM datasets_item WHERE dataset_id = %(dataset)s AND added_in <= %(number)s AND (removed_in IS NULL OR removed_in > %(number)s)"
        " ORDER BY id",
        {"dataset": schema.dataset_id, "number": version.number},
    )


def shown_columns(config: LabelConfig, columns: list[str]) -> list[str]:
    """The columns that a wording shows: for a whole row all of them but what the row was labelled with already."""
    if ROW in columns or not any(o.tag == "Table" and o.value == ROW for o in config.objects):
        return sorted(config.variables)
    return [name for name in columns if config.control(name) is None and not name.startswith("labelled_")]


def _take_in(cursor: Any, schema: LabelSchema, *, keyed: bool) -> None:
    """Of rows that are known by a key the queue keeps all that it knows, also what the wording does not show."""
    cursor.execute("CREATE INDEX ON incoming (digest, key)")
    cursor.execute("ANALYZE incoming")
    cursor.execute(
        "UPDATE labeling_queueitem q SET removed = true WHERE q.schema_id = %s AND NOT q.removed AND NOT q.pending AND NOT EXISTS ("
        " SELECT 1 FROM incoming i WHERE i.key = q.key AND i.digest = q.digest)",
        [schema.pk],
    )
    cursor.execute(
        "INSERT INTO labeling_queueitem AS q (schema_id, key, digest, media_type, width, height, data, position,"
        " rank, wanted, free, done, removed)"
        " SELECT %(schema)s, i.key, i.digest, i.media_type, i.width, i.height, i.data, i.position,"
        "  CASE %(order)s WHEN 'random' THEN random() WHEN 'sequential' THEN i.position ELSE %(last)s + i.position END,"
        "  %(overlap)s, %(overlap)s, 0, false FROM incoming i ORDER BY i.position"
        " ON CONFLICT (schema_id, key, digest) DO UPDATE SET position = excluded.position,"
        "  data = CASE WHEN %(keyed)s THEN excluded.data || q.data ELSE excluded.data END, removed = false, pending = false,"
        "  rank = CASE WHEN %(sequential)s THEN excluded.position ELSE q.rank END"
        " WHERE (q.position, q.data, q.removed, q.pending) IS DISTINCT FROM (excluded.position, excluded.data, false, false)",
        {
            "schema": schema.pk, "overlap": schema.overlap, "order": schema.order, "last": LAST, "sequential": schema.order == "sequential",
            "keyed": keyed,
        },
    )  # fmt: skip
    cursor.execute("DROP TABLE incoming")
