"""Taking a file of labels in, in the worker: every annotation is matched with its item and checked against the schema; what fits is written
in one transaction, or, to be checked, only counted. The same file again finds everything unchanged.

An imported annotation takes a place of its item, as a submission does, and is reviewed and settled as one.
"""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.models import F
from django.utils import timezone

from backend.core.actions import audit
from backend.core.errors import HeadraceError
from backend.core.ids import new_id
from backend.datasets.locks import only_one
from backend.datasets.reading.problems import ReadFailed
from backend.labeling.actions import truth
from backend.labeling.actions.announce import schema_changed
from backend.labeling.actions.exports import find_format
from backend.labeling.actions.imports import bytes_of, discard
from backend.labeling.actions.opened import opened
from backend.labeling.errors import FileGone, NewerSchema
from backend.labeling.models import LabelImport, QueueItem
from backend.labeling.queries.items import shown_data
from backend.labeling.queries.matching import NotMatched, matched
from backend.labeling.queries.schemas import Newest, newest_version
from workers.sdk.labels.config import LabelConfig
from workers.sdk.labels.results import Misfit, check
from workers.sdk.labels.strict_json import unkeepable
from workers.sdk.labels.travel import BadFile, Found, Target

log = logging.getLogger(__name__)
ATTEMPTS = 3
BATCH = 500
SHOWN = 50
"""Problems that are told one by one."""
REASONS = {
    "accepted": "a reviewer has accepted your annotation of it, which stays",
    "assigned": "it is assigned to other people",
    "seen": "you have reviewed another's annotation of it",
    "full": "as many people as wanted have labelled it",
}
SAID = "CREATE TEMP TABLE said (item bigint PRIMARY KEY, place text, id uuid, result jsonb, review boolean) ON COMMIT DROP"
OUTCOMES = """
CREATE TEMP TABLE outcome ON COMMIT DROP AS SELECT s.item, s.place, q.key, l.id IS NOT NULL AS leased, CASE
  WHEN a.id IS NOT NULL AND a.result = s.result THEN 'unchanged'
  WHEN a.status = 'accepted' THEN 'accepted'
  WHEN a.id IS NOT NULL THEN 'changed'
  WHEN q.assignment_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM labeling_assignment_people p WHERE p.assignment_id = q.assignment_id AND p.user_id = %(user)s) THEN 'assigned'
  WHEN labeling_saw(q.id, %(user)s) THEN 'seen'
  WHEN l.id IS NULL AND q.free <= 0 THEN 'full'
  ELSE 'new' END AS what
FROM said s JOIN labeling_queueitem q ON q.id = s.item LEFT JOIN labeling_annotation a ON a.item_id = q.id AND a.author_id = %(user)s
LEFT JOIN labeling_lease l ON l.item_id = q.id AND l.user_id = %(user)s"""
WRITES = (
    "UPDATE labeling_annotation a SET result = s.result, schema_version_id = %(version)s, version = a.version + 1, status = 'submitted',"
    " to_review = a.to_review OR a.status = 'rejected', updated_at = clock_timestamp()"
    " FROM said s JOIN outcome o USING (item) WHERE o.what = 'changed' AND a.item_id = s.item AND a.author_id = %(user)s",
    "INSERT INTO labeling_annotation (id, item_id, schema_id, schema_version_id, author_id, result, seconds, status, to_review, version,"
    " created_at, updated_at) SELECT s.id, s.item, %(schema)s, %(version)s, %(user)s, s.result, 0, 'submitted', s.review, 1,"
    " clock_timestamp(), clock_timestamp() FROM said s JOIN outcome o USING (item) WHERE o.what = 'new'",
    "UPDATE labeling_queueitem q SET done = q.done + 1, free = q.free - CASE WHEN o.leased THEN 0 ELSE 1 END FROM outcome o"
    " WHERE o.what = 'new' AND q.id = o.item",
    *(
        f"DELETE FROM {table} t USING outcome o WHERE o.what IN ('new', 'changed') AND t.item_id = o.item AND t.user_id = %(user)s"  # noqa: S608 - names of ours
        for table in ("labeling_lease", "labeling_skip", "labeling_draft")
    ),
)
SETTLE = """
UPDATE labeling_queueitem q SET truth_id = CASE WHEN q.wanted = 1 AND NOT (a.to_review AND a.status = 'submitted') THEN a.id END
FROM outcome o, labeling_annotation a WHERE o.what IN ('new', 'changed') AND q.id = o.item AND a.item_id = q.id AND a.status <> 'rejected'
AND 1 = (SELECT count(*) FROM labeling_annotation b WHERE b.item_id = q.id AND b.status <> 'rejected')"""
SEVERAL = """
SELECT o.item FROM outcome o JOIN labeling_annotation a ON a.item_id = o.item AND a.status <> 'rejected'
WHERE o.what IN ('new', 'changed') GROUP BY o.item HAVING count(*) > 1 ORDER BY 1"""


def take_in(id_: UUID) -> None:
    """Safe to call again and at once from several workers."""
    with only_one(f"label-import:{id_}") as mine:
        row = (
            LabelImport.objects.select_related("schema__project", "schema__dataset", "created_by")
            .filter(pk=id_, status__in=["queued", "running"])
            .first()
        )
        if not mine or row is None:
            return
        LabelImport.objects.filter(pk=id_).update(status="running", attempts=F("attempts") + 1, announced_at=timezone.now())
        if row.attempts >= ATTEMPTS:
            _failed(row, f"It ended the worker {ATTEMPTS} times; the studio's log says why.")
            return
        try:
            _take_in(row)
        except BadFile as e:
            _failed(row, e.message, [{"field": e.where, "message": e.message, "expected": e.expected}])
        except ReadFailed as e:
            _failed(row, str(e), [dict(one) for one in e.problems])
        except HeadraceError as e:
            _failed(row, f"{e} {e.hint}".strip())
        except OperationalError:
            raise  # the database is away: it waits
        except Exception:
            log.exception("labels of %s could not be taken in", row.filename)
            _failed(row, "An error of the studio itself stopped it; its log says which.")


def _failed(row: LabelImport, message: str, problems: list[dict[str, Any]] | None = None) -> None:
    told = [{name: _printable(text) for name, text in one.items()} for one in problems or []]
    with transaction.atomic():
        LabelImport.objects.filter(pk=row.pk).update(status="failed", message=_printable(message), problems=told)
        schema_changed(row.schema)
        transaction.on_commit(lambda: discard(row.pk))


def _printable(text: str) -> str:
    """Words of a file, as the database keeps them."""
    return "".join(c if c.isprintable() else "�" for c in text)[:480]


@dataclass(kw_only=True)
class _Report:
    """What a file holds. `problems` are the first of what was not taken."""

    items: int = 0
    unmatched: int = 0
    refused: int = 0
    more: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    problems: list[dict[str, str]] = field(default_factory=list)

    def tell(self, where: str, message: str, expected: str = "") -> None:
        if len(self.problems) < SHOWN:
            self.problems.append({"field": _printable(where)[:300], "message": _printable(message), "expected": _printable(expected)[:300]})

    def as_json(self) -> dict[str, Any]:
        taken = {name: self.outcomes.get(name, 0) for name in ("new", "changed", "unchanged")}
        return {**taken, **{f: getattr(self, f) for f in ("items", "unmatched", "refused", "more", "problems")}}


def _take_in(row: LabelImport) -> None:
    path = bytes_of(row.pk)
    if not path.exists():
        raise FileGone()
    if row.created_by is None:
        raise FileGone(hint="Whoever brought it has no account any more.")
    form, config = find_format(row.schema, row.format)
    worded, report = newest_version(row.schema), _Report()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(SAID)
            with opened(path, row.filename) as source:
                found = form.read(source, config)
                seen: dict[int, str] = {}
                while batch := list(islice(found, BATCH)):
                    _lay_down(cursor, list(_fitting(row, config, batch, seen, report)))
            given = {"schema": row.schema.pk, "user": row.created_by.pk, "version": worded.pk}
            if row.applies:
                cursor.execute("SELECT 1 FROM labeling_queueitem WHERE id IN (SELECT item FROM said) ORDER BY id FOR UPDATE")
                _same_wording(cursor, row, worded)
            cursor.execute(OUTCOMES, given)
            _outcomes(cursor, report)
            if row.applies:
                _write(cursor, given)
            cursor.execute("DROP TABLE said, outcome")
        told = report.as_json()
        LabelImport.objects.filter(pk=row.pk).update(
            status="applied" if row.applies else "checked", report=told, message="", problems=[], announced_at=timezone.now()
        )
        if row.applies:
            counts = {name: told[name] for name in ("new", "changed", "unchanged", "unmatched", "refused")}
            audit.record(
                row.created_by, "label_schema.import", ("label_schema", row.schema.pk, row.schema.slug), project=row.schema.project,
                details={"format": row.format, "file": row.filename, **counts},
            )  # fmt: skip
            transaction.on_commit(lambda: discard(row.pk))
        schema_changed(row.schema)


def _fitting(row: LabelImport, config: LabelConfig, batch: list[Found], seen: dict[int, str], report: _Report) -> Iterator[list[Any]]:
    """Rows for `said` of what is matched and fits; tells the rest."""
    for found, item in zip(batch, matched(row.schema, config, [f.ref for f in batch]), strict=True):
        report.items += 1
        report.more += found.more
        if isinstance(item, NotMatched):
            report.unmatched += 1
            report.tell(found.where, str(item), "an item of the queue")
            continue
        if item.pk in seen:
            report.refused += 1
            report.tell(found.where, f"“{item.key}” is told in {seen[item.pk]} already.", "every item once")
            continue
        seen[item.pk] = found.where
        kept = _checked(config, found, item, report)
        if kept is not None:
            review = random.random() < row.schema.review_share  # noqa: S311 - which annotations are sampled is no secret
            yield [item.pk, found.where[:300], new_id(), json.dumps(kept), review]


def _checked(config: LabelConfig, found: Found, item: QueueItem, report: _Report) -> list[dict[str, Any]] | None:
    """The result as it is kept, or None once its first problems are told."""

    def shown() -> dict[str, Any]:
        return shown_data(item, config)

    def refuse(field_: str, message: str, expected: str) -> None:
        own = field_.startswith(found.where.split(",")[0])
        report.tell(field_ if own else f"{found.where}, {field_}", message, expected)

    try:
        result = found.result(Target(width=item.width, height=item.height, shown=shown))
    except Misfit as e:
        report.refused += 1
        refuse(e.field, e.message, e.expected)
        return None
    kept, problems = check(config, result, shown())
    if not problems and (why := unkeepable(kept)):
        problems = [{"field": "result", "message": why, "expected": "text that can be kept"}]
    if problems:
        report.refused += 1
        for one in problems[:3]:
            refuse(one["field"], one["message"], one["expected"])
        return None
    return kept


def _lay_down(cursor: Any, rows: list[list[Any]]) -> None:
    with cursor.copy("COPY said (item, place, id, result, review) FROM STDIN") as copy:
        for one in rows:
            copy.write_row(one)


def _same_wording(cursor: Any, row: LabelImport, worded: Newest) -> None:
    """Whoever words the schema anew holds its row: what was checked against the old wording does not slip in behind them."""
    cursor.execute("SELECT 1 FROM labeling_labelschema WHERE id = %s FOR KEY SHARE", [row.schema.pk])
    newest = newest_version(row.schema, again=True)
    if newest.pk != worded.pk:
        raise NewerSchema(number=newest.number)


def _outcomes(cursor: Any, report: _Report) -> None:
    cursor.execute("SELECT what, count(*) FROM outcome GROUP BY what")
    report.outcomes = dict(cursor.fetchall())
    report.refused += sum(report.outcomes.get(what, 0) for what in REASONS)
    cursor.execute("SELECT place, key, what FROM outcome WHERE what = ANY (%s) ORDER BY item LIMIT %s", [list(REASONS), SHOWN])
    for place, key, what in cursor.fetchall():
        report.tell(place, f"“{key}” is not taken: {REASONS[what]}.")


def _write(cursor: Any, given: dict[str, Any]) -> None:
    for statement in (*WRITES, SETTLE):
        cursor.execute(statement, given)
    cursor.execute(SEVERAL)
    for (item,) in cursor.fetchall():
        truth.settle(item)
