"""Reads of imports."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from backend.core.errors import NotFound
from backend.labeling.models import LabelImport, LabelSchema


def find_import(schema: LabelSchema, id_: UUID, *, lock: bool = False) -> LabelImport:
    rows = LabelImport.objects.select_for_update(of=("self",)) if lock else LabelImport.objects.all()
    found: LabelImport | None = rows.select_related("schema__project", "created_by").filter(schema=schema, pk=id_).first()
    if found is None:
        raise NotFound(what="import", name=str(id_))
    return found


def import_out(row: LabelImport) -> dict[str, Any]:
    fields = (
        "id",
        "format",
        "filename",
        "size",
        "received",
        "status",
        "applies",
        "message",
        "problems",
        "report",
        "created_by",
        "created_at",
    )
    return {f: getattr(row, f) for f in fields}


def list_imports(schema: LabelSchema) -> list[dict[str, Any]]:
    """Newest first."""
    return [import_out(row) for row in schema.imports.select_related("created_by").order_by("-created_at")[:50]]
