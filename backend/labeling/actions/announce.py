"""Telling the platform worker what waits for it, and pages what changed. As in `datasets.actions.announce`: the rows are the truth."""

from __future__ import annotations

from django.db.models import Q
from django.dispatch import Signal
from django.utils import timezone

from backend.core.events import publish
from backend.datasets.actions.announce import PATIENCE, send
from backend.labeling.models import AutoAccept, LabelImport, LabelledVersion, LabelSchema, Measurement

annotation_changed = Signal()
"""Sent with `annotation` (its id), `item` (its id) and `change` (`submitted`, `changed` or `withdrawn`), in the transaction of the change.
Later stages of the route listen; this one does not know them."""
queue_filled = Signal()
"""Sent with `schema`, in the transaction that brought its queue to a version of the data."""
FILL, FREEZE, MEASURE, TAKE_IN = "labeling.fill", "labeling.freeze", "labeling.measure", "labeling.take_in"
AUTO_ACCEPT = "labeling.auto_accept"


def announce_waiting(everything: bool = False) -> None:
    """Send again what nobody took up, or, when a worker starts, all that is not done."""
    now = timezone.now()
    late = Q() if everything else Q(announced_at__lt=now - PATIENCE)
    for task, rows in (
        (FILL, LabelSchema.objects.filter(late, fill_status__in=["queued", "running"])),
        (FREEZE, LabelledVersion.objects.filter(late, status__in=["queued", "running"])),
        (MEASURE, Measurement.objects.filter(late, status__in=["queued", "running"])),
        (AUTO_ACCEPT, AutoAccept.objects.filter(late, status__in=["queued", "running"])),
        (TAKE_IN, LabelImport.objects.filter(late, status__in=["queued", "running"])),
    ):
        waiting = list(rows.values_list("pk", flat=True)[:500])
        rows.model._default_manager.filter(pk__in=waiting).update(announced_at=now)
        for id_ in waiting:
            send(task, id_)


def schema_changed(schema: LabelSchema) -> None:
    """Tell the pages that a label schema, its queue or its progress is another."""
    publish(schema.project, "project", {"type": "label_schema_changed", "label_schema": schema.slug})
