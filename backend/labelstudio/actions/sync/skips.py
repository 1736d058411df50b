"""Who skipped a task: known by their e-mail address on both sides, or it stays where it is, since a skip only says what somebody is not
given again. To Label Studio it is a cancelled annotation, which has no reason; another studio of ours is told it."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.db import transaction

from backend.core.models import Membership, User
from backend.core.permissions import may
from backend.labeling.actions import queue
from backend.labeling.models import Annotation, QueueItem, Skip
from backend.labelstudio.actions.sync.there import NotTaken
from backend.labelstudio.models import LinkedSkip, LinkedTask

if TYPE_CHECKING:
    from backend.labelstudio.actions.sync.run import Run

Json = dict[str, Any]
BATCH = 500


def keep_the_same(run: Run, rows: list[LinkedTask]) -> None:
    """`rows`: the tasks of which a side may say something else than before."""
    for begin in range(0, len(rows), BATCH):
        part = rows[begin : begin + BATCH]
        items = [row.item_id for row in part]
        ours: dict[int, dict[Any, Skip]] = {}
        for skip in Skip.objects.filter(item__in=items).select_related("user"):
            ours.setdefault(skip.item_id, {})[skip.user_id] = skip
        pairs: dict[int, list[LinkedSkip]] = {}
        for pair in LinkedSkip.objects.filter(task__in=[row.pk for row in part]).select_related("user"):
            pairs.setdefault(pair.task_id, []).append(pair)
        for n, row in enumerate(part):
            task = run.changed.get(row.remote)
            theirs = None if task is None else _theirs(run, task)
            if not (ours.get(row.item_id) or pairs.get(row.pk) or theirs):
                continue
            run.beat("skips", begin + n, len(rows))
            _task(run, row, ours.get(row.item_id, {}), theirs, pairs.get(row.pk, []))


def _theirs(run: Run, task: Json) -> dict[int, Json]:
    """{number of a cancelled annotation: it}"""
    found = {}
    for one in task.get("annotations") or []:
        if isinstance(one, dict) and one.get("was_cancelled"):
            by = one.get("completed_by")
            number = by.get("id") if isinstance(by, dict) else by
            person = run.people_there().get(number) if isinstance(number, int) else None
            found[int(one["id"])] = {"email": person.email if person else "", "reason": one.get("skip_reason")}
    return found


def _task(run: Run, row: LinkedTask, ours: dict[Any, Skip], theirs: dict[int, Json] | None, pairs: list[LinkedSkip]) -> None:
    known = {pair.user_id for pair in pairs}
    for pair in pairs:
        mine = ours.get(pair.user_id)
        gone = theirs is not None and theirs.pop(pair.theirs, None) is None
        if mine is not None and gone:
            with transaction.atomic():
                queue.unskip(run.user, _item(row), pair.user)
                pair.delete()
            run.counts["skips_came"] += 1
        elif mine is None:
            _drop(run, row, pair, gone)
    by_email = {skip.user.email.lower(): skip for skip in ours.values() if skip.user_id not in known}
    for number, told in (theirs or {}).items():
        if (skip := by_email.pop(told["email"], None)) is not None:  # it was sent when a synchronisation was cut off, or said twice
            LinkedSkip.objects.update_or_create(task=row, user=skip.user, defaults={"theirs": number})
        else:
            _come(run, row, number, told, known)
    for skip in by_email.values():
        _go(run, row, skip)


def _drop(run: Run, row: LinkedTask, pair: LinkedSkip, gone: bool) -> None:
    """Taken back here, or answered after all."""
    if not gone:
        try:
            run.there.withdraw(pair.theirs)
        except NotTaken as e:
            run.left_out(f"a skip of task {row.item_id}", f"It cannot be taken back there: {e}")
            return
        run.counts["skips_went"] += 1
    pair.delete()


def _come(run: Run, row: LinkedTask, number: int, told: Json, known: set[Any]) -> None:
    person = _person(run, told["email"])
    if person is None:
        run.counts["skips_stay"] += 1
        return
    if person.pk in known or Annotation.objects.filter(item=row.item_id, author=person).exists():
        return  # what they said counts
    reason = told["reason"] if isinstance(told["reason"], str) else ""
    with transaction.atomic():
        queue.leave(run.user, _item(row), person, skip=True, reason=reason)
        LinkedSkip.objects.create(task=row, user=person, theirs=number)
    run.counts["skips_came"] += 1


def _go(run: Run, row: LinkedTask, skip: Skip) -> None:
    by = next((n for n, person in run.people_there().items() if person.email == skip.user.email.lower()), None)
    if by is None:
        run.counts["skips_stay"] += 1
        return
    fields = {
        "result": [], "was_cancelled": True, "completed_by": by, "skip_reason": skip.reason,
        "unique_id": str(uuid.uuid5(run.link.pk, f"skip {row.remote} {skip.pk}")),
    }  # fmt: skip
    try:
        made = run.there.annotate(row.remote, fields)
    except NotTaken as e:
        run.left_out(f"a skip of task {row.item_id}", f"It is not taken there: {e}")
        return
    LinkedSkip.objects.create(task=row, user=skip.user, theirs=int(made["id"]))
    run.counts["skips_went"] += 1


def _person(run: Run, email: str) -> User | None:
    found = Membership.objects.select_related("user").filter(project=run.schema.project, user__email__iexact=email).first()
    return found.user if email and found is not None and may(found.role, "label.annotate") else None


def _item(row: LinkedTask) -> QueueItem:
    return QueueItem.objects.select_related("schema__project").get(pk=row.item_id)  # type: ignore[no-any-return]  # django-stubs are not used here
