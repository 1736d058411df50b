"""ML backends: connected as Label Studio does (`/health`, `/setup`), asked for predictions (`/predict`), which become suggestions.

What a backend answers is not believed: a result that does not fit the label schema is left out, and the backend's row says so.
"""

from __future__ import annotations

import time
from typing import Any

import httpx
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef

from backend.core import outgoing
from backend.core.errors import HeadraceError, InvalidInput
from backend.core.models import ApiToken, User
from backend.core.secrets import encrypt
from backend.datasets.locks import only_one
from backend.labeling.actions import order
from backend.labeling.actions.announce import schema_changed
from backend.labeling.models import LabelSchema, QueueItem, Suggestion
from backend.labeling.queries.items import wording
from backend.labeling.queries.schemas import newest_version, newest_wording
from backend.labeling.queries.waiting import suggestible
from backend.labelstudio.actions.announce import PREDICT, announce
from backend.labelstudio.actions.delivering import auth_of
from backend.labelstudio.actions.incoming import read_prediction
from backend.labelstudio.auth import BACKEND_LIFE, access_for
from backend.labelstudio.models import Backend
from backend.labelstudio.queries.shapes import data_of
from backend.labelstudio.queries.subjects import counterpart_of

BATCH = 32
ASK_S = 10.0
"""How long a backend may take to say that it is there, and to set itself up while a person waits."""
FIELDS = {"title": 200, "description": 10_000, "model_version": 256}
Json = dict[str, Any]


class BackendFails(InvalidInput):
    """The ML backend {url} does not answer as it should: {why}"""


def save_backend(schema: LabelSchema, user: User, token: ApiToken, fields: dict[str, Any], backend: Backend | None = None) -> Backend:
    """Connect one, or change it; refused while it does not answer."""
    row = backend or Backend(schema=schema, created_by=user)
    if backend is None or "url" in fields:
        row.url = outgoing.check_url(fields.get("url"), "url")
    for name, most in FIELDS.items():
        if name in fields:
            setattr(row, name, str(fields[name] or "")[:most])
    for name in ("is_interactive", "auto_update"):
        if name in fields:
            setattr(row, name, bool(fields[name]))
    if isinstance(fields.get("timeout"), int | float):
        row.timeout = min(max(float(fields["timeout"]), 1.0), 600.0)
    if "extra_params" in fields:
        row.extra_params = fields["extra_params"] or {}
    if fields.get("auth_method") == "NONE":
        row.user = row.password = ""
    elif fields.get("basic_auth_user"):
        row.user = str(fields["basic_auth_user"])[:200]
        if fields.get("basic_auth_pass"):
            row.password = encrypt(str(fields["basic_auth_pass"]))
    row.token = token
    set_up(row, schema)
    with transaction.atomic():
        row.save()
        announce(PREDICT, row.pk)
    return row


def set_up(backend: Backend, schema: LabelSchema) -> None:
    """`/health`, then `/setup`; sets state and version on the row. Raises BackendFails."""
    n = counterpart_of(schema).pk
    body = {
        "project": f"{n}.{int(time.time())}", "schema": newest_wording(schema).xml, "hostname": settings.PUBLIC_URL,
        "access_token": access_for(backend.token, reads=n, seconds=BACKEND_LIFE) if backend.token else "",
        "extra_params": backend.extra_params or None,
    }  # fmt: skip
    _ask(backend, "GET", "/health", seconds=ASK_S)
    answer = _ask(backend, "POST", "/setup", body, seconds=ASK_S)
    if backend.auto_update and answer.get("model_version"):
        backend.model_version = str(answer["model_version"])[:256]
    backend.state, backend.message = "connected", ""


def ask_predictions(backend: Backend, schema: LabelSchema, items: list[QueueItem], context: Any = None) -> tuple[list[Any], str]:
    """(A result of each item, the version of the model)."""
    version = newest_wording(schema)
    config, n = wording(version), counterpart_of(schema).pk
    tasks = [
        {"id": i.pk, "data": data_of(i, config), "project": n, "annotations": [], "predictions": [], "meta": {}, "overlap": i.wanted}
        for i in items
    ]
    body = {
        "tasks": tasks, "model_version": backend.model_version or None, "project": f"{n}.{int(time.time())}",
        "label_config": version.xml, "params": {"login": None, "password": None, "context": context},
    }  # fmt: skip
    answer = _ask(backend, "POST", "/predict", body, seconds=backend.timeout)
    results = answer.get("results")
    if not isinstance(results, list) or len(results) != len(items):
        raise BackendFails(
            url=backend.url, why=f"it answers {len(results) if isinstance(results, list) else 'no list of'} results for {len(items)} tasks."
        )
    return results, str(answer.get("model_version") or backend.model_version or "")


def predict(backend_id: int) -> None:
    """In the worker: suggestions for every open item that has none of this model's version yet."""
    with only_one(f"predict:{backend_id}") as mine:
        backend = Backend.objects.select_related("schema__project", "schema__dataset", "token__user").filter(pk=backend_id).first()
        if not mine or backend is None or backend.schema.deleted_at is not None:
            return
        try:
            set_up(backend, backend.schema)
            left_out = _predict_all(backend)
            backend.message = f"{left_out} predictions did not fit the label schema and were left out." if left_out else ""
        except HeadraceError as e:
            backend.state, backend.message = "disconnected", f"{e} {e.hint}".strip()[:500]
        backend.save(update_fields=["state", "message", "model_version", "updated_at"])
        schema_changed(backend.schema)


def _predict_all(backend: Backend) -> int:
    schema, left_out, last = backend.schema, 0, 0
    config = wording(newest_version(schema))
    said = Suggestion.objects.filter(item=OuterRef("pk"), model_version=backend.model_version)
    while True:
        rows = suggestible(schema).filter(pk__gt=last).exclude(Exists(said))
        items = list(rows.order_by("pk")[:BATCH])
        if not items:
            return left_out
        last = items[-1].pk
        results, version = ask_predictions(backend, schema, items)
        made = []
        for item, result in zip(items, results, strict=True):
            if not isinstance(result, dict) or not result.get("result"):
                continue
            try:
                read = read_prediction(config, data_of(item, config), result)
            except InvalidInput:
                left_out += 1
                continue
            named = str(result.get("model_version") or version)[:256]
            made.append(Suggestion(item=item, model_version=named, score=read.score, result=read.result))
        with transaction.atomic():
            Suggestion.objects.bulk_create(made)
            order.suggested(schema, [s.item_id for s in made])


def _ask(backend: Backend, method: str, path: str, body: Json | None = None, *, seconds: float) -> Json:
    try:
        with outgoing.client(seconds=seconds) as client:
            answer = outgoing.fetch(client, method, backend.url.rstrip("/") + path, json=body, auth=auth_of(backend))
        if not answer.is_success:
            raise BackendFails(url=backend.url, why=f"{path} answers {answer.status_code}.", field="url")
        found = answer.json()
    except (httpx.HTTPError, OSError, ValueError) as e:
        raise BackendFails(url=backend.url, why=f"{path}: {e}"[:300], field="url") from e
    return found if isinstance(found, dict) else {}
