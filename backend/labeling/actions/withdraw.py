"""Taking an annotation back: its place is free again."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import F

from backend.core.actions import audit
from backend.core.models import User
from backend.core.permissions import may
from backend.labeling.actions import announce, truth
from backend.labeling.errors import AlreadyAccepted, NotTheirs
from backend.labeling.models import Annotation, AutoLabel, QueueItem
from backend.labeling.queries.items import took_part


def withdraw(request: Any, annotation: Annotation, user: User, role: str) -> None:
    """One's own while no reviewer has accepted it; whoever manages labels, anybody's."""
    manages = may(role, "label.manage")
    if not took_part(annotation, user) and not manages:
        raise NotTheirs()
    with transaction.atomic():
        item = QueueItem.objects.select_for_update(of=("self",)).select_related("schema__project").get(pk=annotation.item_id)
        row = Annotation.objects.select_for_update().filter(pk=annotation.pk).first()
        if row is None:
            return
        if row.status == "accepted" and not manages:
            raise AlreadyAccepted()
        target = ("annotation", row.pk, f"{item.schema.slug} {item.key}")
        audit.record(request, "annotation.withdraw", target, before=row.result, project=item.schema.project)
        announce.annotation_changed.send(QueueItem, annotation=row.pk, item=item.pk, change="withdrawn")
        QueueItem.objects.filter(pk=item.pk, truth=row.pk).update(truth=None)
        # A fused result holds no place, a model's as many as its pass took.
        of_pass = AutoLabel.objects.filter(annotation=row).values_list("places", flat=True).first()
        places = of_pass if of_pass is not None else 0 if row.how else 1
        row.delete()
        QueueItem.objects.filter(pk=item.pk).update(done=F("done") - places, free=F("free") + places)
        truth.settle(item.pk)
        announce.schema_changed(item.schema)
