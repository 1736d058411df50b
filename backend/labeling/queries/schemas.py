"""Reads of label schemas: what they are, how far their queues have come, who did what."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Max, OuterRef, Q, QuerySet, Subquery

from backend.core.errors import NotFound
from backend.core.models import Project
from backend.core.queries.rows import Columns, one
from backend.datasets.models import Dataset, DatasetVersion
from backend.labeling.models import LabelSchema, LabelSchemaVersion

SCHEMA = Columns(s=LabelSchema, d=Dataset)
NEWEST = "(SELECT id, number FROM labeling_labelschemaversion WHERE schema_id = s.id ORDER BY number DESC LIMIT 1)"
"""The newest wording of a schema `s`, for a statement that reads it on the way."""


def find_schema(project: Project, slug: str, *, deleted: bool = False, lock: bool = False) -> LabelSchema:
    """The label schema, or NotFound (a deleted one only when asked for)."""
    row = one(
        f"SELECT {SCHEMA.sql}, v.id, v.number FROM labeling_labelschema s JOIN datasets_dataset d ON d.id = s.dataset_id"  # noqa: S608 - our own column names only
        f" LEFT JOIN LATERAL {NEWEST} v ON true WHERE s.project_id = %s AND s.slug = %s AND (%s OR s.deleted_at IS NULL)"
        f"{' FOR UPDATE OF s' if lock else ''}",
        [project.pk, slug, deleted],
    )
    if row is None:
        raise NotFound(what="label schema", name=slug)
    schema, dataset, *newest = SCHEMA.read(row)
    schema.project, schema.dataset = project, dataset
    if not lock:  # what waited for the row may have read an older wording than there is now
        schema.newest = Newest(*newest)
    return schema  # type: ignore[no-any-return]  # what `read` gives is in the order of SCHEMA


class Newest(NamedTuple):
    """The newest wording as the desk needs it: what it asks for is kept in memory (`items.wording`)."""

    pk: UUID
    number: int


def newest_version(schema: LabelSchema, *, again: bool = False) -> Newest:
    """Its newest wording, as it was when the schema was read; `again`: as it is now."""
    known: Newest | None = None if again else getattr(schema, "newest", None)
    if known is not None:
        return known
    found = newest_wording(schema)
    return Newest(found.pk, found.number)


def newest_wording(schema: LabelSchema) -> LabelSchemaVersion:
    """The same with all that it says, as it is now."""
    found: LabelSchemaVersion | None = schema.versions.order_by("-number").first()
    if found is None:
        raise NotFound(what="wording of the label schema", name=schema.slug)
    return found


def _rows(project: Project) -> QuerySet[LabelSchema]:
    frozen = DatasetVersion.objects.filter(dataset=OuterRef("dataset"), status="frozen").order_by("-number").values("number")[:1]
    return (
        LabelSchema.objects.filter(project=project)
        .select_related("dataset", "created_by")
        .annotate(version=Max("versions__number"), newest_data=Subquery(frozen))
    )


def list_schemas(project: Project, search: str | None, dataset: str | None, deleted: bool) -> list[dict[str, Any]]:
    """All of a project, newest first; counts of all queues in one query."""
    rows = _rows(project).filter(deleted_at__isnull=not deleted).order_by("-updated_at", "-id")
    if search and search.strip():
        rows = rows.filter(
            Q(name__icontains=search.strip()) | Q(slug__icontains=search.strip()) | Q(dataset__name__icontains=search.strip())
        )
    if dataset:
        rows = rows.filter(dataset__slug=dataset)
    found = list(rows[:500])
    counts = _counts([row.pk for row in found])
    return [_schema_out(row, counts.get(row.pk, {})) for row in found]


def schema_out(project: Project, slug: str) -> dict[str, Any]:
    row = _rows(project).filter(slug=slug).first()
    if row is None:
        raise NotFound(what="label schema", name=slug)
    return _schema_out(row, _counts([row.pk]).get(row.pk, {}))


def _schema_out(row: Any, counts: dict[str, int]) -> dict[str, Any]:
    fields = (
        "id", "slug", "name", "overlap", "review_share", "together", "blind", "order", "filled", "fill_status", "fill_message",
        "created_by", "created_at", "updated_at", "deleted_at", "version",
    )  # fmt: skip
    return {
        **{f: getattr(row, f) for f in fields},
        "dataset": row.dataset.slug,
        "dataset_name": row.dataset.name,
        "modality": row.dataset.modality,
        "newest_data": row.newest_data or 0,
        "progress": {**dict.fromkeys(("items", "complete", "truths", "places", "done", "to_review"), 0), **counts},
    }


def _counts(schemas: list[Any]) -> dict[Any, dict[str, int]]:
    """For each: items, complete items, items with a ground truth, places in all, done places, annotations that wait for a reviewer."""
    if not schemas:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT q.schema_id, count(*), count(*) FILTER (WHERE done >= wanted), count(truth_id), coalesce(sum(wanted), 0),"
            " coalesce(sum(least(done, wanted)), 0) FROM labeling_queueitem q WHERE q.schema_id = ANY (%s) AND NOT"
            " q.removed GROUP BY q.schema_id",
            [schemas],
        )
        found = {
            row[0]: dict(zip(("items", "complete", "truths", "places", "done"), map(int, row[1:]), strict=True))
            for row in cursor.fetchall()
        }
        cursor.execute(
            "SELECT schema_id, count(*) FROM labeling_annotation WHERE schema_id = ANY (%s) AND to_review AND status"
            " = 'submitted' GROUP BY schema_id",
            [schemas],
        )
        for schema, waiting in cursor.fetchall():
            found.setdefault(schema, {})["to_review"] = waiting
    return found


def version_out(version: LabelSchemaVersion) -> dict[str, Any]:
    fields = ("number", "xml", "config", "guidelines", "created_by", "created_at")
    return {f: getattr(version, f) for f in fields}


def versions_out(schema: LabelSchema) -> list[dict[str, Any]]:
    return [version_out(v) for v in schema.versions.select_related("created_by").order_by("-number")]


def used_labels(schema: LabelSchema) -> list[dict[str, Any]]:
    """What annotations of a schema say: [{control, type, label (None: the control at all), annotations}]."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT control, type, label, count(DISTINCT id) FROM ("
            " SELECT a.id, r ->> 'from_name' AS control, r ->> 'type' AS type, l.label FROM labeling_annotation a,"
            "  jsonb_array_elements(a.result) r CROSS JOIN LATERAL ("
            "   SELECT NULL AS label UNION ALL"
            "   SELECT jsonb_array_elements_text(CASE WHEN jsonb_typeof(said) = 'array' THEN said ELSE '[]' END)"
            "    FROM (SELECT r -> 'value' -> (CASE r ->> 'type' WHEN 'videorectangle' THEN 'labels' ELSE r ->> 'type' END) AS said) v) l"
            " WHERE a.schema_id = %s AND r ->> 'type' <> 'relation') x GROUP BY 1, 2, 3 ORDER BY 1, 3 NULLS FIRST",
            [schema.pk],
        )
        return [dict(zip(("control", "type", "label", "annotations"), row, strict=True)) for row in cursor.fetchall()]


def people(schema: LabelSchema, only: Any = None) -> list[dict[str, Any]]:
    """Who labelled and how: [{user, annotations, accepted, rejected, seconds (median), skipped, newest}]. `only`: one person's row."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT u.id, u.name, u.email, a.n, a.accepted, a.rejected, a.median, coalesce(s.n, 0), a.newest FROM ("
            " SELECT author_id, count(*) AS n, count(*) FILTER (WHERE status = 'accepted') AS accepted,"
            "  count(*) FILTER (WHERE status = 'rejected') AS rejected, percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS median,"
            "  max(updated_at) AS newest FROM labeling_annotation WHERE schema_id = %(schema)s GROUP BY author_id) a"
            " JOIN core_user u ON u.id = a.author_id LEFT JOIN (SELECT s.user_id, count(*) AS n FROM labeling_skip s"
            "  JOIN labeling_queueitem q ON q.id = s.item_id WHERE q.schema_id = %(schema)s GROUP BY s.user_id) s ON s.user_id = u.id"
            " WHERE %(only)s::uuid IS NULL OR u.id = %(only)s ORDER BY a.n DESC",
            {"schema": schema.pk, "only": only},
        )
        names = ("annotations", "accepted", "rejected", "seconds", "skipped", "newest")
        return [
            {"user": {"id": row[0], "name": row[1], "email": row[2]}, **dict(zip(names, row[3:], strict=True))} for row in cursor.fetchall()
        ]
