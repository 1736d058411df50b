"""How ground truth comes about, and how people are watched."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from backend.core.actions import audit
from backend.core.errors import InvalidInput
from backend.core.models import Project
from backend.labeling.actions.announce import schema_changed
from backend.labeling.actions.measure import measure_soon
from backend.labeling.models import LabelSchema
from backend.labeling.queries.schemas import find_schema

SETTINGS = ("truth_by", "enough", "honeypot_share", "pause_below")


def set_quality(request: Any, project: Project, slug: str, fields: dict[str, Any]) -> LabelSchema:
    """Another way to the truth is applied to all items that no person decided, by the worker."""
    with transaction.atomic():
        schema = find_schema(project, slug, lock=True)
        before = audit.snapshot(schema, *SETTINGS)
        for name in SETTINGS:
            setattr(schema, name, fields[name])
        if schema.honeypot_share > 0 and schema.order == "sequential":
            raise InvalidInput(
                message="In the order of the data set a honeypot is noticed: it is out of order.", field="honeypot_share",
                hint="Make the order of the queue random first (Settings).",
            )  # fmt: skip
        if schema.honeypot_share > 0 and schema.shared:
            raise InvalidInput(
                message="Honeypots test each person, and here they work together.", field="honeypot_share",
                hint="Let people work apart or blind first (Settings).",
            )  # fmt: skip
        schema.save(update_fields=[*SETTINGS, "updated_at"])
        after = audit.snapshot(schema, *SETTINGS)
        if any(before[name] != after[name] for name in ("truth_by", "enough")):
            measure_soon(schema, settle=True)
        audit.record(request, "label_schema.set_quality", ("label_schema", schema.pk, schema.slug), before, after)
        schema_changed(schema)
    return schema
