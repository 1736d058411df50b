"""What was done to many items at once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from backend.core.errors import NotFound
from backend.core.models import User
from backend.core.permissions import may
from backend.labeling.models import LabelSchema
from backend.labeling.queries import masks
from backend.similarity.models import Bulk

MOST = 100


def find_bulk(schema: LabelSchema, id_: UUID) -> Bulk:
    found: Bulk | None = Bulk.objects.select_related("schema__project").filter(schema=schema, pk=id_).first()
    if found is None:
        raise NotFound(what="action on many items", name=str(id_))
    return found


def bulks_out(schema: LabelSchema, user: User, role: str) -> list[dict[str, Any]]:
    """One's own, where others' labels are hidden."""
    rows = Bulk.objects.filter(schema=schema).select_related("created_by").order_by("-created_at", "-id")
    if (schema.blind or masks.masked(schema, role)) and not may(role, "label.review"):
        rows = rows.filter(created_by=user)
    fields = ("id", "kind", "result", "count", "created_by", "created_at", "undone_at")
    return [{name: getattr(row, name) for name in fields} for row in rows[:MOST]]
