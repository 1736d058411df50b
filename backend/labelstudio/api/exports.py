"""Exports: at once, or kept as a snapshot."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from backend.artifacts.responses import bytes_response, stored_response
from backend.artifacts.storage import store
from backend.core.errors import InvalidInput
from backend.labeling.models import QueueItem
from backend.labelstudio.models import Snapshot
from backend.labelstudio.queries.export import FORMATS, MEDIA, known, pieces, tasks
from backend.labelstudio.queries.tasks import listed
from backend.labelstudio.routes import Call, route


@route("GET", "projects/<project>/export/", "label.read")
def export(call: Call) -> Any:
    """Tasks that somebody has annotated, or all (`download_all_tasks`)."""
    form = known(call.query.get("export_type") or call.query.get("exportType"))
    rows = listed(call.schema, None, None, only_annotated=not call.flag("download_all_tasks"))
    if ids := [n for text in [*call.query.getlist("ids"), *call.query.getlist("ids[]")] for n in text.split(",")]:
        if not all(n.strip().isdigit() for n in ids):
            raise InvalidInput(message="“ids” are numbers of tasks.", field="ids")
        rows = rows.filter(pk__in=[int(n) for n in ids])
    return bytes_response(
        call.request, pieces(tasks(call.schema, rows, call.user, call.role), form), filename=_name(call, form), media_type=MEDIA[form],
        attachment=True,
    )  # fmt: skip


@route("GET", "projects/<project>/export/formats/", "label.read")
def list_formats(call: Call) -> Any:
    return list(FORMATS)


@route("GET", "projects/<project>/exports/", "label.read")
def list_snapshots(call: Call) -> Any:
    return [_out(row) for row in Snapshot.objects.filter(schema=call.schema).order_by("-pk")]


@route("POST", "projects/<project>/exports/", "label.read")
def create_snapshot(call: Call) -> Any:
    rows = _chosen(call)
    digest = hashlib.md5(usedforsecurity=False)  # what Label Studio's clients compare
    found = list(rows.values_list("pk", flat=True))

    def told() -> Iterator[bytes]:
        for piece in pieces(tasks(call.schema, rows, call.user, call.role), "JSON"):
            digest.update(piece)
            yield piece

    stored = store().put_stream(told(), "application/json")
    made = Snapshot.objects.create(
        schema=call.schema, title=str(call.fields.get("title") or "")[:200], digest=stored.digest, md5=digest.hexdigest(),
        counters={"task_number": len(found)}, created_by=call.user,
    )  # fmt: skip
    return 201, _out(made)


@route("GET", "projects/<project>/exports/<export>/", "label.read")
def get_snapshot(call: Call) -> Any:
    return _out(call.subject)


@route("DELETE", "projects/<project>/exports/<export>/", "label.manage")
def delete_snapshot(call: Call) -> Any:
    call.subject.delete()
    return 204, None


@route("GET", "projects/<project>/exports/<export>/download/", "label.read")
def download_snapshot(call: Call) -> Any:
    if (form := known(call.query.get("exportType"))) != "JSON":
        raise InvalidInput(message="A snapshot is JSON.", field="exportType", hint=f"For {form} ask for /export?export_type={form}.")
    name = f"snapshot-{call.subject.pk}.json"
    return stored_response(call.request, call.subject.digest, filename=name, media_type="application/json", attachment=True)


def _chosen(call: Call) -> QuerySet[QueueItem]:
    wanted = call.fields.get("task_filter_options") or {}
    if not isinstance(wanted, dict):
        raise InvalidInput(message="“task_filter_options” is an object.", field="task_filter_options")
    rows = listed(call.schema, wanted.get("view") or None, None, only_annotated=wanted.get("annotated") == "only")
    return rows.filter(done=0) if wanted.get("annotated") == "exclude" else rows


def _name(call: Call, form: str) -> str:
    ending = {"JSON": "json", "JSON_MIN": "json", "CSV": "csv", "TSV": "tsv"}[form]
    return f"{call.schema.slug}.{ending}"


def _out(row: Snapshot) -> dict[str, Any]:
    return {
        "id": row.pk, "title": row.title, "status": "completed", "md5": row.md5, "counters": row.counters, "created_by": None,
        "created_at": row.created_at, "finished_at": row.created_at, "converted_formats": [],
    }  # fmt: skip
