"""Which annotation is the ground truth of its task. Here it is what the rules of the label schema or a reviewer made it; there a flag.

In a schema with honeypots the flag is not sent, since people there would see of which tasks the answer is known, unless the link says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F, Q

from backend.labeling.actions import truth
from backend.labeling.models import Annotation, Honeypot, LabelSchema, QueueItem
from backend.labelstudio.actions.sync.there import NotTaken
from backend.labelstudio.models import Link, LinkedAnnotation, LinkedTask

if TYPE_CHECKING:
    from backend.labelstudio.actions.sync.run import Run

Json = dict[str, Any]
BATCH = 500
BY = "Ground truth in Label Studio"


def may_go(link: Link, schema: LabelSchema) -> bool:
    return link.tell_truth or not (schema.honeypot_share > 0 or Honeypot.objects.filter(schema=schema).exists())


def other_than_before(run: Run) -> Q:
    """Of tasks: those of which another annotation is the truth than when both sides were last the same, if that may be told."""
    if not run.tells_truth:
        return Q(pk__in=[])
    pairs = LinkedAnnotation.objects.filter(task__link=run.link, ours__isnull=False, theirs__isnull=False)
    holds = Q(task__item__truth=F("ours"))
    other = pairs.filter(Q(our_truth=False) & holds | Q(our_truth=True) & (Q(task__item__truth=None) | ~holds))
    return Q(pk__in=other.values("task"))


def keep_the_same(run: Run, rows: list[LinkedTask]) -> None:
    for begin in range(0, len(rows), BATCH):
        part = {row.pk: row for row in rows[begin : begin + BATCH]}
        truths = dict(QueueItem.objects.filter(pk__in=[row.item_id for row in part.values()]).values_list("pk", "truth"))
        pairs = LinkedAnnotation.objects.filter(task__in=part, ours__isnull=False, theirs__isnull=False, conflict=None).order_by("pk")
        flags = {row.remote: _flags(run.changed[row.remote]) for row in part.values() if row.remote in run.changed}
        told = [(pair, flags.get(part[pair.task_id].remote, {}).get(pair.theirs, pair.their_truth)) for pair in pairs]
        # What is marked there comes before what is no longer marked: it takes the place of that.
        for n, (pair, flag) in enumerate(sorted(told, key=lambda one: not one[1])):
            row, theirs = part[pair.task_id], pair.their_truth if pair.pk in run.told_truth else flag
            ours = truths.get(row.item_id) == pair.ours
            if (ours, theirs) != (pair.our_truth, pair.their_truth):
                run.beat("ground truth", begin + n, len(rows))
                if _keep(run, row, pair, ours, theirs) and not ours:
                    truths[row.item_id] = pair.ours


def _flags(task: Json) -> dict[Any, bool]:
    return {a["id"]: a.get("ground_truth") is True for a in task.get("annotations") or [] if isinstance(a, dict) and "id" in a}


def _keep(run: Run, row: LinkedTask, pair: LinkedAnnotation, ours: bool, theirs: bool) -> bool:
    """Returns whether it is the truth here now."""
    if ours != theirs and theirs != pair.their_truth:
        ours = _come(run, row, pair, theirs)
    elif ours != theirs and ours != pair.our_truth:
        if not run.tells_truth:
            return ours
        try:
            theirs = run.there.change(pair.theirs or 0, {"ground_truth": ours}).get("ground_truth") is True
        except NotTaken as e:
            run.left_out(f"the ground truth of task {row.item_id}", f"It is not taken there: {e}")
            return ours
        run.counts["truths_went"] += 1
    pair.our_truth, pair.their_truth = ours, theirs
    pair.save(update_fields=["our_truth", "their_truth"])
    return ours


def _come(run: Run, row: LinkedTask, pair: LinkedAnnotation, wanted: bool) -> bool:
    """Returns whether it is the truth here now."""
    item = QueueItem.objects.select_related("schema__project").get(pk=row.item_id)
    run.counts["truths_came"] += 1
    if not wanted:
        if pair.ours is not None and not truth.release(run.user, item, pair.ours):
            run.problem(f"task {row.item_id}", "Its ground truth was unmarked there; here the rules of the label schema make it one.")
            return True
        return False
    with transaction.atomic():
        QueueItem.objects.select_for_update(of=("self",)).get(pk=item.pk)
        chosen = Annotation.objects.filter(item=item, pk=pair.ours).first()
        if chosen is not None:
            truth.decided(run.user, item, chosen, None, BY)
    return chosen is not None
