"""Which annotation of an item is its ground truth.

One annotator: theirs, once a reviewer has accepted it, or at once where none shall look. Several: when all have submitted and every
review is done, the annotation that agrees best with the others, if each pair agrees at least `ENOUGH`; else the item waits for a reviewer
who looks at them side by side (`adjudicate`). A decision of a person is never overturned by this.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction

from backend.core.actions import audit
from backend.core.errors import NotFound
from backend.core.models import User
from backend.labeling.errors import OwnWork
from backend.labeling.models import Annotation, QueueItem, Review
from backend.labeling.queries.items import wording
from backend.labeling.queries.schemas import newest_version
from workers.sdk.labels.agreement import agreement

ENOUGH = 0.8
"""Pairwise agreement (0 to 1) from which several annotations say the same."""


def settle(item_id: int) -> None:
    """Decide, or undo what no longer holds. The caller is in a transaction."""
    item = QueueItem.objects.select_for_update(of=("self",)).select_related("schema").get(pk=item_id)
    said = list(Annotation.objects.filter(item=item).exclude(status="rejected").order_by("created_at"))
    chosen = _chosen(item, said)
    if item.truth_id != (chosen.pk if chosen else None):
        item.truth = chosen
        item.save(update_fields=["truth"])


def settle_alone(item_id: int, annotation: UUID | str | None) -> None:
    """As `settle`, for the only annotation that an item shall have, when it is submitted; None if it waits for a reviewer."""
    if annotation is not None:
        QueueItem.objects.filter(pk=item_id).update(truth=annotation)


def _chosen(item: QueueItem, said: list[Annotation]) -> Annotation | None:
    decided = [a for a in said if a.status == "accepted" and a.pk == item.truth_id]
    if decided and Review.objects.filter(annotation=decided[0], verdict="adjudicated").exists():
        return decided[0]
    if len(said) < item.wanted or any(a.to_review and a.status == "submitted" for a in said):
        return None
    if len(said) == 1:
        return said[0]
    config = wording(newest_version(item.schema))
    scores = {(a.pk, b.pk): agreement(config, a.result, b.result) for a in said for b in said if a.pk != b.pk}
    if min(scores.values()) < ENOUGH:
        return None
    return max(said, key=lambda a: sum(score for (one, _), score in scores.items() if one == a.pk))


def adjudicate(request: Any, item: QueueItem, user: User, annotation: UUID, comment: str) -> Annotation:
    """A reviewer chooses one of an item's annotations as its ground truth, whatever the others say."""
    with transaction.atomic():
        row = QueueItem.objects.select_for_update(of=("self",)).get(pk=item.pk)
        chosen = Annotation.objects.select_related("author").filter(item=row, pk=annotation).first()
        if chosen is None:
            raise NotFound(what="annotation of this item", name=str(annotation))
        if chosen.author_id == user.pk:
            raise OwnWork(field="annotation", hint="Ask another reviewer.")
        chosen.status = "accepted"
        chosen.save(update_fields=["status"])
        Review.objects.create(annotation=chosen, reviewer=user, verdict="adjudicated", comment=comment, version=chosen.version)
        row.truth = chosen
        row.save(update_fields=["truth"])
        audit.record(
            request, "annotation.adjudicate", ("annotation", chosen.pk, f"{item.schema.slug} {item.key}"), after=chosen.result,
            project=item.schema.project,
        )  # fmt: skip
    return chosen
