"""Predictions: what one side has and the other lacks is added there. A model's words are no labels: none is changed, and only what a
synchronisation wrote is deleted when the other side deletes it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Count

from backend.core.errors import HeadraceError
from backend.labeling.models import QueueItem, Suggestion
from backend.labelstudio.actions.sync.said import digest_of
from backend.labelstudio.actions.sync.there import NotTaken
from backend.labelstudio.actions.tasks import drop_suggestion, suggest
from backend.labelstudio.models import Link, LinkedPrediction, LinkedTask

if TYPE_CHECKING:
    from backend.labelstudio.actions.sync.run import Run

Json = dict[str, Any]
Told = dict[int, dict[int, Json]]
"""{task there: {number of a prediction: it}}"""
NAMELESS = "undefined"
"""Label Studio's word for a prediction of no named model."""
GONE = 0
"""`remote` of what was deleted there and stays here."""
BATCH = 200


def keep_the_same(run: Run) -> None:
    told: Told = {remote: _of(task) for remote, task in run.changed.items()}
    others = _uncounted(run, told)
    _come(run, told)
    _lost_there(run, told)
    _lost_here(run)
    _go(run)
    if run.predictions is not None:
        Link.objects.filter(pk=run.link.pk).update(odd_predictions=others)


def _of(task: Json) -> dict[int, Json]:
    return {int(p["id"]): p for p in task.get("predictions") or [] if isinstance(p, dict) and isinstance(p.get("result"), list)}


def _uncounted(run: Run, told: Told) -> int:
    """Many predictions that are deleted at once leave no trace in the list of what changed: the server's count of all is compared with what
    is known, and where it is smaller, the tasks with fewer are read into `told`. Returns how many more there are than are known."""
    if run.predictions is None:
        return 0
    rest = LinkedPrediction.objects.filter(task__link=run.link, remote__gt=GONE).exclude(task__remote__in=list(told))
    known = dict(rest.values_list("task__remote").annotate(n=Count("pk")))
    others = run.predictions - sum(known.values()) - sum(map(len, told.values()))
    if others < run.link.odd_predictions:
        counts = run.there.prediction_counts(run.project)
        fewer = [remote for remote, n in known.items() if remote in counts and counts[remote] < n]
        for remote, task in run.read(fewer).items():
            told[remote] = _of(task)
            others += known[remote] - len(told[remote])
    return others


def _what(model_version: Any, result: list[Json]) -> str:
    said = json.dumps([str(model_version or NAMELESS), digest_of(result)])
    return hashlib.sha256(said.encode()).hexdigest()


def _come(run: Run, told: Told) -> None:
    asked = [remote for remote, found in told.items() if found]
    rows = {row.remote: row for row in LinkedTask.objects.filter(link=run.link, remote__in=asked, apart=False, item__removed=False)}
    known = set(LinkedPrediction.objects.filter(task__in=rows.values(), remote__isnull=False).values_list("remote", flat=True))
    for n, (remote, row) in enumerate(rows.items()):
        run.beat("predictions", n, len(rows))
        for number, said in told[remote].items():
            if number not in known and said["result"]:
                _take(run, row, said)


def _take(run: Run, row: LinkedTask, said: Json) -> None:
    paired = LinkedPrediction.objects.filter(task=row, remote__isnull=False, suggestion__isnull=False).values("suggestion")
    what = _what(said.get("model_version"), said["result"])
    same = next(
        (s for s in Suggestion.objects.filter(item=row.item_id).exclude(pk__in=paired) if _what(s.model_version, s.result) == what), None
    )
    try:
        with transaction.atomic():
            if same is not None:
                LinkedPrediction.objects.update_or_create(suggestion=same, defaults={"task": row, "remote": int(said["id"])})
                return
            item = QueueItem.objects.select_related("schema__project", "schema__dataset").get(pk=row.item_id)
            made = suggest(item, {name: said.get(name) for name in ("result", "score", "model_version")})
            LinkedPrediction.objects.create(
                suggestion=made, task=row, remote=int(said["id"]), made="ours", said=_what(made.model_version, made.result)
            )
        run.counts["suggested"] += 1
    except HeadraceError as e:
        first = e.problems[0] if e.problems else {"message": str(e)}
        run.left_out(f"a prediction of task {row.remote} there", str(first.get("message", "")))


def _lost_there(run: Run, told: Told) -> None:
    """What is no longer there goes here too, if a synchronisation wrote it here and nobody changed it since."""
    pairs = LinkedPrediction.objects.filter(task__link=run.link, task__remote__in=list(told), remote__isnull=False)
    for pair in pairs.select_related("suggestion__item__schema__project", "task"):
        if pair.remote in told[pair.task.remote]:
            continue
        mine = pair.suggestion
        if mine is None or (pair.made == "ours" and _what(mine.model_version, mine.result) == pair.said):
            with transaction.atomic():
                pair.delete()
                if mine is not None:
                    drop_suggestion(mine)
                    run.counts["unpredicted"] += 1
        else:  # it is a word of this side: it stays, and is not sent a second time
            LinkedPrediction.objects.filter(pk=pair.pk).update(remote=GONE, made="ours", said="")


def _lost_here(run: Run) -> None:
    """What is no longer here goes there too, if a synchronisation wrote it there and nobody changed it since."""
    lost = list(LinkedPrediction.objects.filter(task__link=run.link, suggestion=None, made="theirs").select_related("task").order_by("pk"))
    for begin in range(0, len(lost), BATCH):
        part = lost[begin : begin + BATCH]
        told = {remote: _of(task) for remote, task in run.read(sorted({pair.task.remote for pair in part})).items()}
        for n, pair in enumerate(part):
            run.beat("predictions", begin + n, len(lost))
            try:
                _drop_there(run, pair, told.get(pair.task.remote, {}))
            except NotTaken as e:
                run.left_out(f"a prediction of task {pair.task.remote} there", f"It cannot be deleted there: {e}")


def _drop_there(run: Run, pair: LinkedPrediction, found: dict[int, Json]) -> None:
    if pair.remote is None:  # it was cut off on its way
        said = next((p for p in found.values() if _what(p.get("model_version"), p["result"]) == pair.said), None)
    else:
        said = found.get(pair.remote)
    if said is not None and _what(said.get("model_version"), said["result"]) != pair.said:
        LinkedPrediction.objects.filter(pk=pair.pk).update(made="")  # somebody changed it there
        return
    if said is not None:
        run.there.drop_prediction(int(said["id"]))
        run.counts["unpredicted"] += 1
    pair.delete()


def _go(run: Run) -> None:
    """It is written down before it is sent: what was cut off is looked for there, and not sent a second time."""
    linked = {row.item_id: row for row in LinkedTask.objects.filter(link=run.link, apart=False, item__removed=False)}
    known = LinkedPrediction.objects.filter(task__link=run.link, suggestion__isnull=False)
    sure = known.filter(remote__isnull=False).values("suggestion")
    unsure = {pair.suggestion_id: pair for pair in known.filter(remote=None)}
    rows = list(
        Suggestion.objects.filter(item__schema=run.schema, item__removed=False).exclude(pk__in=sure).exclude(result=[]).order_by("pk")
    )
    for n, row in enumerate(rows):
        if row.item_id not in linked:
            continue
        run.beat("sending predictions", n, len(rows))
        task, what, remote = linked[row.item_id], _what(row.model_version, row.result), None
        pair = unsure.get(row.pk)
        if pair is not None:
            found = run.there.predictions(task.remote)
            remote = next((int(p["id"]) for p in found if _what(p.get("model_version"), p["result"]) == what), None)
        else:
            pair = LinkedPrediction.objects.create(suggestion=row, task=task, made="theirs", said=what)
        if remote is None:
            try:
                fields = {"task": task.remote, "result": row.result, "score": row.score, "model_version": row.model_version or NAMELESS}
                remote = run.there.predict(fields)
            except NotTaken as e:
                run.left_out(f"a prediction of {row.item_id}", f"It is not taken there: {e}")
                continue
            run.counts["predicted"] += 1
        LinkedPrediction.objects.filter(pk=pair.pk).update(remote=remote)
