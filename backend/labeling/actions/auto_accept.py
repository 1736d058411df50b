"""Suggestions that a model is sure of become labels without a person, in the worker, 500 items a transaction; off unless somebody wants it.

Of every batch a share is drawn at random (one at least) and goes to people instead, without its suggestion, so that they say what they
see and not what they are told. Nobody can tell these: as many other items lose their suggestion too, and lie beside them in the
queue. What people say is the error rate of all that the pass labelled; when even the lower end of its interval is above what is
permitted, auto-accept turns itself off. That errs towards stopping: the rate is looked at after each label.
"""

from __future__ import annotations

import json
import logging
import math
import random
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from backend.core.actions import audit
from backend.core.errors import Conflict
from backend.core.ids import new_id
from backend.core.models import User
from backend.datasets.actions.announce import announce
from backend.datasets.locks import only_one
from backend.labeling.actions import order
from backend.labeling.actions.announce import AUTO_ACCEPT, schema_changed
from backend.labeling.models import Annotation, AutoAccept, AutoLabel, AutoPass, HeldBack, LabelSchema, QueueItem, Review
from backend.labeling.queries import suggestions as read
from backend.labeling.queries.items import shown_data, wording
from backend.labeling.queries.schemas import Newest, newest_version
from workers.sdk.labels.results import check

log = logging.getLogger(__name__)
SETTINGS = ("enabled", "threshold", "audit_share", "max_error")
BATCH = 500
ATTEMPTS = 3
CANDIDATES = (
    "SELECT q.id, s.model_version, s.score, s.result::text" + read.ELIGIBLE + " AND q.id > %(last)s ORDER BY q.id LIMIT %(most)s"
    " FOR NO KEY UPDATE OF q SKIP LOCKED"
)
DECOYS = (
    "SELECT q.id, q.rank FROM labeling_queueitem q WHERE q.schema_id = %(schema)s AND NOT q.removed AND q.free > 0"
    " AND NOT EXISTS (SELECT 1 FROM labeling_heldback h WHERE h.item_id = q.id)"
    " AND NOT EXISTS (SELECT 1 FROM labeling_honeypot h WHERE h.item_id = q.id) ORDER BY random() LIMIT %(most)s"
)


def set_auto_accept(request: Any, schema: LabelSchema, user: User, fields: dict[str, Any]) -> None:
    """Turn it on or off, or change what it needs; the audit begins anew with each change, and a pass begins at once."""
    with transaction.atomic():
        row, _ = AutoAccept.objects.select_for_update(of=("self",)).get_or_create(schema=schema)
        before = audit.snapshot(row, *SETTINGS)
        if before == {name: fields[name] for name in SETTINGS} and not row.stopped:
            return
        for name in SETTINGS:
            setattr(row, name, fields[name])
        row.since, row.stopped, row.set_by = timezone.now(), "", user
        row.save()
        audit.record(
            request, "label_schema.set_auto_accept", _target(schema), before, audit.snapshot(row, *SETTINGS), project=schema.project
        )
        soon(schema)
        schema_changed(schema)


def soon(schema: LabelSchema) -> None:
    """A model has said something new: have a pass made, where that is wanted."""
    with transaction.atomic():
        told = {"status": "queued", "message": "", "attempts": 0, "announced_at": timezone.now()}
        if AutoAccept.objects.filter(schema=schema, enabled=True).update(**told):
            announce(AUTO_ACCEPT, schema.pk)


def accept_sure(schema_id: UUID) -> None:
    """In the worker. Safe to call again and at once from several workers."""
    with only_one(f"auto_accept:{schema_id}") as mine:
        setting = (
            AutoAccept.objects.select_related("schema__project", "set_by").filter(pk=schema_id, status__in=["queued", "running"]).first()
        )
        if not mine or setting is None:
            return
        rows = AutoAccept.objects.filter(pk=schema_id)
        rows.update(status="running", attempts=F("attempts") + 1, announced_at=timezone.now())
        if setting.attempts >= ATTEMPTS:
            rows.update(status="failed", message=f"It ended the worker {ATTEMPTS} times; the studio's log says why.")
            return
        try:
            message = _pass(setting)
        except OperationalError:
            raise  # the database is away: it waits
        except Exception:
            log.exception("suggestions of %s could not be accepted", setting.schema.slug)
            rows.update(status="failed", message="An error of the studio itself stopped it; its log says which.")
        else:
            rows.filter(status="running").update(status="ready", message=message)
        schema_changed(setting.schema)


def _pass(setting: AutoAccept) -> str:
    """Label what is sure enough; in words, what was left out."""
    schema = setting.schema
    made = AutoPass(schema=schema, threshold=setting.threshold, created_by=setting.set_by)
    last, misfits, found = 0, 0, True
    while found and not stop_if_wrong(schema):
        with transaction.atomic():
            going = AutoAccept.objects.select_for_update(no_key=True).filter(pk=schema.pk, enabled=True, since=setting.since)
            if going.first() is None:
                break  # turned off or changed meanwhile
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM labeling_labelschema WHERE id = %s FOR KEY SHARE", [schema.pk])  # no new wording meanwhile
                cursor.execute(CANDIDATES, {"schema": schema.pk, "threshold": setting.threshold, "last": last, "most": BATCH})
                rows = cursor.fetchall()
            found = bool(rows)
            if found:
                last = rows[-1][0]
                misfits += _batch(made, rows, setting.audit_share)
    if made.accepted or made.audited:
        with transaction.atomic():
            _decoys(made)
            details = {"pass": str(made.pk), "threshold": made.threshold, "accepted": made.accepted, "audited": made.audited}
            audit.record("auto-accept", "label_schema.auto_accept", _target(schema), project=schema.project, details=details)
    return f"{misfits:,} suggestions say too little to be a label, or do not fit the question." if misfits else ""


def _batch(made: AutoPass, rows: list[tuple[int, str, float, str]], share: float) -> int:
    """Label these items, but for the share that is drawn for people. Returns how many suggestions are no label."""
    schema = made.schema
    worded = newest_version(schema, again=True)
    config = wording(worded)
    items = QueueItem.objects.in_bulk([row[0] for row in rows])
    right = []
    for id_, model, score, text in rows:
        item = items[id_]
        kept, problems = check(config, json.loads(text), shown_data(item, config))
        if not problems and kept:
            right.append((item, model, score, kept))
    if not right:
        return len(rows)
    drawn = set(random.sample(range(len(right)), math.ceil(share * len(right))))
    chosen = [one for n, one in enumerate(right) if n not in drawn]
    if made._state.adding:
        made.save()
    HeldBack.objects.bulk_create(
        [
            HeldBack(item=item, schema=schema, part="audit", auto_pass=made, model_version=model, score=score, result=kept)
            for n in drawn
            for item, model, score, kept in [right[n]]
        ]
    )
    _label(made, worded, chosen)
    AutoPass.objects.filter(pk=made.pk).update(accepted=F("accepted") + len(chosen), audited=F("audited") + len(drawn))
    made.accepted, made.audited = made.accepted + len(chosen), made.audited + len(drawn)
    return len(rows) - len(right)


def _label(made: AutoPass, worded: Newest, chosen: list[tuple[QueueItem, str, float, list[Any]]]) -> None:
    now = timezone.now()
    labels = [
        Annotation(
            id=new_id(), item=item, schema=made.schema, schema_version_id=worded.pk, result=kept, status="accepted", how="model",
            support=score, created_at=now, updated_at=now,
        )
        for item, _, score, kept in chosen
    ]  # fmt: skip
    Annotation.objects.bulk_create(labels)
    AutoLabel.objects.bulk_create(
        [
            AutoLabel(annotation=label, auto_pass=made, model_version=model, places=item.wanted)
            for label, (item, model, _, _) in zip(labels, chosen, strict=True)
        ]
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE labeling_queueitem q SET done = q.wanted, free = 0, truth_id = a.id FROM labeling_annotation a"
            " WHERE a.item_id = q.id AND a.id = ANY (%s)",
            [[label.pk for label in labels]],
        )


def _decoys(made: AutoPass) -> None:
    """As many other items without a suggestion as there are in the sample, and the sample among them: in the order “uncertain first” what a
    model is sure of would come last, be noticed, and be judged too late."""
    schema = made.schema
    sample = list(HeldBack.objects.filter(auto_pass=made, part="audit"))
    with connection.cursor() as cursor:
        cursor.execute(DECOYS, {"schema": schema.pk, "most": len(sample)})
        decoys = cursor.fetchall()
    HeldBack.objects.bulk_create(
        [HeldBack(item_id=item, schema=schema, part="decoy", rank=rank, auto_pass=made) for item, rank in decoys], ignore_conflicts=True
    )
    if schema.order != "sequential":
        for n, row in enumerate(sample):
            row.rank = decoys[n % len(decoys)][1] if decoys else random.random()  # noqa: S311 - a place in a queue is no secret
        HeldBack.objects.bulk_update(sample, ["rank"], batch_size=500)
        order.hold(schema)


def audited(schema: LabelSchema, item: int | None = None) -> None:
    """Somebody has said something of an item (of the sample, where it is not named). The caller is in a transaction."""
    if item is None or read.is_audited(schema, item):
        stop_if_wrong(schema)


def stop_if_wrong(schema: LabelSchema) -> bool:
    """Turn it off where the sample shows more errors than are permitted; whether it is off now."""
    with transaction.atomic():
        setting = AutoAccept.objects.select_for_update(of=("self",)).select_related("schema").filter(schema=schema, enabled=True).first()
        if setting is None:
            return True
        found = read.audit_of(setting)
        told = found.out()
        if not found.judged or told["low"] <= setting.max_error:
            return False
        setting.stopped = (
            f"People found {found.errors:,} of {found.judged:,} audited labels wrong ({told['rate']:.0%}, 95 % interval"
            f" {told['low']:.0%} to {told['high']:.0%}); {setting.max_error:.0%} are permitted."
        )
        setting.enabled = False
        setting.save(update_fields=["enabled", "stopped"])
        audit.record("auto-accept", "label_schema.stop_auto_accept", _target(schema), project=schema.project,
                     details={"reason": setting.stopped, "judged": found.judged, "errors": found.errors})  # fmt: skip
        schema_changed(schema)
    return True


def undo(request: Any, schema: LabelSchema, user: User, id_: UUID) -> int:
    """What a pass labelled goes back into the queue, but for labels that a person has confirmed since. Turns it off: the next pass would do
    the same. Returns how many labels went."""
    with transaction.atomic():
        made = read.find_pass(schema, id_)
        if not AutoPass.objects.filter(pk=made.pk, undone_at=None).update(undone_at=timezone.now(), undone_by=user):
            raise Conflict(message="This pass is undone already.")
        confirmed = Exists(Review.objects.filter(annotation=OuterRef("annotation")))
        labels = AutoLabel.objects.filter(auto_pass=made).exclude(confirmed)
        ids = list(labels.order_by("annotation__item").values_list("annotation", flat=True))
        with connection.cursor() as cursor:
            cursor.execute(
                "WITH held AS (SELECT q.id, l.places, l.annotation_id FROM labeling_queueitem q"
                "  JOIN labeling_annotation a ON a.item_id = q.id"
                "  JOIN labeling_autolabel l ON l.annotation_id = a.id WHERE a.id = ANY (%s) ORDER BY q.id FOR NO KEY UPDATE OF q)"
                " UPDATE labeling_queueitem q SET done = q.done - h.places, free = q.free + h.places,"
                "  truth_id = nullif(q.truth_id, h.annotation_id) FROM held h WHERE q.id = h.id",
                [ids],
            )
        Annotation.objects.filter(pk__in=ids).delete()
        HeldBack.objects.filter(auto_pass=made).delete()
        AutoAccept.objects.filter(schema=schema, enabled=True).update(enabled=False, stopped="A pass was undone.")
        order.arrange(schema)
        details = {"pass": str(made.pk), "labels": len(ids), "kept": made.accepted - len(ids)}
        audit.record(request, "label_schema.undo_auto_accept", _target(schema), project=schema.project, details=details)
        schema_changed(schema)
    return len(ids)


def _target(schema: LabelSchema) -> tuple[str, Any, str]:
    return "label_schema", schema.pk, schema.slug
