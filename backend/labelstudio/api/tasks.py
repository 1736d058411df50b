"""Tasks, their pictures, views."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import Q, Sum

from backend.artifacts.responses import FOREVER, stored_response
from backend.core.errors import InvalidInput
from backend.labeling.models import QueueItem, Suggestion
from backend.labeling.queries.items import file_of
from backend.labelstudio.actions.importing import import_tasks
from backend.labelstudio.actions.tasks import change_task, remove_tasks
from backend.labelstudio.models import View
from backend.labelstudio.queries.shapes import tasks_out
from backend.labelstudio.queries.subjects import counterpart_of
from backend.labelstudio.queries.tasks import LARGEST_PAGE, PAGE, listed, live, page_of
from backend.labelstudio.routes import Call, route


@route("GET", "tasks/", "label.read", by="project")
def list_tasks(call: Call) -> Any:
    view = call.number("view", 0) or None
    rows = listed(call.schema, view, call.query.get("query"), only_annotated=call.flag("only_annotated"))
    size = max(call.number("page_size", PAGE, LARGEST_PAGE), 1)
    items, total = page_of(rows, call.number("page", 1), size)
    everything = live(call.schema)
    return {
        "tasks": tasks_out(call.schema, items, call.user, call.role, only_data=call.query.get("fields") == "task_only"),
        "total": total,
        "total_annotations": everything.aggregate(n=Sum("done"))["n"] or 0,
        "total_predictions": Suggestion.objects.filter(item__schema=call.schema, item__removed=False).count(),
    }


@route("POST", "tasks/", "dataset.write", by="project")
def create_task(call: Call) -> Any:
    fields = {name: call.fields[name] for name in ("data", "meta", "annotations", "predictions") if name in call.fields}
    if not isinstance(fields.get("data"), dict):
        raise InvalidInput(message="This field is required.", field="data", hint='{"data": {…}, "project": 1}')
    made = import_tasks(call.request, call.schema, call.user, call.role, [fields])
    return 201, tasks_out(call.schema, list(QueueItem.objects.filter(pk__in=made["task_ids"])), call.user, call.role)[0]


@route("GET", "tasks/<task>/", "label.read")
def get_task(call: Call) -> Any:
    return tasks_out(call.schema, [call.subject], call.user, call.role)[0]


@route("PATCH", "tasks/<task>/", "dataset.write")
def update_task(call: Call) -> Any:
    return tasks_out(call.schema, [change_task(call.request, call.subject, call.fields)], call.user, call.role)[0]


@route("DELETE", "tasks/<task>/", "dataset.write")
def delete_task(call: Call) -> Any:
    remove_tasks(call.request, call.schema, Q(pk=call.subject.pk))
    return 204, None


@route("GET", "tasks/<task>/file/", "label.read")
def get_file(call: Call) -> Any:
    """The bytes of a picture: what `data` of an image task links to."""
    name, digest = file_of(call.subject)
    return stored_response(call.request, digest, filename=name, media_type=call.subject.media_type, cache=FOREVER)


@route("GET", "dm/views/", "label.read", by="project")
def list_views(call: Call) -> Any:
    return [_view_out(call, view) for view in View.objects.filter(schema=call.schema).order_by("order", "pk")]


@route("POST", "dm/views/", "label.manage", by="project")
def create_view(call: Call) -> Any:
    made = View.objects.create(
        schema=call.schema, data=_data(call), created_by=call.user, order=View.objects.filter(schema=call.schema).count()
    )
    return 201, _view_out(call, made)


@route("GET", "dm/views/<view>/", "label.read")
def get_view(call: Call) -> Any:
    return _view_out(call, call.subject)


@route("PATCH", "dm/views/<view>/", "label.manage")
def update_view(call: Call) -> Any:
    if "data" in call.fields:
        call.subject.data = _data(call)
        call.subject.save(update_fields=["data"])
    return _view_out(call, call.subject)


@route("DELETE", "dm/views/<view>/", "label.manage")
def delete_view(call: Call) -> Any:
    call.subject.delete()
    return 204, None


@route("DELETE", "dm/views/reset/", "label.manage", by="project")
def reset_views(call: Call) -> Any:
    View.objects.filter(schema=call.schema).delete()
    return 204, None


@route("POST", "dm/views/order/", "label.manage", by="project")
def order_views(call: Call) -> Any:
    for place, n in enumerate(call.fields.get("ids") or []):
        View.objects.filter(schema=call.schema, pk=n).update(order=place)
    return 200, None


def _data(call: Call) -> dict[str, Any]:
    """Filters and order are tried at once: a view that cannot be shown is refused when it is made."""
    data = call.fields.get("data") or {}
    if not isinstance(data, dict):
        raise InvalidInput(message="The data of a view is an object.", field="data")
    listed(call.schema, None, json.dumps(data))
    return data


def _view_out(call: Call, view: View) -> dict[str, Any]:
    return {
        "id": view.pk, "data": view.data, "order": view.order, "project": counterpart_of(call.schema).pk, "user": None,
        "selected_items": None,
        "ordering": view.data.get("ordering", []), "filter_group": None, "is_locked": False, "locked_at": None, "locked_by": None,
    }  # fmt: skip
