"""Duplicates set aside: out of the queue, with all that was said of them, until somebody brings them back."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from backend.core.actions import audit
from backend.core.errors import InvalidInput
from backend.core.models import User
from backend.labeling.actions.announce import schema_changed
from backend.labeling.models import LabelSchema, QueueItem
from backend.similarity.models import Bulk, SetAside


def set_aside(request: Any, schema: LabelSchema, user: User, items: list[int]) -> Bulk:
    """As one, to be undone as one. Raises InvalidInput for items that are not in the queue."""
    with transaction.atomic():
        rows = list(QueueItem.objects.select_for_update(of=("self",)).filter(schema=schema, pk__in=items, removed=False).order_by("pk"))
        missing = set(items) - {row.pk for row in rows}
        if missing:
            raise InvalidInput(message=f"{len(missing):,} of these items are not in the queue, {min(missing)} among them.", field="items")
        bulk = Bulk.objects.create(schema=schema, kind="aside", count=len(rows), created_by=user)
        SetAside.objects.filter(item__in=rows).delete()  # of one that was undone by filling
        SetAside.objects.bulk_create([SetAside(item=row, bulk=bulk) for row in rows])
        QueueItem.objects.filter(pk__in=[row.pk for row in rows]).update(removed=True)
        audit.record(
            request, "label_schema.set_aside", ("label_schema", schema.pk, schema.slug), project=schema.project,
            details={"bulk": str(bulk.pk), "items": len(rows)},
        )  # fmt: skip
        schema_changed(schema)
    return bulk


def bring_back(bulk: Bulk) -> dict[str, int]:
    """Items that the data still holds are in the queue again. The caller is in a transaction."""
    rows = QueueItem.objects.filter(set_aside__bulk=bulk)
    undone = rows.update(removed=False)
    SetAside.objects.filter(bulk=bulk).delete()
    return {"undone": undone, "kept": bulk.count - undone}


def when_filled(sender: Any, schema: LabelSchema, **_: Any) -> None:
    """The data holds them still, and the queue leaves them out still."""
    QueueItem.objects.filter(schema=schema, set_aside__isnull=False, removed=False).update(removed=True)
