"""Telling the platform worker what waits for it. As in `datasets.actions.announce`: the rows are the truth, a message only wakes."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from celery import current_app
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from kombu.exceptions import KombuError

from backend.labelstudio.models import Counterpart, Delivery, Link

log = logging.getLogger(__name__)
FREEZE, DELIVER, PREDICT, SYNC = "labelstudio.freeze_tasks", "labelstudio.deliver", "labelstudio.predict", "labelstudio.sync"
PATIENCE = timedelta(seconds=60)


def announce(task: str, id_: Any, *, seconds: float = 0) -> None:
    """Once the transaction commits, and not before `seconds` from then."""
    transaction.on_commit(lambda: send(task, id_, seconds=seconds), robust=True)


def send(task: str, id_: Any, *, seconds: float = 0) -> None:
    try:
        current_app.send_task(task, [str(id_)], queue="platform", retry=False, ignore_result=True, countdown=seconds or None)
    except (KombuError, OSError) as exc:
        log.warning("%s %s is announced later: %s", task, id_, exc)


def announce_waiting(everything: bool = False) -> None:
    """Send again what nobody took up, or, when a worker starts, all that is not done."""
    now = timezone.now()
    late = now if everything else now - PATIENCE
    for id_ in Delivery.objects.filter(status="queued", due_at__lt=late).values_list("pk", flat=True)[:500]:
        send(DELIVER, id_)
    unfrozen = Q(frozen_at=None) | Q(frozen_at__lt=F("touched_at"))
    for n in Counterpart.objects.filter(unfrozen, touched_at__lt=late).values_list("pk", flat=True)[:500]:
        send(FREEZE, n)
    for link in Link.objects.filter(status__in=["queued", "running"], announced_at__lt=late).values_list("pk", flat=True)[:500]:
        send(SYNC, link)
