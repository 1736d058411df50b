"""What a new wording of a label schema would leave out of what was said already. Nothing is dropped silently: labels that are used
are mapped to others as the wording changes, or stay."""

from __future__ import annotations

import json
from typing import Any

from django.db import connection

from backend.core.errors import HeadraceError, InvalidInput, Problem
from backend.core.models import Project
from backend.datasets.queries.datasets import find_dataset
from backend.labeling.actions.schemas import fits, read_xml
from backend.labeling.errors import LabelsInUse
from backend.labeling.models import LabelSchema
from backend.labeling.queries.schemas import find_schema, used_labels
from workers.sdk.labels.config import LabelConfig

Mapping = dict[str, dict[str, str]]


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


def take_along(schema: LabelSchema, config: LabelConfig, mapping: Mapping) -> int:
    """Give annotations and drafts the labels of a new wording: {control: {old: new}}. The caller has locked the schema. Returns how many
    annotations changed; each gets a new version. Raises LabelsInUse, naming each control and label that would be lost, with how many
    annotations say it, and InvalidInput where a new label is none."""
    for name, pairs in mapping.items():
        control = config.control(name)
        if control is None or not control.labels:
            raise InvalidInput(message=f"The new wording has no control “{name}” with labels.", field=f"mapping.{name}")
        for old, new in pairs.items():
            if new not in control.values:
                raise InvalidInput(
                    message=f"“{new}” is no label of “{name}”.", field=f"mapping.{name}.{old}",
                    hint="One of " + ", ".join(label.value for label in control.labels[:20]),
                )  # fmt: skip
    lost = [one for one in touched(schema, config) if one["label"] is None or one["label"] not in mapping.get(one["control"], {})]
    if lost:
        problems: list[Problem] = [
            {
                "field": f"{one['control']}.{one['label']}" if one["label"] is not None else one["control"],
                "message": f"{one['annotations']:,} annotations use it.",
                "expected": "keep it" if one["label"] is None else "keep it, or say in `mapping` which label takes its place",
            }
            for one in lost
        ]
        raise LabelsInUse(field="xml", problems=problems, hint="Keep these, or say which label takes their place.", touched=lost)
    said = {name: (config.control(name), pairs) for name, pairs in mapping.items() if pairs}
    return sum(_rename(schema, name, control.label_key, pairs) for name, (control, pairs) in said.items() if control is not None)


def _rename(schema: LabelSchema, name: str, key: str, pairs: dict[str, str]) -> int:
    """In one statement each for annotations and drafts, however many; two labels that become one are said once."""
    told = {"name": name, "key": key, "pairs": json.dumps(pairs), "schema": schema.pk, "old": list(pairs)}
    renamed = (
        "(SELECT jsonb_agg(CASE WHEN r ->> 'from_name' = %(name)s THEN jsonb_set(r, ARRAY['value', %(key)s], ("
        "  SELECT jsonb_agg(DISTINCT coalesce(%(pairs)s::jsonb ->> l, l)) FROM jsonb_array_elements_text(r -> 'value' -> %(key)s) l))"
        " ELSE r END ORDER BY n) FROM jsonb_array_elements(a.result) WITH ORDINALITY x(r, n))"
    )
    uses = (
        "EXISTS (SELECT 1 FROM jsonb_array_elements(a.result) r"
        " WHERE r ->> 'from_name' = %(name)s AND (r -> 'value' -> %(key)s) ?| %(old)s)"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE labeling_draft a SET result = {renamed} FROM labeling_queueitem q"  # noqa: S608 - text of ours, values are parameters
            f" WHERE q.id = a.item_id AND q.schema_id = %(schema)s AND {uses}",
            told,
        )
        cursor.execute(
            f"UPDATE labeling_annotation a SET version = version + 1, updated_at = now(), result = {renamed}"  # noqa: S608 - as above
            f" WHERE a.schema_id = %(schema)s AND {uses}",
            told,
        )
        return cursor.rowcount
