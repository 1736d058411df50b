"""Labels are counted for the triggers that wait for more of them. The newest event of a trigger says how many there were then; the first
one is only that, and starts nothing."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q

from backend.labeling.models import LabelSchema, QueueItem
from backend.runs.triggers.events import envelope
from backend.runs.triggers.kinds import label_count
from backend.runs.triggers.models import Trigger
from backend.runs.triggers.receive import receive

TASK = "runs.count_labels"
WATCHED = "SELECT EXISTS (SELECT 1 FROM runs_trigger WHERE enabled AND deleted_at IS NULL AND kind = 'label_count')"


def count_labels() -> None:
    """An event for each trigger whose count is reached. Safe to call at once from several workers."""
    for id_ in Trigger.objects.filter(kind="label_count", enabled=True, deleted_at=None).values_list("pk", flat=True):
        with transaction.atomic():
            rows = Trigger.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
            trigger = rows.select_related("project").filter(pk=id_, enabled=True).first()
            if trigger is not None:
                _count(trigger)


def _count(trigger: Trigger) -> None:
    config = label_count.Config.model_validate(trigger.config)
    schema = (
        LabelSchema.objects.select_related("dataset").filter(project=trigger.project, slug=config.label_schema, deleted_at=None).first()
    )
    if schema is None:
        return
    said = Q(truth__isnull=False) & ~Q(truth__how="model")
    labels = QueueItem.objects.filter(said, schema=schema, removed=False).count()
    last = trigger.events.filter(payload__data__label_schema=schema.slug).order_by("-received_at").values_list("payload", flat=True).first()
    before = int(last["data"]["labels"]) if last else labels
    if last and labels < before + config.every:
        return
    data = {"label_schema": schema.slug, "labels": labels, "new": labels - before, "dataset": schema.dataset.slug}
    key = f"label_count:{schema.pk}:{labels}"
    receive(
        trigger, key=key, source=schema.slug, payload=envelope("label_count", schema.slug, data, id=key),
        ignored="" if last else f"Counting begins at {labels:,} labels.",
    )  # fmt: skip
