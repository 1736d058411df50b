"""Webhooks and ML backends."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import Q

from backend.core import outgoing
from backend.core.errors import InvalidInput
from backend.core.secrets import encrypt
from backend.labeling.models import QueueItem
from backend.labelstudio.actions.announce import PREDICT, send
from backend.labelstudio.actions.backends import ask_predictions, save_backend
from backend.labelstudio.actions.telling import ACTIONS, train
from backend.labelstudio.models import Backend, Webhook
from backend.labelstudio.queries.subjects import SUBJECTS, counterpart_of
from backend.labelstudio.routes import Call, route


@route("GET", "webhooks/", "label.manage", by="project")
def list_webhooks(call: Call) -> Any:
    rows = Webhook.objects.filter(Q(schema=call.schema) | Q(schema=None), project=call.project)
    return [_webhook_out(row, call) for row in rows.order_by("pk")]


@route("POST", "webhooks/", "label.manage", by="project")
def create_webhook(call: Call) -> Any:
    row = Webhook(project=call.project, schema=call.schema, created_by=call.user)
    return 201, _webhook_out(_set_webhook(row, call.fields), call)


@route("GET", "webhooks/info/", "signed_in")
def list_actions(call: Call) -> Any:
    return {name: {"name": words, "description": words, "key": name, "organization-only": False} for name, words in ACTIONS.items()}


@route("GET", "webhooks/<webhook>/", "label.manage")
def get_webhook(call: Call) -> Any:
    return _webhook_out(call.subject, call)


@route("PATCH", "webhooks/<webhook>/", "label.manage")
def update_webhook(call: Call) -> Any:
    return _webhook_out(_set_webhook(call.subject, {"url": call.subject.url, **call.fields}), call)


@route("DELETE", "webhooks/<webhook>/", "label.manage")
def delete_webhook(call: Call) -> Any:
    call.subject.delete()
    return 204, None


def _set_webhook(row: Webhook, fields: dict[str, Any]) -> Webhook:
    row.url = outgoing.check_url(fields.get("url"), "url")
    for name in ("send_payload", "send_for_all_actions", "is_active"):
        if name in fields:
            setattr(row, name, bool(fields[name]))
    if "actions" in fields:
        actions = fields["actions"] or []
        if not isinstance(actions, list) or not set(map(str, actions)) <= ACTIONS.keys():
            raise InvalidInput(message="There is no such action.", field="actions", hint="Of " + ", ".join(ACTIONS) + ".")
        row.actions = actions
    if "headers" in fields:
        headers = fields["headers"] or {}
        if not isinstance(headers, dict) or not all(
            isinstance(v, str) and "\n" not in k + v and "\r" not in k + v for k, v in headers.items()
        ):
            raise InvalidInput(message="Headers are an object of texts.", field="headers")
        row.headers = encrypt(json.dumps(headers)) if headers else ""
    row.save()
    return row


def _webhook_out(row: Webhook, call: Call) -> dict[str, Any]:
    """Values of headers are not shown again: they hold keys."""
    return {
        "id": row.pk, "organization": 1, "project": counterpart_of(call.schema).pk if row.schema_id else None, "url": row.url,
        "send_payload": row.send_payload, "send_for_all_actions": row.send_for_all_actions, "actions": row.actions, "headers": {},
        "is_active": row.is_active, "consecutive_failures": row.failures, "created_at": row.created_at, "updated_at": row.updated_at,
    }  # fmt: skip


@route("GET", "ml/", "label.read", by="project")
def list_backends(call: Call) -> Any:
    return [_backend_out(row, call) for row in Backend.objects.filter(schema=call.schema).order_by("pk")]


@route("POST", "ml/", "label.manage", by="project")
def create_backend(call: Call) -> Any:
    return 201, _backend_out(save_backend(call.schema, call.user, call.token, call.fields), call)


@route("GET", "ml/<ml>/", "label.read")
def get_backend(call: Call) -> Any:
    return _backend_out(call.subject, call)


@route("PATCH", "ml/<ml>/", "label.manage")
def update_backend(call: Call) -> Any:
    return _backend_out(save_backend(call.schema, call.user, call.token, call.fields, call.subject), call)


@route("DELETE", "ml/<ml>/", "label.manage")
def delete_backend(call: Call) -> Any:
    call.subject.delete()
    return 204, None


@route("POST", "ml/<ml>/train/", "label.manage")
def train_backend(call: Call) -> Any:
    train(call.subject)
    return {"detail": "The backend is told to train."}


@route("POST", "ml/<ml>/predict/", "label.manage")
def predict_tasks(call: Call) -> Any:
    send(PREDICT, call.subject.pk)
    return {"detail": "Predictions are asked for."}


@route("POST", "ml/<ml>/interactive-annotating/", "label.annotate")
def predict_interactive(call: Call) -> Any:
    """At once, for what a person is doing; nothing is kept."""
    if not call.subject.is_interactive:
        raise InvalidInput(message="Model is not set to be used for interactive preannotations.", field="is_interactive")
    given = call.fields.get("task")
    if not isinstance(given, int):
        raise InvalidInput(message="This field is required.", field="task")
    schema, item = SUBJECTS["task"](given)
    if schema.pk != call.schema.pk:
        raise InvalidInput(message="This task is of another project.", field="task")
    found: QueueItem = item
    results, version = ask_predictions(call.subject, call.schema, [found], context=call.fields.get("context"))
    data = results[0] if isinstance(results[0], dict) else {}
    return {"data": {"model_version": version, **data}}


def _backend_out(row: Backend, call: Call) -> dict[str, Any]:
    connected = row.state == "connected"
    return {
        "id": row.pk, "url": row.url, "title": row.title, "description": row.description, "model_version": row.model_version,
        "is_interactive": row.is_interactive, "auto_update": row.auto_update, "timeout": row.timeout, "extra_params": row.extra_params,
        "auth_method": "BASIC_AUTH" if row.user else "NONE", "basic_auth_user": row.user, "basic_auth_pass_is_set": bool(row.password),
        "state": "CO" if connected else "DI", "readable_state": "Connected" if connected else "Disconnected", "error_message": row.message,
        "project": counterpart_of(call.schema).pk, "created_at": row.created_at, "updated_at": row.updated_at,
    }  # fmt: skip
