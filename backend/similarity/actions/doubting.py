"""Labels that are probably wrong: found in the worker (`workers.embedding.doubt`), decided by people, and what they decided is kept."""

from __future__ import annotations

import json
import logging
import tempfile
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.models import F
from django.utils import timezone

from backend.core.actions import audit
from backend.core.errors import HeadraceError, InvalidInput
from backend.core.ids import new_id
from backend.core.models import User
from backend.datasets.actions.announce import announce
from backend.datasets.locks import only_one
from backend.labeling.actions import queue, review, truth
from backend.labeling.actions.announce import schema_changed
from backend.labeling.errors import AnnotationChanged
from backend.labeling.models import Annotation, LabelSchema, QueueItem
from backend.labeling.queries.items import took_part, wording
from backend.labeling.queries.schemas import newest_version
from backend.similarity import processes
from backend.similarity.actions.announce import ATTEMPTS, BROKEN, CHECK, GAVE_UP
from backend.similarity.errors import CannotCompute, DoubtDecided, NoSingleChoice, NotComputed
from backend.similarity.models import Doubt, DoubtCheck, Space
from backend.similarity.queries.doubts import FEWEST
from backend.similarity.queries.said import LABEL, single_choice
from backend.similarity.queries.spaces import newest_ready

log = logging.getLogger(__name__)
LABELLED = (
    f"SELECT v.id, q.id, a.id, {LABEL.format(of='a.result')} FROM labeling_queueitem q"  # noqa: S608 - our own words
    " JOIN labeling_annotation a ON a.id = q.truth_id"
    " JOIN similarity_vector v ON v.space_id = %(space)s AND v.digest = q.digest AND v.present"
    " WHERE q.schema_id = %(schema)s AND NOT q.removed AND a.how IN ('', 'model') AND NOT a.honeypot ORDER BY v.id, q.id"
)


def start(request: Any, schema: LabelSchema, space: Space | None) -> None:
    """Have the labels looked at, by the space that was computed last where none is named; what was decided is not asked again."""
    space = space or newest_ready(schema.dataset)
    if space is None or not space.version:
        raise NotComputed(field="space")
    control = single_choice(wording(newest_version(schema)))
    if control is None:
        raise NoSingleChoice
    with transaction.atomic():
        told = {"space": space, "control": control.name, "status": "queued", "message": "", "attempts": 0, "announced_at": timezone.now()}
        DoubtCheck.objects.update_or_create(schema=schema, defaults=told)
        audit.record(request, "label_schema.check_labels", ("label_schema", schema.pk, schema.slug), project=schema.project)
        announce(CHECK, schema.pk)
        schema_changed(schema)


def check(schema_id: UUID) -> None:
    """In the worker. Safe to call again and at once from several workers."""
    with only_one(f"doubts:{schema_id}") as mine:
        rows = DoubtCheck.objects.filter(pk=schema_id, status__in=["queued", "running"])
        job = rows.select_related("schema__dataset", "schema__project", "space").first()
        if not mine or job is None:
            return
        rows.update(status="running", attempts=F("attempts") + 1, announced_at=timezone.now())
        try:
            if job.attempts >= ATTEMPTS:
                raise CannotCompute(why=GAVE_UP)
            if job.space is None:
                raise NotComputed
            _check(job, job.space)
        except OperationalError:
            raise  # the database is away: it waits
        except HeadraceError as error:
            rows.update(status="failed", message=str(error)[:500])
        except Exception:
            log.exception("the labels of %s could not be checked", job.schema.slug)
            rows.update(status="failed", message=BROKEN)
        schema_changed(job.schema)


def _check(job: DoubtCheck, space: Space) -> None:
    schema = job.schema
    with connection.cursor() as cursor:
        cursor.execute(LABELLED, {"space": space.pk, "schema": schema.pk, "control": job.control})
        found = cursor.fetchall()
    by_vector: dict[int, tuple[int, UUID, str]] = {}
    for vector, item, annotation, label in found:
        if label is not None:
            by_vector.setdefault(vector, (item, annotation, label))
    counts: dict[str, int] = {}
    for _, _, label in by_vector.values():
        counts[label] = counts.get(label, 0) + 1
    classes = sorted(label for label, count in counts.items() if count >= 2)  # of a single one nothing can be learned
    kept = {vector: one for vector, one in by_vector.items() if one[2] in classes}
    if len(kept) < FEWEST or len(classes) < 2:
        raise CannotCompute(why=f"At least {FEWEST} items with a ground truth of two kinds are needed; there are {len(kept)}.")
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        ids = processes.write_vectors(space, where / "vectors", "v.id = ANY (%(ids)s)", {"ids": list(kept)})
        (where / "labels.json").write_text(json.dumps([classes.index(kept[v][2]) for v in ids]), encoding="utf-8")
        processes.run("doubt", folder, str(space.dimension))
        told = json.loads((where / "doubts.json").read_text(encoding="utf-8"))
    with transaction.atomic():
        Doubt.objects.filter(schema=schema, decision="").delete()
        there = set(Annotation.objects.filter(pk__in=[kept[ids[n]][1] for n, _, _ in told["doubts"]]).values_list("pk", flat=True))
        Doubt.objects.bulk_create(
            [
                Doubt(schema=schema, item_id=item, annotation_id=annotation, given=given, suggested=classes[other], score=score)
                for n, other, score in told["doubts"]
                for item, annotation, given in [kept[ids[n]]]
                if annotation in there
            ],
            ignore_conflicts=True,  # decided before
        )
        wrong = 1 - sum(row[n] for n, row in enumerate(told["joint"]))
        DoubtCheck.objects.filter(pk=schema.pk, status="running").update(
            status="ready", message="", checked=len(kept), left_out=len(found) - len(kept), agree=told["agree"],
            expected=max(round(wrong * len(kept)), 0), checked_at=timezone.now(),
        )  # fmt: skip


def decide(request: Any, doubt: Doubt, user: User, decision: str, label: str | None) -> Doubt:
    """`kept`: it is right. `relabelled`: `label` is right (the suggested one, where none is named); one's own annotation changes, another's
    as a reviewer's fix. `review`: a reviewer shall look; it is the ground truth no longer."""
    schema = doubt.item.schema
    control = single_choice(wording(newest_version(schema)))
    if label is not None and decision != "relabelled":
        raise InvalidInput(message="Only who relabels names a label.", field="label", hint="Leave it out.")
    right = label if label is not None else doubt.suggested
    if decision == "relabelled" and (control is None or right not in control.values):
        raise InvalidInput(message=f"The question has no choice “{right}”.", field="label")
    with transaction.atomic():
        QueueItem.objects.select_for_update(of=("self",)).get(pk=doubt.item_id)
        row = Doubt.objects.select_for_update(of=("self",)).get(pk=doubt.pk)
        if row.decision:
            raise DoubtDecided(decision=row.decision)
        row.annotation = Annotation.objects.select_for_update(of=("self",)).get(pk=row.annotation_id)
        row.item = doubt.item
        if decision == "relabelled":
            _relabel(request, row, user, control.name if control else "", right)
        elif decision == "review":
            _to_review(row)
        row.decision, row.label, row.decided_by, row.decided_at = decision, right if decision == "relabelled" else "", user, timezone.now()
        row.save()
        audit.record(
            request, "doubt.decide", ("annotation", row.annotation_id, f"{schema.slug} {doubt.item.key}"), project=schema.project,
            details={"decision": decision, "score": row.score},
        )  # fmt: skip
        schema_changed(schema)
    return row


def _to_review(row: Doubt) -> None:
    Annotation.objects.filter(pk=row.annotation_id).update(status="submitted", to_review=True, held_by=None, held_until=None)
    QueueItem.objects.filter(pk=row.item_id, truth=row.annotation_id).update(truth=None)
    truth.settle(row.item_id)


def _relabel(request: Any, row: Doubt, user: User, control: str, label: str) -> None:
    annotation = row.annotation
    if not any(r["from_name"] == control and r["value"].get("choices") == [row.given] for r in annotation.result):
        raise AnnotationChanged(version=annotation.version, field="label")
    result = [{**r, "value": {"choices": [label]}} if r["from_name"] == control else r for r in annotation.result]
    if took_part(annotation, user):
        answer = queue.hand_in(
            request, row.item, user, newest_version(row.item.schema), result, id_=new_id(), seconds=0.0, version=annotation.version
        )
        if answer["outcome"] != "changed":
            raise queue.refusal(answer, row.item)
        return
    annotation.status = "submitted"  # of an accepted one a reviewer may still say what is right
    annotation.save(update_fields=["status"])
    annotation.item = row.item
    review.review(
        request,
        annotation,
        user,
        verdict="fixed",
        comment="Found among the probable label errors.",
        result=result,
        version=annotation.version,
    )
