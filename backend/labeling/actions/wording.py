"""What a new wording of a label schema would leave out of what was said already. Nothing is dropped silently: labels that are used
are mapped to others first (`map_labels`), or stay."""

from __future__ import annotations

import json
from typing import Any

from django.db import connection, transaction

from backend.core.actions import audit
from backend.core.errors import HeadraceError, InvalidInput, Problem
from backend.core.models import Project
from backend.datasets.queries.datasets import find_dataset
from backend.labeling.actions.schemas import fits, read_xml
from backend.labeling.errors import LabelsInUse
from backend.labeling.models import LabelSchema
from backend.labeling.queries.schemas import find_schema, used_labels
from workers.sdk.labels.config import LabelConfig, from_json


def checked(project: Project, xml: str, dataset: str | None, slug: str | None) -> dict[str, Any]:
    """`WordingCheckOut`: what an XML asks for, what is wrong with it (for a data set, if one is named), and what would be lost."""
    config, problems = read_xml(xml, last_word=False)
    found: list[dict[str, Any]] = []
    if config is not None and dataset is not None:
        try:
            fits(find_dataset(project, dataset), config)
        except HeadraceError as e:
            problems = [dict(one) for one in e.problems] or [{"field": e.field or "xml", "message": str(e), "expected": e.hint}]
    if config is not None and slug is not None:
        found = touched(find_schema(project, slug), config)
    return {"config": config.as_json() if config is not None else None, "problems": problems, "touched": found}


def touched(schema: LabelSchema, config: LabelConfig) -> list[dict[str, Any]]:
    """Controls and labels that annotations use and `config` does not have: [{control, label (None: the control itself), annotations}]."""
    found = []
    for use in used_labels(schema):
        control = config.control(use["control"])
        if control is None or control.type != use["type"]:
            if use["label"] is None:
                found.append({"control": use["control"], "label": None, "annotations": use["annotations"]})
        elif use["label"] is not None and use["label"] not in control.values:
            found.append({"control": use["control"], "label": use["label"], "annotations": use["annotations"]})
    return found


def refuse_what_is_used(schema: LabelSchema, config: LabelConfig) -> None:
    """Raises LabelsInUse, naming each control and label with how many annotations say it."""
    if lost := touched(schema, config):
        problems: list[Problem] = [
            {
                "field": f"{one['control']}.{one['label']}" if one["label"] is not None else one["control"],
                "message": f"{one['annotations']:,} annotations use it.",
                "expected": "keep it, or map it to another label first",
            }
            for one in lost
        ]
        raise LabelsInUse(field="xml", problems=problems, hint="Keep these, or say which label takes their place.", touched=lost)


def map_labels(request: Any, project: Project, slug: str, mapping: dict[str, dict[str, str]]) -> int:
    """Rename labels in all annotations of a schema: {control: {old: new}}; both must be labels of the newest wording. Returns how
    many annotations changed; each gets a new version, and the log keeps the mapping."""
    schema = find_schema(project, slug)
    newest = schema.versions.order_by("-number").first()
    config = from_json(newest.config) if newest else LabelConfig(objects=(), controls=())
    changed = 0
    for name, pairs in mapping.items():
        control = config.control(name)
        if control is None or not control.labels:
            raise InvalidInput(message=f"The schema has no control “{name}” with labels.", field=f"mapping.{name}")
        for old, new in pairs.items():
            if new not in control.values:
                raise InvalidInput(
                    message=f"“{new}” is no label of “{name}”.", field=f"mapping.{name}.{old}",
                    hint="One of " + ", ".join(label.value for label in control.labels[:20]),
                )  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        for name, pairs in mapping.items():
            control = config.control(name)
            assert control is not None
            key = "labels" if control.type == "labels" else control.type
            cursor.execute(
                "UPDATE labeling_annotation a SET version = version + 1, updated_at = now(), result = ("
                " SELECT jsonb_agg(CASE WHEN r ->> 'from_name' = %(name)s THEN jsonb_set(r, ARRAY['value', %(key)s], ("
                "   SELECT jsonb_agg(DISTINCT coalesce(%(pairs)s::jsonb ->> l, l)) FROM jsonb_array_elements_text(r"
                " -> 'value' -> %(key)s) l))"
                "  ELSE r END ORDER BY n) FROM jsonb_array_elements(a.result) WITH ORDINALITY x(r, n))"
                " WHERE a.schema_id = %(schema)s AND EXISTS (SELECT 1 FROM jsonb_array_elements(a.result) r"
                "  WHERE r ->> 'from_name' = %(name)s AND (r -> 'value' -> %(key)s) ?| %(old)s)",
                {"name": name, "key": key, "pairs": json.dumps(pairs), "schema": schema.pk, "old": list(pairs)},
            )
            changed += cursor.rowcount
        audit.record(
            request, "label_schema.map", ("label_schema", schema.pk, schema.slug), project=project,
            details={"mapping": mapping, "annotations": changed},
        )  # fmt: skip
    return changed
