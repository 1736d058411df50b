"""Suggestions by a model: an endpoint, or a registered model, answers for the open items of a label schema, batch by batch, in the worker.

An answer becomes a `labeling.Suggestion` whose score is the probability of its label (of boxes: how sure the most doubtful one is; of
spans: of the least sure place); a schema whose order is “uncertain first” then begins with what the model is least sure of. Asked again
(of a newer model, say) the items are answered anew; what people labelled stays theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from backend.core.actions import audit
from backend.core.errors import HeadraceError
from backend.core.ids import new_id
from backend.core.models import Project, User
from backend.datasets.actions.announce import PATIENCE, announce, send
from backend.datasets.locks import only_one
from backend.deployments import boxes, queries, spans
from backend.deployments.asking import IMAGES, ROWS, TEXTS, Ask, asking, name_of
from backend.deployments.errors import CannotSuggest
from backend.deployments.models import Deployment, Endpoint, Prelabelling
from backend.labeling.actions import auto_accept, order
from backend.labeling.actions.announce import schema_changed
from backend.labeling.actions.schemas import newest_frozen
from backend.labeling.models import LabelSchema, QueueItem, Suggestion
from backend.labeling.queries.items import wording
from backend.labeling.queries.schemas import newest_version
from backend.labeling.queries.waiting import suggestible
from backend.labeling.rows import table_rows, text_rows
from backend.registry import queries as registry
from backend.registry.models import ModelVersion
from workers.sdk.labels.config import LabelControl

PRELABEL = "deployments.prelabel"
ATTEMPTS = 3
Json = dict[str, Any]
Batch = list[tuple[QueueItem, Json]]
CHARACTERS = 200_000
"""Of texts that are asked about in one request; one text has at most half as many."""


def question(manifest: Json, schema: LabelSchema, name: str) -> LabelControl:
    """The question of a schema that a model answers; raises CannotSuggest with the reason. `name` is what people call the model."""
    labels = set(manifest.get("output", {}).get("labels") or [])
    if not labels:
        raise CannotSuggest(by=name, why="its model tells no classes")
    if boxes.finds(manifest):
        return boxes.question(manifest, schema, name)
    if spans.finds(manifest):
        return spans.question(manifest, schema, name)
    kind, images = manifest.get("input", {}).get("kind"), schema.dataset.modality == "images"
    if images != (kind == "image") or schema.dataset.modality not in ("images", "table", "text"):
        takes = "pictures" if kind == "image" else "rows of a table"
        raise CannotSuggest(by=name, why=f"its model takes {takes}")
    if not images:
        there = {column["name"] for column in newest_frozen(schema.dataset).columns}
        needed = [c["name"] for c in manifest["input"]["columns"] if c.get("required") and c["name"] not in there]
        if needed:
            named = ", ".join(f"“{n}”" for n in needed[:8])
            raise CannotSuggest(by=name, why=f"the data has no column {named}", hint="It has: " + ", ".join(sorted(there)[:20]))
    for control in wording(newest_version(schema)).controls:
        if control.tag == "Choices" and {str(label) for label in labels} <= control.values:
            return control
    names = ", ".join(sorted(map(str, labels))[:12])
    raise CannotSuggest(by=name, why=f"no question of this schema offers all its classes ({names})")


def suitable(whom: Endpoint | ModelVersion, schema: LabelSchema) -> tuple[LabelControl, ModelVersion]:
    """The question that it answers, and the model version that answers; raises CannotSuggest."""
    if isinstance(whom, ModelVersion):
        return question(whom.manifest, schema, name_of(whom)), whom
    rows = Deployment.objects.select_related("model_version__model").filter(endpoint=whom)
    answering = queries.current(whom, rows)
    if answering is None or answering.status != "live":
        raise CannotSuggest(by=whom.slug, why="nothing answers there now")
    return question(answering.model_version.manifest, schema, whom.slug), answering.model_version


def start(request: Any, project: Project, schema: LabelSchema, user: User, endpoint: str | None, model: str | None) -> Prelabelling:
    """Have an endpoint, or a registered model (`name@3`), suggest labels for all open items."""
    whom = queries.find(project, endpoint) if endpoint is not None else registry.resolve(project, model or "")
    control, _ = suitable(whom, schema)
    with transaction.atomic():
        made = begin(schema, whom, control, user)
        by = {"endpoint": endpoint} if endpoint is not None else {"model": name_of(made.model_version)}
        audit.record(request, "label_schema.suggest", ("label_schema", schema.pk, schema.slug), project=project, details=by)
        announce(PRELABEL, schema.pk)
    return made


def begin(schema: LabelSchema, whom: Endpoint | ModelVersion, control: LabelControl, user: User | None) -> Prelabelling:
    """One at a time for a schema; what was asked before ends."""
    made, _ = Prelabelling.objects.update_or_create(
        schema=schema,
        defaults={
            "endpoint": whom if isinstance(whom, Endpoint) else None, "model_version": whom if isinstance(whom, ModelVersion) else None,
            "control": control.name, "status": "queued", "message": "", "total": suggestible(schema).count(), "done": 0, "refused": 0,
            "attempts": 0, "announced_at": timezone.now(), "created_by": user, "created_at": timezone.now(),
        },
    )  # fmt: skip
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
    row = Prelabelling.objects.select_related("endpoint", "model_version__model", "created_by").filter(schema=schema).first()
    if row is None:
        return None
    fields = ("control", "status", "message", "total", "done", "refused", "created_by", "created_at")
    model = name_of(row.model_version) if row.model_version else None
    endpoint = row.endpoint.slug if row.endpoint else None
    by = row.endpoint.name if row.endpoint else model or "A model"
    return {**{name: getattr(row, name) for name in fields}, "endpoint": endpoint, "model": model, "by": by}


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
        found = (
            "schema__project",
            "schema__dataset",
            "endpoint__project",
            "endpoint__split",
            "model_version__model",
            "model_version__artifact",
        )
        job = rows.select_related(*found, "created_by").first()
        if not mine or job is None:
            return
        rows.update(status="running", attempts=F("attempts") + 1, done=0, refused=0, announced_at=timezone.now())
        if job.attempts >= ATTEMPTS:
            _end(job, "failed", f"It ended the worker {ATTEMPTS} times; the studio's log says why.")
            return
        try:
            whom = job.endpoint or job.model_version
            control, answering = suitable(whom, job.schema)
            asked_at = job.created_at
            with asking(whom, job.created_by or job.schema.created_by) as ask:
                for batch in instances(job.schema, suggestible(job.schema), answering.manifest):
                    if not _answered(job, control, ask, batch):
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


def instances(schema: LabelSchema, items: QuerySet[QueueItem], manifest: Json) -> Iterator[Batch]:
    """What a model is asked about these items, a request at a time."""
    return _pictures(items) if schema.dataset.modality == "images" else _rows(schema, items, manifest)


def _pictures(items: QuerySet[QueueItem]) -> Iterator[Batch]:
    last = 0
    while found := list(items.filter(pk__gt=last).order_by("pk")[:IMAGES]):
        last = found[-1].pk
        yield [(item, {"image": item.digest}) for item in found]


def cuts_of(columns: dict[str, Json]) -> dict[str, int]:
    """How many characters a model reads of which columns."""
    return {name: column["most_characters"] for name, column in columns.items() if "most_characters" in column}


def asked_of(data: Json, cuts: dict[str, int]) -> Json:
    """What a model is asked about a row. Of a text no more is sent than is read, so that a request stays below the predictor's bound."""
    texts = {name: str(data[name] if data[name] is not None else "")[: cuts[name]] for name in cuts.keys() & data.keys()}
    return {name: value for name, value in data.items() if value is not None} | texts


def _rows(schema: LabelSchema, items: QuerySet[QueueItem], manifest: Json) -> Iterator[Batch]:
    """With all columns that the model takes, whether the schema shows them or not: from the data set's newest version."""
    columns = {column["name"]: column for column in manifest["input"]["columns"]}
    cuts = cuts_of(columns)
    most = TEXTS if cuts else ROWS
    version = newest_frozen(schema.dataset)
    there = [name for name in columns if name in {column["name"] for column in version.columns}]
    known = text_rows if schema.dataset.modality == "text" else table_rows
    held: dict[tuple[str, str], Json] = {}

    def found() -> Batch:
        rows = items.filter(digest__in=[digest for _, digest in held])
        return [(item, held[item.key, item.digest]) for item in rows if (item.key, item.digest) in held]

    size = 0
    for key, digest, data in known(version.data, there, cuts.keys() & set(there)):
        held[key, digest] = asked_of(data, cuts)
        size += sum(len(held[key, digest][name]) for name in cuts.keys() & data.keys())
        if len(held) == most or size > CHARACTERS:
            if batch := found():
                yield batch
            held.clear()
            size = 0
    if held and (batch := found()):
        yield batch


def said(
    whom: Endpoint | ModelVersion, control: LabelControl, batch: Batch, answers: list[Json | None], version: str
) -> tuple[list[Suggestion], str]:
    """Answers as suggestions that are not kept yet, and how the names of all begin that `whom` has given: of the same endpoint, or of
    another version of the same model, the newest is enough."""
    named = f"{whom.slug}: {version}" if isinstance(whom, Endpoint) else version
    made = []
    for (item, asked), answer in zip(batch, answers, strict=True):
        if answer is not None and "boxes" in answer:
            made.append(
                Suggestion(item=item, model_version=named[:256], score=answer["certainty"], result=boxes.said(control, answer, item))
            )
            continue
        if answer is not None and "spans" in answer:
            made.append(Suggestion(item=item, model_version=named[:256], score=answer["score"], result=spans.said(control, answer, asked)))
            continue
        label, shares = (answer or {}).get("label"), (answer or {}).get("probabilities") or {}
        if label is None:
            continue
        chosen = {
            "id": new_id().hex[:10], "from_name": control.name, "to_name": control.to, "type": "choices",
            "value": {"choices": [str(label)]},
        }  # fmt: skip
        made.append(Suggestion(item=item, model_version=named[:256], score=shares.get(label), result=[chosen]))
    return made, f"{whom.slug}: " if isinstance(whom, Endpoint) else f"{whom.model.slug}@"


def _answered(job: Prelabelling, control: LabelControl, ask: Ask, batch: Batch) -> bool:
    """Ask and keep; False when the job was cancelled or asked for anew meanwhile."""
    answers, version = ask([instance for _, instance in batch])
    refused = sum(answer is None for answer in answers)
    made, family = said(job.endpoint or job.model_version, control, batch, answers, version)
    with transaction.atomic():
        going = Prelabelling.objects.select_for_update().filter(pk=job.pk, created_at=job.created_at, status="running")
        if not going.update(done=F("done") + len(batch) - refused, refused=F("refused") + refused, announced_at=timezone.now()):
            return False
        ids = [one.item_id for one in made]
        Suggestion.objects.filter(item__in=ids, model_version__startswith=family).delete()
        Suggestion.objects.bulk_create(made)
        order.suggested(job.schema, ids)
    return True
