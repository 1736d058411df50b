"""Reads of assignments and of data set versions that were made from labels."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, F, Q

from backend.labeling.models import LabelledVersion, LabelSchema


def assignments(schema: LabelSchema) -> list[dict[str, Any]]:
    rows = (
        schema.assignments.prefetch_related("people")
        .annotate(
            total=Count("items", filter=Q(items__removed=False)),
            complete=Count("items", filter=Q(items__removed=False, items__done__gte=F("items__wanted"))),
        )
        .order_by("-created_at")
    )
    return [
        {
            "id": a.pk, "name": a.name, "people": list(a.people.all()), "due_at": a.due_at, "items": a.total, "complete": a.complete,
            "created_at": a.created_at,
        }
        for a in rows
    ]  # fmt: skip


def labelled_out(row: LabelledVersion) -> dict[str, Any]:
    fields = ("id", "status", "message", "note", "items", "created_by", "created_at")
    return {
        **{f: getattr(row, f) for f in fields},
        "schema_version": row.schema_version.number,
        "dataset": row.schema.dataset.slug,
        "version": row.version.number if row.version else None,
    }


def labelled_versions(schema: LabelSchema) -> list[dict[str, Any]]:
    """Newest first."""
    rows = schema.labelled_versions.select_related("schema__dataset", "schema_version", "version", "created_by").order_by("-created_at")
    return [labelled_out(row) for row in rows[:200]]
