"""What people say who have no account here: another tool knows them by a name, and their annotations count as anybody's."""

from __future__ import annotations

import random
from typing import Any

from django.db import transaction
from django.utils import timezone

from backend.core.actions import audit
from backend.core.ids import new_id
from backend.labeling.actions import announce, truth
from backend.labeling.errors import AlreadyAccepted, DoesNotFit, ItemFull, ItemRemoved, as_problems
from backend.labeling.models import Annotation, QueueItem
from backend.labeling.queries.items import shown_data, wording
from backend.labeling.queries.schemas import newest_version
from workers.sdk.labels.results import check


def say_for(request: Any, item: QueueItem, name: str, result: Any, seconds: float = 0) -> Annotation:
    """Keep an annotation of somebody called `name`. It takes a free place of the item; raises DoesNotFit, ItemFull or ItemRemoved."""
    worded, kept = _kept(item, result)
    review = random.random() < item.schema.review_share  # noqa: S311 - which annotations are sampled is no secret
    with transaction.atomic():
        row = QueueItem.objects.select_for_update(of=("self",)).get(pk=item.pk)
        if row.removed:
            raise ItemRemoved()
        if row.free <= 0 or (item.schema.shared and Annotation.objects.filter(item=row, how="", honeypot=False).exists()):
            raise ItemFull(wanted=row.wanted)
        made: Annotation = Annotation.objects.create(
            id=new_id(), item=row, schema=item.schema, schema_version_id=worded.pk, author_name=name[:200], result=kept, seconds=seconds,
            to_review=review,
        )  # fmt: skip
        row.done, row.free = row.done + 1, row.free - 1
        row.save(update_fields=["done", "free"])
        _told(request, item, made, "submitted")
    return made


def reword_for(request: Any, annotation: Annotation, result: Any) -> Annotation:
    """Change an annotation that has no author here; raises DoesNotFit or AlreadyAccepted."""
    item = annotation.item
    worded, kept = _kept(item, result)
    with transaction.atomic():
        QueueItem.objects.select_for_update(of=("self",)).get(pk=item.pk)
        row = Annotation.objects.select_for_update().get(pk=annotation.pk)
        if row.status == "accepted":
            raise AlreadyAccepted()
        row.to_review = row.to_review or row.status == "rejected"
        row.result, row.schema_version_id, row.version, row.status, row.updated_at = (
            kept,
            worded.pk,
            row.version + 1,
            "submitted",
            timezone.now(),
        )
        row.save(update_fields=["result", "schema_version", "version", "status", "to_review", "updated_at"])
        _told(request, item, row, "changed")
    return row  # type: ignore[no-any-return]  # django-stubs are not used here


def _kept(item: QueueItem, result: Any) -> tuple[Any, list[Any]]:
    worded = newest_version(item.schema)
    kept, problems = check(wording(worded), result, shown_data(item, wording(worded)))
    if problems:
        raise DoesNotFit(field=problems[0]["field"], problems=as_problems(problems))
    return worded, kept


def _told(request: Any, item: QueueItem, row: Annotation, change: str) -> None:
    verb = "annotation.submit" if change == "submitted" else "annotation.change"
    target = ("annotation", row.pk, f"{item.schema.slug} {item.key}")
    audit.record(request, verb, target, after=row.result, project=item.schema.project, details={"by": row.author_name})
    truth.settle(item.pk)
    announce.annotation_changed.send(QueueItem, annotation=row.pk, item=item.pk, change=change)
