"""The quality of a schema's labels, measured in the worker and kept with its time; then, where skill decides, the ground truth anew.

Asked for by a person, by a change of settings, or `now_and_then` by submissions, once they have grown by a share.
"""

from __future__ import annotations

import logging
import random
from collections import defaultdict
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.models import F
from django.utils import timezone

from backend.core.actions import audit
from backend.datasets.actions.announce import announce
from backend.datasets.locks import only_one
from backend.labeling.actions.announce import MEASURE, schema_changed
from backend.labeling.actions.truth import settle_all
from backend.labeling.models import Annotation, Disagreement, LabelSchema, Measurement, QueueItem, Skill
from backend.labeling.queries.compared import Compared, compare
from backend.labeling.queries.items import wording
from backend.labeling.queries.judged import people
from backend.labeling.queries.schemas import newest_version

log = logging.getLogger(__name__)
GROWN, FEWEST, LOOK = 0.05, 20, 0.02
"""Measured again when annotations have grown by this share and by so many; one submission in fifty looks whether they have."""
BATCH = 500
ATTEMPTS = 3


def measure_soon(schema: LabelSchema, *, settle: bool = False) -> None:
    """Have it done by the worker; `settle`: decide every item anew too. The caller is in a transaction."""
    defaults = {"status": "queued", "message": "", "announced_at": timezone.now(), "attempts": 0, **({"settle": True} if settle else {})}
    Measurement.objects.update_or_create(schema=schema, defaults=defaults)
    announce(MEASURE, schema.pk)


def measure_now(request: Any, schema: LabelSchema) -> None:
    """Asked for by a person."""
    with transaction.atomic():
        measure_soon(schema)
        audit.record(request, "label_schema.measure", ("label_schema", schema.pk, schema.slug))
        schema_changed(schema)


def now_and_then(schema: LabelSchema) -> None:
    """After a submission: the figures, and in time the truth, follow what people say. The caller is in a transaction."""
    if random.random() >= LOOK:  # noqa: S311 - when somebody looks is no secret
        return
    last = Measurement.objects.filter(schema=schema).first()
    known = last.annotations if last else 0
    if last is not None and last.status in ("queued", "running"):
        return
    if Annotation.objects.filter(schema=schema, how="").count() - known >= max(FEWEST, GROWN * known):
        measure_soon(schema)


def measure(schema_id: UUID) -> None:
    """In the worker. Safe to call again and at once from several workers."""
    with only_one(f"measure:{schema_id}") as mine:
        # Asked for again while it goes on (other settings, more annotations), it goes on with that: its message found this one busy.
        while mine and _once(schema_id):
            pass


def _once(schema_id: UUID) -> bool:
    """Whether there was something to measure."""
    last = Measurement.objects.select_related("schema__project").filter(pk=schema_id, status__in=["queued", "running"]).first()
    if last is None:
        return False
    begun = Measurement.objects.filter(pk=schema_id)
    begun.update(status="running", attempts=F("attempts") + 1, announced_at=timezone.now())
    if last.attempts >= ATTEMPTS:
        begun.update(status="failed", message=f"It ended the worker {ATTEMPTS} times; the studio's log says why.")
        return False
    try:
        _measure(last.schema, settle=last.settle)
    except OperationalError:
        raise  # the database is away: it waits
    except Exception:
        log.exception("the quality of %s could not be measured", last.schema.slug)
        begun.filter(status="running").update(status="failed", message="An error of the studio itself stopped it; its log says which.")
    with transaction.atomic():
        schema_changed(last.schema)
    return True


def _measure(schema: LabelSchema, *, settle: bool) -> None:
    config = wording(newest_version(schema))
    count = Annotation.objects.filter(schema=schema, how="").count()
    with transaction.atomic():  # one view of the annotations, read in batches
        found = compare(schema, config)
    skills = found.skills()
    with transaction.atomic():
        _keep_skills(schema, found, skills)
        _keep_differing(schema, found)
        Measurement.objects.filter(schema=schema).update(priors={
            name: {"labels": _order(found, name), "shares": estimate.priors.tolist()} for name, (_, estimate) in skills.items()
        })  # fmt: skip
    if settle or schema.truth_by == "skill":
        settle_everything(schema)
    agreeing: dict[UUID, list[float]] = defaultdict(list)
    for (person, _), scores in found.people.items():
        agreeing[person] += scores
    with transaction.atomic():
        rows, weeks = people(schema, config, agreeing)
    skilled = {
        (str(person), name): float(skill) for name, (crowd, e) in skills.items() for person, skill in zip(crowd, e.skills, strict=True)
    }
    for row in rows:
        row["skills"] = {name: skill for (person, name), skill in skilled.items() if person == row["person"]}
    figures = {**found.figures(), "people": rows, "timeline": weeks}
    # Unless it was asked for again meanwhile: then what was wished for is still to come.
    Measurement.objects.filter(schema=schema, status="running").update(
        status="ready", settle=False, message="", figures=figures, annotations=count, measured_at=timezone.now()
    )


def _order(found: Compared, name: str) -> list[str]:
    control = found.config.control(name)
    return [label.value for label in control.labels] if control else []


def _keep_skills(schema: LabelSchema, found: Compared, skills: dict[str, Any]) -> None:
    Skill.objects.filter(schema=schema).delete()
    rows = {(p, c): Skill(schema=schema, user_id=p, control=c, weight=found.weight(p, c)) for p, c in found.people}
    for name, (crowd, estimate) in skills.items():
        for person, skill, matrix in zip(crowd, estimate.skills, estimate.confusions, strict=True):
            rows[person, name] = Skill(
                schema=schema, user_id=person, control=name, weight=max(float(skill), 0.01),
                confusion={"labels": _order(found, name), "rows": matrix.tolist()},
            )  # fmt: skip
    Skill.objects.bulk_create(rows.values(), batch_size=500)


def _keep_differing(schema: LabelSchema, found: Compared) -> None:
    Disagreement.objects.filter(schema=schema).delete()
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY labeling_disagreement (schema_id, item_id, control, one_id, other_id, said_one, said_other, score) FROM STDIN"
        ) as copy,
    ):
        for row in found.differing:
            copy.write_row([schema.pk, *row])


def settle_everything(schema: LabelSchema) -> int:
    """Decide every complete item of several people anew, a set at a time; submissions go on meanwhile. Returns how many truths changed."""
    changed, last = 0, 0
    while True:
        with transaction.atomic():
            items = list(
                QueueItem.objects.select_for_update(of=("self",))
                .filter(schema=schema, pk__gt=last, wanted__gt=1, done__gte=F("wanted"))
                .order_by("pk")[:BATCH]
            )
            if not items:
                return changed
            changed += settle_all(schema, items)
            last = items[-1].pk
