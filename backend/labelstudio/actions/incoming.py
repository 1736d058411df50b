"""Tasks as they come, read whole before anything is kept: each either fits the label config or is named."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from backend.core.errors import InvalidInput, Problem
from backend.labeling.errors import DoesNotFit, as_problems
from workers.sdk.labels.config import LabelConfig
from workers.sdk.labels.results import check
from workers.sdk.labels.shown import shown

Json = dict[str, Any]
MOST = 250_000
"""Tasks of one call; a body has at most 20 MB anyhow."""
MOST_PROBLEMS = 20


@dataclass(kw_only=True, slots=True)
class Said:
    """An annotation that comes with a task. `by` is what the file says of its author, `skipped` that there is none."""

    result: list[Json]
    by: Any
    seconds: float
    skipped: bool


@dataclass(kw_only=True, slots=True)
class Predicted:
    result: list[Json]
    score: float | None
    model_version: str


@dataclass(kw_only=True, slots=True)
class Task:
    data: Json
    meta: Json
    said: Sequence[Said] = ()
    predicted: Sequence[Predicted] = ()


def read_tasks(config: LabelConfig, given: Any) -> list[Task]:
    """The tasks; raises InvalidInput or DoesNotFit with up to 20 of what is wrong, by number of the task."""
    rows = given if isinstance(given, list) else [given]
    if not rows:
        raise InvalidInput(message="There are no tasks in this list.", field="tasks")
    if len(rows) > MOST:
        raise InvalidInput(message=f"There are {len(rows):,} tasks; at most {MOST:,} come at once.", field="tasks")
    found: list[Task] = []
    problems: list[Problem] = []
    variables = config.variables
    for n, row in enumerate(rows):
        try:
            found.append(_task(config, variables, row))
        except InvalidInput as e:
            problems += [{**p, "field": f"tasks.{n}.{p.get('field', '')}".rstrip(".")} for p in (e.problems or [_problem(e)])]
            if len(problems) >= MOST_PROBLEMS:
                break
    if problems:
        raise InvalidInput(message="Validation error", problems=problems[:MOST_PROBLEMS])
    return found


def _problem(error: InvalidInput) -> Problem:
    return {"field": error.field or "", "message": str(error), "expected": error.hint}


def _task(config: LabelConfig, variables: dict[str, str], row: Any) -> Task:
    if not isinstance(row, dict):
        raise InvalidInput(message="A task is an object.", hint='{"data": {…}}')
    whole = "data" in row and isinstance(row["data"], dict)
    data = row["data"] if whole else row
    for name in variables:
        if data.get(name) is None:
            raise InvalidInput(
                message=f'"{name}" key is expected in task data', field="data", hint=", ".join(f'"{v}": …' for v in variables)
            )
    task = Task(data=data, meta=row["meta"] if whole and isinstance(row.get("meta"), dict) else {})
    if whole:
        if said := _list(row, "annotations") or _list(row, "completions"):
            task.said = [_said(config, data, one, n) for n, one in enumerate(said)]
        if predicted := _list(row, "predictions"):
            task.predicted = [read_prediction(config, data, one, f"predictions.{n}") for n, one in enumerate(predicted)]
    return task


def _list(row: Json, name: str) -> Sequence[Any]:
    found = row.get(name)
    if not found:
        return ()
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise InvalidInput(message=f"“{name}” is a list of objects.", field=name)
    return found


def _said(config: LabelConfig, data: Json, one: Json, n: int) -> Said:
    seconds = one.get("lead_time")
    skipped = bool(one.get("was_cancelled"))
    result = [] if skipped else fitting(config, data, one.get("result"), f"annotations.{n}")
    return Said(result=result, by=one.get("completed_by"), seconds=_seconds(seconds), skipped=skipped)


def _seconds(value: Any) -> float:
    return min(max(float(value), 0.0), 86_400.0) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def read_prediction(config: LabelConfig, data: Json, one: Json, where: str = "") -> Predicted:
    score, version = one.get("score"), one.get("model_version")
    if score is not None and (not isinstance(score, int | float) or isinstance(score, bool)):
        raise InvalidInput(message="A score is a number.", field=f"{where}.score".strip("."))
    result = fitting(config, data, one.get("result"), where, complete=False)
    return Predicted(result=result, score=score, model_version=str(version or "undefined")[:256])


def fitting(config: LabelConfig, data: Json, result: Any, where: str = "", *, complete: bool = True) -> list[Json]:
    """A result as it is kept; regions without an id get one. Raises DoesNotFit. `data`: a task's."""
    parts = {o.name: part for o in config.objects if (part := shown(o, data)) is not None}
    kept, problems = check(config, with_ids(result), parts, complete=complete)
    if problems:
        named = [{**p, "field": f"{where}.{p['field']}".strip(".")} for p in problems]
        raise DoesNotFit(field=named[0]["field"], problems=as_problems(named))
    return kept


def with_ids(result: Any) -> Any:
    """Regions need an id to be spoken of; Label Studio lets scripts leave it out."""
    if not isinstance(result, list):
        return result
    plain = [r for r in result if isinstance(r, dict) and r.get("type") != "relation" and not r.get("id")]
    return [{**r, "id": uuid.uuid4().hex[:10]} if any(r is p for p in plain) else r for r in result] if plain else result


def columns_of(rows: Iterable[Json]) -> list[str]:
    found: dict[str, None] = {}
    for row in rows:
        found.update(dict.fromkeys(row))
    return list(found)
