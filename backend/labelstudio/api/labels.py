"""Annotations and predictions."""

from __future__ import annotations

import contextlib
from typing import Any

from django.db.models import Q

from backend.core.errors import HeadraceError, InvalidInput, NotFound
from backend.core.permissions import may
from backend.labeling.actions.withdraw import withdraw
from backend.labeling.models import Annotation, Skip, Suggestion
from backend.labeling.queries.items import visible
from backend.labelstudio.actions.tasks import (
    annotate,
    author_of,
    change_annotation,
    change_skip,
    change_suggestion,
    drop_suggestion,
    mark_truth,
    skip_instead,
    skip_of,
    suggest,
    take_back_skip,
)
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
        return 201, annotation_out(skip_of(call.subject, by))
    return 201, annotation_out(_marked(call, made, alone=False) if call.fields.get("ground_truth") else made)


@route("GET", "annotations/<annotation>/", "label.read")
def get_annotation(call: Call) -> Any:
    return annotation_out(_seen(call))


@route("PATCH", "annotations/<annotation>/", "label.annotate")
def update_annotation(call: Call) -> Any:
    found = _seen(call)
    if isinstance(found, Skip):
        return annotation_out(change_skip(call.request, found, call.user, call.role, call.fields))
    if call.fields.get("was_cancelled"):
        return annotation_out(skip_instead(call.request, found, call.user, call.role, call.fields))
    by = author_of(call.fields, call.user, call.role, call.project)
    alone = "result" not in call.fields and isinstance(call.fields.get("ground_truth"), bool)
    if not alone:
        found = change_annotation(call.request, found, by, call.fields)
    return annotation_out(_marked(call, found, alone=alone))


def _marked(call: Call, annotation: Annotation, *, alone: bool) -> Annotation:
    """With the ground truth flag that came. What is said beside it counts also where its author may not call it the truth; the answer says
    what became of it."""
    wanted = call.fields.get("ground_truth")
    if isinstance(wanted, bool):
        with contextlib.nullcontext() if alone else contextlib.suppress(HeadraceError):
            mark_truth(call.request, annotation, call.user, call.role, wanted)
        annotation.item.refresh_from_db(fields=["truth"])
    return annotation


@route("DELETE", "annotations/<annotation>/", "label.annotate")
def delete_annotation(call: Call) -> Any:
    found = _seen(call)
    if isinstance(found, Skip):
        take_back_skip(call.request, found, call.user, call.role)
    else:
        withdraw(call.request, found, call.user, call.role)
    return 204, None


def _seen(call: Call) -> Annotation | Skip:
    """A blind schema hides others' annotations here too, and who may not review sees their own skips only."""
    found: Annotation | Skip = call.subject
    if isinstance(found, Skip):
        if found.user_id != call.user.pk and not may(call.role, "label.review"):
            raise NotFound(what="annotation", name=str(call.parts["annotation"]))
        return found
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
    drop_suggestion(call.subject)
    return 204, None
