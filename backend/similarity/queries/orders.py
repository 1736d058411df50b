"""In which order a queue is worked, and which orders it could have."""

from __future__ import annotations

from typing import Any

from backend.labeling.models import LabelSchema
from backend.similarity.models import Arranging, ValueOrder
from backend.similarity.queries.spaces import newest_ready

OF_PICTURES = ("width", "height", "size")
OURS = ("diverse", "value")
NUMBERS = ("integer", "number")


def columns_of(schema: LabelSchema) -> list[str]:
    """By which numbers it can be worked."""
    if schema.dataset.modality == "images":
        return list(OF_PICTURES)
    if schema.dataset.modality == "text":
        return ["size"]
    version = schema.dataset.versions.filter(status="frozen").order_by("-number").first()
    return [c["name"] for c in version.columns if c["type"] in NUMBERS] if version else []


def order_out(schema: LabelSchema) -> dict[str, Any]:
    by = ValueOrder.objects.filter(schema=schema).first()
    making = Arranging.objects.filter(schema=schema).first() if schema.order in OURS else None
    return {
        "order": schema.order, "column": by.column if by and schema.order == "value" else None, "descending": by.descending if by else True,
        "columns": columns_of(schema), "embedded": newest_ready(schema.dataset) is not None, "status": making.status if making else None,
        "message": making.message if making else "",
    }  # fmt: skip
