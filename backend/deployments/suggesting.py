"""Suggestions by a model that is deployed: an endpoint answers for the open items of a label schema, batch by batch, in the worker.

An answer becomes a `labeling.Suggestion` whose score is the probability of its label; a schema whose order is “uncertain first” then
begins with what the model is least sure of. Asked again (of a newer model, say) the items are answered anew; what people labelled
stays theirs.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from backend.artifacts.storage import store
from backend.core.actions import audit
from backend.core.errors import HeadraceError
from backend.core.ids import new_id
from backend.core.models import Project, User
from backend.datasets.actions.announce import PATIENCE, announce, send
from backend.datasets.locks import only_one
from backend.deployments import passing, queries
from backend.deployments.errors import CannotSuggest, PredictionRefused
from backend.deployments.models import Deployment, Endpoint, Prelabelling
from backend.labeling.actions import auto_accept, order
from backend.labeling.actions.announce import schema_changed
from backend.labeling.actions.fill import table_rows
from backend.labeling.actions.schemas import newest_frozen
from backend.labeling.models import LabelSchema, QueueItem, Suggestion
from backend.labeling.queries.items import wording
from backend.labeling.queries.schemas import newest_version
from backend.labeling.queries.waiting import suggestible
from workers.sdk.labels.config import LabelConfig, LabelControl

PRELABEL = "deployments.prelabel"
IMAGES, ROWS = 16, 500
"""Items asked about at once: a request with sixteen pictures stays below the predictor's bound."""
ATTEMPTS = 3
Batch = list[tuple[QueueItem, dict[str, Any]]]


def suitable(endpoint: Endpoint, schema: LabelSchema) -> tuple[LabelControl, Deployment]:
    """The question that the endpoint's model answers, and what answers; raises CannotSuggest with the reason."""
    rows = Deployment.objects.select_related("model_version__model").filter(endpoint=endpoint)
    answering = queries.current(endpoint, rows)
    if answering is None or answering.status != "live":
        raise CannotSuggest(endpoint=endpoint.slug, why="nothing answers there now", field="endpoint")
    manifest = answering.model_version.manifest
    labels = set(manifest.get("output", {}).get("labels") or [])
    if not labels:
        raise CannotSuggest(endpoint=endpoint.slug, why="its model tells no classes", field="endpoint")
    kind, images = manifest.get("input", {}).get("kind"), schema.dataset.modality == "images"
    if images != (kind == "image") or schema.dataset.modality not in ("images", "table"):
        takes = "pictures" if kind == "image" else "rows of a table"
        raise CannotSuggest(endpoint=endpoint.slug, why=f"its model takes {takes}", field="endpoint")
    if not images:
        there = {column["name"] for column in newest_frozen(schema.dataset).columns}
        needed = [c["name"] for c in manifest["input"]["columns"] if c.get("required") and c["name"] not in there]
        if needed:
            raise CannotSuggest(endpoint=endpoint.slug, why=f"the data has no column {', '.join(needed[:8])}", field="endpoint")
    for control in wording(newest_version(schema)).controls:
        if control.tag == "Choices" and {str(label) for label in labels} <= control.values:
            return control, answering
    names = ", ".join(sorted(map(str, labels))[:12])
    raise CannotSuggest(endpoint=endpoint.slug, why=f"no question of this schema offers all its classes ({names})", field="endpoint")


def start(request: Any, project: Project, schema: LabelSchema, user: User, slug: str) -> Prelabelling:
    """Have an endpoint suggest labels for all open items. One at a time for a schema; what was asked before ends."""
    endpoint = queries.find(project, slug)
    control, _ = suitable(endpoint, schema)
    total = suggestible(schema).count()
    with transaction.atomic():
        made, _ = Prelabelling.objects.update_or_create(
            schema=schema,
            defaults={
                "endpoint": endpoint, "control": control.name, "status": "queued", "message": "", "total": total, "done": 0, "refused": 0,
                "attempts": 0, "announced_at": timezone.now(), "created_by": user, "created_at": timezone.now(),
            },
        )  # fmt: skip
        audit.record(
            request, "label_schema.suggest", ("label_schema", schema.pk, schema.slug), project=project, details={"endpoint": endpoint.slug}
        )
        announce(PRELABEL, schema.pk)
        schema_changed(schema)
    return made


def cancel(request: Any, schema: LabelSchema) -> None:
    """Stop; what is suggested stays. Nothing happens where nothing runs."""
    with transaction.atomic():
        if Prelabelling.objects.filter(schema=schema, status__in=["queued", "running"]).update(status="cancelled"):
            audit.record(request, "label_schema.stop_suggesting", ("label_schema", schema.pk, schema.slug), project=schema.project)
            schema_changed(schema)


def out(schema: LabelSchema) -> dict[str, Any] | None:
    """Where it stands; None where nobody has asked."""
    row = Prelabelling.objects.select_related("endpoint", "created_by").filter(schema=schema).first()
    if row is None:
        return None
    fields = ("control", "status", "message", "total", "done", "refused", "created_by", "created_at")
    return {**{name: getattr(row, name) for name in fields}, "endpoint": row.endpoint.slug, "endpoint_name": row.endpoint.name}


def announce_waiting(everything: bool = False) -> None:
    """Send again what nobody took up, or, when a worker starts, all that is not done."""
    now = timezone.now()
    rows = Prelabelling.objects.filter(status__in=["queued", "running"])
    waiting = list((rows if everything else rows.filter(announced_at__lt=now - PATIENCE)).values_list("pk", flat=True)[:500])
    Prelabelling.objects.filter(pk__in=waiting).update(announced_at=now)
    for id_ in waiting:
        send(PRELABEL, id_)


def prelabel(schema_id: UUID) -> None:
    """In the worker. Safe to call again: it begins anew, and a second one beside it does nothing."""
    with only_one(f"prelabel:{schema_id}") as mine:
        rows = Prelabelling.objects.filter(pk=schema_id, status__in=["queued", "running"])
        job = rows.select_related("schema__project", "schema__dataset", "endpoint__project", "endpoint__split", "created_by").first()
        if not mine or job is None:
            return
        rows.update(status="running", attempts=F("attempts") + 1, done=0, refused=0, announced_at=timezone.now())
        if job.attempts >= ATTEMPTS:
            _end(job, "failed", f"It ended the worker {ATTEMPTS} times; the studio's log says why.")
            return
        try:
            control, answering = suitable(job.endpoint, job.schema)
            config = wording(newest_version(job.schema))
            asked_at = job.created_at
            for batch in _pictures(job.schema) if job.schema.dataset.modality == "images" else _rows(job.schema, answering):
                if not _answered(job, config, control, batch):
                    return
            if Prelabelling.objects.filter(pk=schema_id, created_at=asked_at, status="running").exists():
                _end(job, "done", "")
                auto_accept.soon(job.schema)
        except HeadraceError as error:
            _end(job, "failed", f"{error} {error.hint}".strip())
    if Prelabelling.objects.filter(pk=schema_id, status="queued").exists():  # asked for anew meanwhile; its message came to nothing
        send(PRELABEL, schema_id)


def _end(job: Prelabelling, status: str, message: str) -> None:
    Prelabelling.objects.filter(pk=job.pk, created_at=job.created_at).update(status=status, message=message[:500])
    schema_changed(job.schema)


def _pictures(schema: LabelSchema) -> Iterator[Batch]:
    last = 0
    while items := list(suggestible(schema).filter(pk__gt=last).order_by("pk")[:IMAGES]):
        last = items[-1].pk
        yield [(item, {"image": base64.b64encode(store().read(item.digest)).decode()}) for item in items]


def _rows(schema: LabelSchema, answering: Deployment) -> Iterator[Batch]:
    """With all columns that the model takes, whether the schema shows them or not: from the data set's newest version."""
    wanted = [column["name"] for column in answering.model_version.manifest["input"]["columns"]]
    version = newest_frozen(schema.dataset)
    there = [name for name in wanted if name in {column["name"] for column in version.columns}]
    held: dict[tuple[str, str], dict[str, Any]] = {}

    def found() -> Batch:
        items = suggestible(schema).filter(digest__in=[digest for _, digest in held])
        return [(item, held[item.key, item.digest]) for item in items if (item.key, item.digest) in held]

    for key, digest, data in table_rows(version.data, there):
        held[key, digest] = {name: value for name, value in data.items() if value is not None}
        if len(held) == ROWS:
            if batch := found():
                yield batch
            held.clear()
    if held and (batch := found()):
        yield batch


def _answered(job: Prelabelling, config: LabelConfig, control: LabelControl, batch: Batch) -> bool:
    """Ask and keep; False when the job was cancelled or asked for anew meanwhile."""
    told, refused = _ask(job, batch)
    made = []
    for item, answer, version in told:
        label, shares = answer.get("label"), answer.get("probabilities") or {}
        if label is None:
            continue
        said = {
            "id": new_id().hex[:10], "from_name": control.name, "to_name": control.to, "type": "choices",
            "value": {"choices": [str(label)]},
        }  # fmt: skip
        made.append(Suggestion(item=item, model_version=f"{job.endpoint.slug}: {version}"[:256], score=shares.get(label), result=[said]))
    with transaction.atomic():
        going = Prelabelling.objects.select_for_update().filter(pk=job.pk, created_at=job.created_at, status="running")
        if not going.update(done=F("done") + len(batch) - refused, refused=F("refused") + refused, announced_at=timezone.now()):
            return False
        ids = [one.item_id for one in made]
        Suggestion.objects.filter(item__in=ids, model_version__startswith=f"{job.endpoint.slug}: ").delete()
        Suggestion.objects.bulk_create(made)
        order.suggested(job.schema, ids)
    return True


def _ask(job: Prelabelling, batch: Batch) -> tuple[list[tuple[QueueItem, dict[str, Any], str]], int]:
    """(Item, answer, model version) of those that the model can answer, and how many it cannot (a missing value, a broken picture)."""
    refused, user = 0, job.created_by
    while batch:
        body = json.dumps({"instances": [instance for _, instance in batch]}).encode()
        try:
            response = passing.predict(job.endpoint, user or job.schema.created_by, body)
        except PredictionRefused as error:
            named = {int(n) for p in error.problems for n in re.findall(r"^instances\.(\d+)\.", p.get("field") or "")}
            bad = {n for n in named if n < len(batch)}
            if not bad:
                raise
            refused += len(bad)
            batch = [one for n, one in enumerate(batch) if n not in bad]
            continue
        answers = json.loads(response.content)["predictions"]
        version = response.get(passing.LABEL, "")
        return [(item, answer, version) for (item, _), answer in zip(batch, answers, strict=True)], refused
    return [], refused
