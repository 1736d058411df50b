"""Predictions: what one side has and the other lacks is added there. A model's words are no labels: none is changed or taken away."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from django.db import transaction

from backend.core.errors import HeadraceError
from backend.labeling.models import QueueItem, Suggestion
from backend.labelstudio.actions.sync.said import digest_of
from backend.labelstudio.actions.sync.there import NotTaken
from backend.labelstudio.actions.tasks import suggest
from backend.labelstudio.models import LinkedPrediction, LinkedTask

if TYPE_CHECKING:
    from backend.labelstudio.actions.sync.run import Run

Json = dict[str, Any]
NAMELESS = "undefined"
"""Label Studio's word for a prediction of no named model."""


def keep_the_same(run: Run) -> None:
    _come(run)
    _go(run)


def _what(model_version: Any, result: list[Json]) -> str:
    said = json.dumps([str(model_version or NAMELESS), digest_of(result)])
    return hashlib.sha256(said.encode()).hexdigest()


def _come(run: Run) -> None:
    told = {remote: task["predictions"] for remote, task in run.changed.items() if task.get("predictions")}
    rows = {row.remote: row for row in LinkedTask.objects.filter(link=run.link, remote__in=list(told), apart=False, item__removed=False)}
    known = set(LinkedPrediction.objects.filter(task__in=rows.values(), remote__isnull=False).values_list("remote", flat=True))
    for n, (remote, row) in enumerate(rows.items()):
        run.beat("predictions", n, len(rows))
        for said in told[remote]:
            if int(said["id"]) not in known and isinstance(said.get("result"), list) and said["result"]:
                _take(run, row, said)


def _take(run: Run, row: LinkedTask, said: Json) -> None:
    mine = Suggestion.objects.filter(item=row.item_id).exclude(
        pk__in=LinkedPrediction.objects.filter(task=row, remote__isnull=False).values("pk")
    )
    what = _what(said.get("model_version"), said["result"])
    same = next((s for s in mine if _what(s.model_version, s.result) == what), None)
    try:
        with transaction.atomic():
            if same is None:
                item = QueueItem.objects.select_related("schema__project", "schema__dataset").get(pk=row.item_id)
                same = suggest(item, {name: said.get(name) for name in ("result", "score", "model_version")})
                run.counts["suggested"] += 1
            LinkedPrediction.objects.update_or_create(suggestion=same, defaults={"task": row, "remote": int(said["id"])})
    except HeadraceError as e:
        first = e.problems[0] if e.problems else {"message": str(e)}
        run.left_out(f"a prediction of task {row.remote} there", str(first.get("message", "")))


def _go(run: Run) -> None:
    """It is written down before it is sent: what was cut off is looked for there, and not sent a second time."""
    linked = {row.item_id: row for row in LinkedTask.objects.filter(link=run.link, apart=False, item__removed=False)}
    sure = LinkedPrediction.objects.filter(task__link=run.link, remote__isnull=False).values("pk")
    unsure = set(LinkedPrediction.objects.filter(task__link=run.link, remote=None).values_list("pk", flat=True))
    rows = list(
        Suggestion.objects.filter(item__schema=run.schema, item__removed=False).exclude(pk__in=sure).exclude(result=[]).order_by("pk")
    )
    for n, row in enumerate(rows):
        if row.item_id not in linked:
            continue
        run.beat("sending predictions", n, len(rows))
        task, what, remote = linked[row.item_id], _what(row.model_version, row.result), None
        if row.pk in unsure:
            found = run.there.predictions(task.remote)
            remote = next((int(p["id"]) for p in found if _what(p.get("model_version"), p["result"]) == what), None)
        else:
            LinkedPrediction.objects.create(suggestion=row, task=task)
        if remote is None:
            try:
                fields = {"task": task.remote, "result": row.result, "score": row.score, "model_version": row.model_version or NAMELESS}
                remote = run.there.predict(fields)
            except NotTaken as e:
                run.left_out(f"a prediction of {row.item_id}", f"It is not taken there: {e}")
                continue
            run.counts["predicted"] += 1
        LinkedPrediction.objects.filter(pk=row.pk).update(remote=remote)
