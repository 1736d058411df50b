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


def later(link: Link | None) -> None:
    """Wake a worker when a link is due. An hour ahead at most: then it is told again, so that no message lies for days."""
    if link is not None and link.next_at is not None:
        seconds = (link.next_at - timezone.now()).total_seconds()
        transaction.on_commit(lambda: send(SYNC, link.pk, seconds=min(max(seconds, 1.0), 3600.0)), robust=True)


def announce_waiting(everything: bool = False) -> None:
    """Send again what nobody took up, or, when a worker starts, all that is not done."""
    now = timezone.now()
    late = now if everything else now - PATIENCE
    for id_ in Delivery.objects.filter(status="queued", due_at__lt=late).values_list("pk", flat=True)[:500]:
        send(DELIVER, id_)
    unfrozen = Q(frozen_at=None) | Q(frozen_at__lt=F("touched_at"))
    for n in Counterpart.objects.filter(unfrozen, touched_at__lt=late).values_list("pk", flat=True)[:500]:
        send(FREEZE, n)
    due = Q(status__in=["queued", "running"], announced_at__lt=late) | Q(every_minutes__isnull=False, next_at__lt=late)
    for id_ in Link.objects.filter(due).values_list("pk", flat=True)[:500]:
        send(SYNC, id_)
    if everything:
        for link in Link.objects.filter(every_minutes__isnull=False, next_at__gte=late)[:500]:
            later(link)
