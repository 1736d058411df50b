"""Tasks of a project: pages, and the filters and orders of the data manager that we follow. One that we do not is refused by name, so
that a script never works on more tasks than it meant."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Greatest

from backend.core.errors import InvalidInput, NotFound
from backend.labeling.models import Annotation, LabelSchema, QueueItem, Skip, Suggestion
from backend.labelstudio.models import View

PAGE, LARGEST_PAGE = 100, 1000
NUMBERS = {"id": "pk", "inner_id": "position", "total_annotations": "done", "overlap": "wanted"}
OPERATORS: dict[str, tuple[str, bool]] = {
    "equal": ("", False), "not_equal": ("", True), "less": ("__lt", False), "greater": ("__gt", False),
    "less_or_equal": ("__lte", False), "greater_or_equal": ("__gte", False), "contains": ("__icontains", False),
    "not_contains": ("__icontains", True), "regex": ("__regex", False), "in_list": ("__in", False), "not_in_list": ("__in", True),
    "starts_with": ("__startswith", False), "ends_with": ("__endswith", False),
}  # fmt: skip


def live(schema: LabelSchema) -> QuerySet[QueueItem]:
    return QueueItem.objects.filter(schema=schema, removed=False)


def listed(schema: LabelSchema, view: int | None, query: str | None, *, only_annotated: bool = False) -> QuerySet[QueueItem]:
    """The tasks that a view and a query (JSON: `filters`, `ordering`, `selectedItems`) leave, in their order."""
    said = Annotation.objects.filter(item=OuterRef("pk")).order_by("-updated_at").values("updated_at")[:1]
    left = Skip.objects.filter(item=OuterRef("pk")).order_by("-created_at").values("created_at")[:1]
    rows = live(schema).alias(changed_at=Greatest(Subquery(said), Subquery(left), F("touch__at")))
    ordering: list[str] = []
    for asked in (_view(schema, view), _query(query)):
        rows = rows.filter(_filters(asked.get("filters")))
        chosen = asked.get("selectedItems")
        if isinstance(chosen, dict) and chosen:
            rows = (
                rows.exclude(pk__in=_ids(chosen.get("excluded"))) if chosen.get("all") else rows.filter(pk__in=_ids(chosen.get("included")))
            )
        ordering = asked.get("ordering") or ordering
    if only_annotated:
        rows = rows.filter(done__gt=0)
    return _ordered(rows, ordering)


def page_of(rows: QuerySet[QueueItem], page: int, size: int) -> tuple[list[QueueItem], int]:
    """(The tasks of a page, all there are); behind the last is NotFound, by which Label Studio's clients know that they are through."""
    total = rows.count()
    begin = (max(page, 1) - 1) * size
    if begin and begin >= total:
        raise NotFound(what="page", name=str(page))
    return list(rows[begin : begin + size]), total


def _ids(given: Any) -> list[int]:
    return [one for one in given if isinstance(one, int)] if isinstance(given, list) else []


def _view(schema: LabelSchema, number: int | None) -> dict[str, Any]:
    if number is None:
        return {}
    found = View.objects.filter(pk=number, schema=schema).first()
    if found is None:
        raise NotFound(what="view", name=str(number))
    return found.data if isinstance(found.data, dict) else {}


def _query(text: str | None) -> dict[str, Any]:
    if not text:
        return {}
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise InvalidInput(message="The query is a JSON object.", field="query", hint='{"filters": {"conjunction": "and", "items": []}}')
    return found


def _filters(given: Any) -> Q:
    if not isinstance(given, dict) or not given.get("items"):
        return Q()
    found = Q()
    either = given.get("conjunction") == "or"
    for one in given["items"]:
        condition = _filter(one if isinstance(one, dict) else {})
        found = (found | condition) if either and found else (found & condition)
    return found


def _filter(one: dict[str, Any]) -> Q:
    name = str(one.get("filter", "")).removeprefix("filter:").removeprefix("tasks:")
    operator, value = str(one.get("operator", "")), one.get("value")
    if name.startswith("data."):
        return _compare(f"data__{name.removeprefix('data.')}", operator, value, _text)
    if name in NUMBERS:
        if operator in ("in", "not_in") and isinstance(value, dict):
            inside = Q(**{f"{NUMBERS[name]}__gte": _whole(value.get("min")), f"{NUMBERS[name]}__lte": _whole(value.get("max"))})
            return inside if operator == "in" else ~inside
        return _compare(NUMBERS[name], operator, value, _whole)
    if name == "updated_at":
        return _compare("changed_at", operator, value, _moment)
    if name == "completed_at" and operator == "empty":
        return Q(done__lt=F("wanted")) if value in (True, "true", "True") else Q(done__gte=F("wanted"))
    if name == "ground_truth" and operator == "equal":
        return Q(truth__isnull=value not in (True, "true", "True"))
    if name == "total_predictions" and operator == "equal" and _whole(value) == 0:
        return ~Q(Exists(Suggestion.objects.filter(item=OuterRef("pk"))))
    if name == "total_predictions" and operator == "greater" and _whole(value) == 0:
        return Q(Exists(Suggestion.objects.filter(item=OuterRef("pk"))))
    if name == "predictions_model_versions" and operator in ("contains", "not_contains"):
        there = Q(Exists(Suggestion.objects.filter(item=OuterRef("pk"), model_version__in=value if isinstance(value, list) else [value])))
        return there if operator == "contains" else ~there
    raise InvalidInput(message=f"Tasks cannot be filtered by “{name[:60]}” {operator[:30]} here.", field="filters", hint=f"By {_known()}.")


def _known() -> str:
    return ", ".join(
        [*NUMBERS, "data.…", "updated_at", "completed_at (empty)", "ground_truth", "total_predictions", "predictions_model_versions"]
    )


def _compare(field: str, operator: str, value: Any, cast: Callable[[Any], Any]) -> Q:
    if operator == "empty":
        nothing = Q(**{f"{field}__isnull": True}) | Q(**{field: ""}) if field.startswith("data__") else Q(**{f"{field}__isnull": True})
        return nothing if value in (True, "true", "True") else ~nothing
    if operator not in OPERATORS:
        raise InvalidInput(
            message=f"There is no comparison “{operator[:40]}” here.", field="filters", hint="One of " + ", ".join(OPERATORS) + "."
        )
    suffix, negated = OPERATORS[operator]
    values = value if isinstance(value, list) else str(value).split(",") if suffix == "__in" else value
    found = Q(**{field + suffix: [cast(v) for v in values] if suffix == "__in" else cast(value)})
    return ~found if negated else found


def _whole(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise InvalidInput(message=f"“{str(value)[:40]}” is no number.", field="filters") from None


def _moment(value: Any) -> datetime:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        raise InvalidInput(message=f"“{str(value)[:40]}” is no time.", field="filters", hint="2026-01-31T08:00:00.000Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _text(value: Any) -> Any:
    return value


def _ordered(rows: QuerySet[QueueItem], ordering: Any) -> QuerySet[QueueItem]:
    wanted = [str(one) for one in ordering] if isinstance(ordering, list) else []
    fields: list[Any] = []
    for one in wanted:
        down = one.startswith("-")
        name = one.removeprefix("-").removeprefix("tasks:")
        if name in NUMBERS:
            field: Any = F(NUMBERS[name])
        elif name.startswith("data."):
            field = KeyTextTransform(name.removeprefix("data."), "data")
        elif name == "completed_at":
            rows = rows.annotate(newest_said=Max("annotations__updated_at"))
            field = F("newest_said")
        elif name == "total_predictions":
            rows = rows.annotate(predicted=Count("suggestions"))
            field = F("predicted")
        else:
            raise InvalidInput(
                message=f"Tasks cannot be ordered by “{name[:60]}” here.", field="ordering", hint=f"By {', '.join(NUMBERS)} or data.…."
            )
        fields.append(field.desc(nulls_last=True) if down else field.asc(nulls_last=True))
    return rows.order_by(*fields, "position", "pk")
