"""Projects, label configs, import."""

from __future__ import annotations

import time
from typing import Any

from django.db.models import Q

from backend.core.errors import InvalidInput, NotFound
from backend.labeling.models import LabelSchema
from backend.labeling.queries.items import wording
from backend.labeling.queries.schemas import newest_version
from backend.labelstudio.actions.importing import import_tasks
from backend.labelstudio.actions.projects import change_project, config_of, home_of, make_project, mine, remove_project
from backend.labelstudio.actions.tasks import import_suggestions, remove_tasks
from backend.labelstudio.api.uploads import receive
from backend.labelstudio.errors import NotServed
from backend.labelstudio.queries.shapes import projects_out, tasks_out
from backend.labelstudio.queries.tasks import listed, page_of
from backend.labelstudio.routes import Call, route

PAGE, LARGEST = 100, 1000


@route("GET", "projects/", "signed_in")
def list_projects(call: Call) -> Any:
    rows = (
        LabelSchema.objects.filter(mine(call.user, call.token))
        .select_related("project", "dataset", "created_by")
        .order_by("-created_at", "-id")
    )
    if title := call.query.get("title"):
        rows = rows.filter(name__icontains=title)
    if ids := call.query.get("ids"):
        rows = rows.filter(counterpart__in=[int(n) for n in ids.split(",") if n.strip().isdigit()])
    size, page = max(call.number("page_size", PAGE, LARGEST), 1), max(call.number("page", 1), 1)
    total, begin = rows.count(), (page - 1) * size
    if begin and begin >= total:
        raise NotFound(what="page", name=str(page))
    found = list(rows[begin : begin + size])
    more = begin + size < total
    at = call.request.build_absolute_uri(call.request.path)
    return {
        "count": total, "next": f"{at}?page={page + 1}&page_size={size}" if more else None,
        "previous": f"{at}?page={page - 1}&page_size={size}" if page > 1 else None, "results": projects_out(found),
    }  # fmt: skip


@route("POST", "projects/", "signed_in")
def create_project(call: Call) -> Any:
    home = home_of(call.user, call.token, call.fields.get("workspace"))
    return 201, projects_out([make_project(call.request, home, call.user, call.fields)])[0]


@route("POST", "projects/validate/", "signed_in")
def validate_config(call: Call) -> Any:
    config_of(call.fields.get("label_config"))
    return 204, None


@route("GET", "projects/<project>/", "label.read")
def get_project(call: Call) -> Any:
    schema = LabelSchema.objects.select_related("created_by", "project", "dataset").get(pk=call.schema.pk)
    return projects_out([schema])[0]


@route("PATCH", "projects/<project>/", "label.manage")
def update_project(call: Call) -> Any:
    return projects_out([change_project(call.request, call.schema, call.user, call.fields)])[0]


@route("DELETE", "projects/<project>/", "label.manage")
def delete_project(call: Call) -> Any:
    remove_project(call.request, call.schema)
    return 204, None


@route("POST", "projects/<project>/validate/", "label.read")
def validate_project_config(call: Call) -> Any:
    config_of(call.fields.get("label_config"))
    return {"label_config": call.fields["label_config"]}


@route("POST", "projects/<project>/import/", "dataset.write")
def import_into_project(call: Call) -> Any:
    if call.query.get("preannotated_from_fields"):
        raise NotServed(message="Predictions come in the list “predictions” of a task here.", field="preannotated_from_fields")
    begun = time.monotonic()
    given, uploads = None, []
    if (call.request.content_type or "").startswith("multipart/"):
        uploads = receive(call)
        given = [{"data": {next(iter(wording(newest_version(call.schema)).variables)): f"/data/{row.path}"}} for row in uploads]
        if call.query.get("commit_to_project", "").lower() in ("false", "0", "no"):
            return 201, {
                "task_count": len(uploads), "annotation_count": None, "prediction_count": None, "duration": 0.0,
                "file_upload_ids": [row.pk for row in uploads], "could_be_tasks_list": False, "found_formats": [], "data_columns": [],
            }  # fmt: skip
    found = import_tasks(call.request, call.schema, call.user, call.role, call.body if given is None else given)
    ids = found.pop("task_ids")
    if call.flag("return_task_ids"):
        found["task_ids"] = ids
    return 201, {
        **found, "duration": round(time.monotonic() - begun, 3), "file_upload_ids": [row.pk for row in uploads],
        "could_be_tasks_list": False, "found_formats": [],
    }  # fmt: skip


@route("POST", "projects/<project>/import/predictions/", "label.manage")
def import_predictions(call: Call) -> Any:
    return 201, {"created": import_suggestions(call.schema, call.body)}


@route("GET", "projects/<project>/tasks/", "label.read")
def list_project_tasks(call: Call) -> Any:
    """The list that Label Studio's first SDK reads."""
    rows = listed(call.schema, None, None)
    items, _ = page_of(rows, call.number("page", 1), max(call.number("page_size", PAGE, LARGEST), 1))
    return tasks_out(call.schema, items, call.user, call.role)


@route("DELETE", "projects/<project>/tasks/", "dataset.write")
def delete_project_tasks(call: Call) -> Any:
    remove_tasks(call.request, call.schema, Q())
    return 204, None


@route("POST", "dm/actions/", "dataset.write", by="project")
def act(call: Call) -> Any:
    """Of the data manager's actions, deleting tasks."""
    if call.query.get("id") != "delete_tasks":
        raise NotServed(message="Of the data manager's actions there is delete_tasks here.", field="id")
    chosen = call.fields.get("selectedItems")
    if not isinstance(chosen, dict):
        raise InvalidInput(message="Say which tasks.", field="selectedItems", hint='{"all": false, "included": [1]}')
    rows = listed(call.schema, None, None)
    rows = rows.exclude(pk__in=chosen.get("excluded") or []) if chosen.get("all") else rows.filter(pk__in=chosen.get("included") or [])
    return {"processed_items": remove_tasks(call.request, call.schema, Q(pk__in=list(rows.values_list("pk", flat=True))))}
