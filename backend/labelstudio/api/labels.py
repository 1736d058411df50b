"""Annotations and predictions."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from backend.core.errors import InvalidInput, NotFound
from backend.labeling.actions.withdraw import withdraw
from backend.labeling.models import Annotation, Suggestion
from backend.labeling.queries.items import visible
from backend.labelstudio.actions.tasks import annotate, author_of, change_annotation, change_suggestion, suggest
from backend.labelstudio.queries.shapes import annotation_out, prediction_out, zip_shapes
from backend.labelstudio.queries.subjects import counterpart_of
from backend.labelstudio.routes import Call, route


@route("GET", "tasks/<task>/annotations/", "label.read")
def list_annotations(call: Call) -> Any:
    rows = Annotation.objects.filter(visible(call.schema, call.user, call.role), item=call.subject).select_related("item", "author")
    return [shape for _, shape in zip_shapes(list(rows.order_by("created_at", "id")), counterpart_of(call.schema).pk)]


@route("POST", "tasks/<task>/annotations/", "label.annotate")
def create_annotation(call: Call) -> Any:
    by = author_of(call.fields, call.user, call.role, call.project)
    made = annotate(call.request, call.subject, by, call.fields)
    if made is None:
        return 201, {"id": None, "task": call.subject.pk, "result": [], "was_cancelled": True}
    return 201, annotation_out(made)


@route("GET", "annotations/<annotation>/", "label.read")
def get_annotation(call: Call) -> Any:
    return annotation_out(_seen(call))


@route("PATCH", "annotations/<annotation>/", "label.annotate")
def update_annotation(call: Call) -> Any:
    found = _seen(call)
    by = author_of(call.fields, call.user, call.role, call.project)
    return annotation_out(change_annotation(call.request, found, by, call.fields))


@route("DELETE", "annotations/<annotation>/", "label.annotate")
def delete_annotation(call: Call) -> Any:
    withdraw(call.request, _seen(call), call.user, call.role)
    return 204, None


def _seen(call: Call) -> Annotation:
    """A blind schema hides others' annotations here too."""
    found: Annotation = call.subject
    if not Annotation.objects.filter(visible(call.schema, call.user, call.role), pk=found.pk).exists():
        raise NotFound(what="annotation", name=str(call.parts["annotation"]))
    return found


@route("GET", "predictions/", "signed_in")
def list_predictions(call: Call) -> Any:
    """Of a task, or of a project."""
    from backend.core.http import authorize
    from backend.labelstudio.queries.subjects import SUBJECTS

    kind = "task" if "task" in call.query else "project"
    if kind not in call.query:
        raise InvalidInput(message="Say of which task, or of which project.", field="task")
    n = call.number(kind, 0)
    schema, subject = SUBJECTS[kind](n)
    try:
        authorize(call.user, schema.project.slug, "label.read", call.token)
    except NotFound:
        raise NotFound(what=kind, name=str(n)) from None
    only = Q(item=subject) if kind == "task" else Q(item__schema=schema, item__removed=False)
    return [prediction_out(row, counterpart_of(schema).pk) for row in Suggestion.objects.filter(only).order_by("id")[:100_000]]


@route("POST", "predictions/", "label.manage", by="task")
def create_prediction(call: Call) -> Any:
    return 201, prediction_out(suggest(call.subject, call.fields), counterpart_of(call.schema).pk)


@route("GET", "predictions/<prediction>/", "label.read")
def get_prediction(call: Call) -> Any:
    return prediction_out(call.subject, counterpart_of(call.schema).pk)


@route("PATCH", "predictions/<prediction>/", "label.manage")
def update_prediction(call: Call) -> Any:
    return prediction_out(change_suggestion(call.subject, call.fields), counterpart_of(call.schema).pk)


@route("DELETE", "predictions/<prediction>/", "label.manage")
def delete_prediction(call: Call) -> Any:
    call.subject.delete()
    return 204, None
