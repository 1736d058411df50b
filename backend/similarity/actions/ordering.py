"""Queues that begin with what differs most (“diverse”), or with the highest or lowest number (“value”); made in the worker."""

from __future__ import annotations

import json
import logging
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.models import F
from django.utils import timezone

from backend.core.actions import audit
from backend.core.errors import HeadraceError, InvalidInput
from backend.datasets.actions.announce import announce
from backend.datasets.locks import only_one
from backend.labeling.actions import order
from backend.labeling.actions.announce import schema_changed
from backend.labeling.actions.schemas import newest_frozen, set_schema
from backend.labeling.models import Cursor, LabelSchema
from backend.labeling.rows import table_rows
from backend.similarity.actions.announce import ARRANGE, ATTEMPTS, BROKEN, GAVE_UP
from backend.similarity.errors import CannotCompute, NotComputed
from backend.similarity.models import Arranging, Space, ValueOrder
from backend.similarity.queries.orders import OF_PICTURES, OURS, columns_of
from backend.similarity.queries.spaces import newest_ready

log = logging.getLogger(__name__)


def set_order(request: Any, schema: LabelSchema, chosen: str, column: str | None, descending: bool) -> None:
    """Any of the orders; `column` of “value” alone."""
    if (column is not None) != (chosen == "value"):
        raise InvalidInput(message="The order “value” names a column, and no other does.", field="column")
    with transaction.atomic():
        if column is not None:
            known = columns_of(schema)
            if column not in known:
                hint = "Columns of numbers: " + ", ".join(known[:20]) if known else "Its data has no column of numbers."
                raise InvalidInput(message=f"There is no column of numbers “{column}”.", field="column", hint=hint)
            before = ValueOrder.objects.filter(schema=schema).values_list("column", "descending").first()
            ValueOrder.objects.update_or_create(schema=schema, defaults={"column": column, "descending": descending})
            if schema.order == "value" and before != (column, descending):
                wanted(schema)
                audit.record(
                    request,
                    "label_schema.set",
                    ("label_schema", schema.pk, schema.slug),
                    before,
                    [column, descending],
                    project=schema.project,
                )
        set_schema(request, schema.project, schema.slug, {"order": chosen})


def wanted(schema: LabelSchema) -> None:
    """A schema is to have one of our orders: refused where it cannot, else the worker makes it. The caller is in a transaction."""
    if schema.order == "diverse" and newest_ready(schema.dataset) is None:
        raise NotComputed(field="order", hint="They are computed on the tab “Explore” of the label schema.")
    if schema.order == "value" and not ValueOrder.objects.filter(schema=schema).exists():
        raise InvalidInput(message="Say by which column.", field="order", hint="PUT …/label-schemas/{label_schema}/order names it.")
    _soon(schema)


def _soon(schema: LabelSchema) -> None:
    told = {"status": "queued", "message": "", "attempts": 0, "announced_at": timezone.now()}
    Arranging.objects.update_or_create(schema=schema, defaults=told)
    announce(ARRANGE, schema.pk)


def when_filled(sender: Any, schema: LabelSchema, **_: Any) -> None:
    if schema.order in OURS:
        _soon(schema)


def space_ready(space: Space) -> None:
    for schema in LabelSchema.objects.filter(dataset=space.dataset_id, order="diverse", deleted_at=None):
        _soon(schema)


def arrange(schema_id: UUID) -> None:
    """In the worker. Safe to call again and at once from several workers."""
    with only_one(f"arrange:{schema_id}") as mine:
        rows = Arranging.objects.filter(pk=schema_id, status__in=["queued", "running"])
        job = rows.select_related("schema__dataset", "schema__project").first()
        if not mine or job is None:
            return
        rows.update(status="running", attempts=F("attempts") + 1, announced_at=timezone.now())
        try:
            if job.attempts >= ATTEMPTS:
                raise CannotCompute(why=GAVE_UP)
            _arrange(job.schema)
            rows.filter(status="running").update(status="ready", message="")
        except OperationalError:
            raise  # the database is away: it waits
        except HeadraceError as error:
            rows.update(status="failed", message=str(error)[:500])
        except Exception:
            log.exception("the queue of %s could not be arranged", job.schema.slug)
            rows.update(status="failed", message=BROKEN)
        schema_changed(job.schema)


def _arrange(schema: LabelSchema) -> None:
    if schema.order not in OURS:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE ranked (key text, digest text, rank float8) ON COMMIT DROP")
        if schema.order == "diverse":
            _diverse(cursor, schema)
        else:
            _by_value(cursor, schema)
        cursor.execute("CREATE INDEX ON ranked (digest, key)")
        cursor.execute("ANALYZE ranked")
        cursor.execute(
            "WITH held AS (SELECT id FROM labeling_queueitem WHERE schema_id = %(schema)s ORDER BY id FOR NO KEY UPDATE)"
            " UPDATE labeling_queueitem q SET rank = coalesce((SELECT r.rank FROM ranked r WHERE r.digest = q.digest"
            "  AND (r.key = q.key OR r.key IS NULL) LIMIT 1), %(last)s + q.position) FROM held WHERE q.id = held.id",
            {"schema": schema.pk, "last": order.LAST},
        )
        order.hold(schema)
        Cursor.objects.filter(schema=schema).delete()
        cursor.execute("DROP TABLE ranked")


def _diverse(cursor: Any, schema: LabelSchema) -> None:
    space = newest_ready(schema.dataset)
    if space is None:
        raise NotComputed
    cursor.execute(
        "INSERT INTO ranked SELECT NULL, digest, place FROM similarity_vector WHERE space_id = %s AND present AND place IS NOT NULL",
        [space.pk],
    )


def _by_value(cursor: Any, schema: LabelSchema) -> None:
    by = ValueOrder.objects.filter(schema=schema).first()
    if by is None:
        raise CannotCompute(why="Nobody has said by which number.")
    version = newest_frozen(schema.dataset)
    cursor.execute("CREATE TEMP TABLE valued (key text, digest text, value float8) ON COMMIT DROP")
    if schema.dataset.modality == "table":
        if by.column not in [c["name"] for c in version.columns]:
            raise CannotCompute(why=f"The data has no column “{by.column}” any more.")
        with cursor.copy("COPY valued FROM STDIN") as copy:
            for key, digest, data in table_rows(version.data, [by.column]):
                value = data[by.column]
                if isinstance(value, int | float) and not isinstance(value, bool):
                    copy.write_row([key, digest, json.dumps(value)])
    else:
        assert by.column in OF_PICTURES
        cursor.execute(
            f"INSERT INTO valued SELECT key, digest, {by.column} FROM datasets_item WHERE dataset_id = %s AND added_in <= %s"  # noqa: S608 - one of three names
            f" AND (removed_in IS NULL OR removed_in > %s) AND {by.column} IS NOT NULL",
            [schema.dataset_id, version.number, version.number],
        )
    way = "DESC" if by.descending else "ASC"
    cursor.execute(f"INSERT INTO ranked SELECT key, digest, row_number() OVER (ORDER BY value {way}, digest, key) FROM valued")  # noqa: S608 - one of two words
    cursor.execute("DROP TABLE valued")
