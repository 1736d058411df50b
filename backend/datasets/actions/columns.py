"""Correcting the types of a draft, checked against every value before anything is changed."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from backend.artifacts import aside
from backend.core.actions import audit
from backend.core.errors import InvalidInput, Problem
from backend.datasets.actions.announce import PROFILE, announce, dataset_changed
from backend.datasets.actions.rereading import refuse_while_read
from backend.datasets.errors import NotDraft, ValuesDoNotFit, WrongModality
from backend.datasets.models import DatasetVersion
from backend.datasets.reading.written import NUMBERS, form_of

TABLE_TYPES = ("integer", "number", "boolean", "category", "text", "datetime", "json")


def set_columns(
    request: Any, version: DatasetVersion, columns: list[dict[str, Any]], label_column: str | None, null_values: list[str] | None
) -> DatasetVersion:
    """Give columns other types, choose the label, change what is read as missing. All or nothing."""
    if version.dataset.modality != "table":
        raise WrongModality(dataset=version.dataset.slug, modality=version.dataset.modality, wanted="tables")
    if version.status != "draft":
        raise NotDraft(number=version.number, status=version.status)
    known = {c["name"]: c for c in version.columns}
    problems: list[Problem] = []
    wanted = {name: dict(c) for name, c in known.items()}
    for column in columns:
        name = column["name"]
        if name not in known:
            problems.append(
                {"field": name, "message": f"There is no column “{name}”.", "expected": "one of " + ", ".join(list(known)[:20])}
            )
        elif column["type"] not in TABLE_TYPES:
            problems.append(
                {"field": name, "message": f"A table cannot hold {column['type']}.", "expected": "one of " + ", ".join(TABLE_TYPES)}
            )
        else:
            form = _form(column, known[name], version.reading)
            wanted[name] |= {"type": column["type"], "format": form}
            if problem := _wrong_form(column["type"], form):
                problems.append({"field": name, **problem})
    if label_column is not None and label_column not in known:
        problems.append(
            {
                "field": "label_column",
                "message": f"There is no column “{label_column}”.",
                "expected": "one of " + ", ".join(list(known)[:20]),
            }
        )
    if problems:
        raise InvalidInput(message="These columns cannot be set.", field=problems[0]["field"], problems=problems)
    nulls = list(dict.fromkeys(null_values)) if null_values is not None else version.null_values
    if nulls != version.null_values:
        changed = list(wanted.values())
    else:
        changed = [c for name, c in wanted.items() if (c["type"], c["format"]) != (known[name]["type"], known[name].get("format") or "")]
    nullable: dict[str, bool] = {}
    if changed:
        checked = aside.ask("make", "backend.datasets.reading.fitting:checked", raw=version.raw, columns=changed, nulls=nulls)
        nullable, wrong = checked["nullable"], checked["problems"]
        if wrong:
            raise ValuesDoNotFit(
                message="Some values do not fit the types you chose; nothing was changed.", field=wrong[0]["field"], problems=wrong
            )
    for name, missing in nullable.items():
        wanted[name]["nullable"] = missing
    with transaction.atomic():
        row = DatasetVersion.objects.select_for_update(of=("self",)).get(pk=version.pk)
        if row.status != "draft":
            raise NotDraft(number=row.number, status=row.status)
        refuse_while_read(row)
        before = audit.snapshot(row, "columns", "label_column", "null_values")
        row.reading = row.reading | {"corrected": sorted({*row.reading.get("corrected", []), *_retyped(known, wanted)})}
        if nulls != row.null_values:
            row.reading["options"] = {**row.reading.get("options", {}), "null_values": nulls}
        row.columns, row.label_column, row.null_values, row.problems = list(wanted.values()), label_column, nulls, []
        if changed:
            row.profile_status, row.attempts, row.announced_at = "queued", 0, timezone.now()
        row.save()
        target = ("dataset_version", row.pk, f"{version.dataset.slug}@{row.number}")
        audit.record(request, "dataset.columns", target, before, audit.snapshot(row, *before))
        if changed:
            announce(PROFILE, row.pk)
        dataset_changed(version.dataset.project, version.dataset.slug)
    version.refresh_from_db()
    return version


def _retyped(known: dict[str, dict[str, Any]], wanted: dict[str, dict[str, Any]]) -> list[str]:
    return [n for n, c in wanted.items() if (c["type"], c["format"]) != (known[n]["type"], known[n].get("format") or "")]


def _form(column: dict[str, Any], known: dict[str, Any], reading: dict[str, Any]) -> str:
    """How the values are written: as said, else as known while the type stays of its kind, else as numbers of the file are."""
    form, family = column.get("format") or "", _family(column["type"])
    same = family == _family(known["type"])
    if not family or (form and form == known.get("format") and not same):
        form = ""  # a page sends the column as it knows it, with another type
    if form or not family:
        return form
    if same:
        return known.get("format") or ""
    return form_of(reading.get("decimal", "."), reading.get("thousands", "")) if family == "numbers" else ""


def _family(kind: str) -> str:
    return {"datetime": "times", "integer": "numbers", "number": "numbers"}.get(kind, "")


def _wrong_form(kind: str, form: str) -> Problem | None:
    if not form:
        return None
    if kind != "datetime":
        return (
            None if form in NUMBERS else {"message": f"“{form}” is not a way to write numbers.", "expected": "one of " + "  ".join(NUMBERS)}
        )
    if aside.ask("read", "backend.datasets.reading.cast:is_form", form=form):
        return None
    return {"message": f"“{form}” is not a way to write times.", "expected": "such as %d/%m/%Y %H:%M"}
