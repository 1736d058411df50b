"""Telling the platform worker what waits for it. As in `datasets.actions.announce`: the rows are the truth."""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone

from backend.datasets.actions.announce import PATIENCE, dataset_changed, send
from backend.similarity.models import Arranging, DoubtCheck, Space

COMPUTE, CHECK, ARRANGE = "similarity.compute", "similarity.check", "similarity.arrange"
ATTEMPTS = 3
GAVE_UP = f"It ended the worker {ATTEMPTS} times; the studio's log says why."
BROKEN = "An error of the studio itself stopped it; its log says which."


def announce_waiting(everything: bool = False) -> None:
    """Send again what nobody took up, or, when a worker starts, all that is not done."""
    now = timezone.now()
    late = Q() if everything else Q(announced_at__lt=now - PATIENCE)
    for task, rows in (
        (COMPUTE, Space.objects.filter(late, status__in=["queued", "running"])),
        (CHECK, DoubtCheck.objects.filter(late, status__in=["queued", "running"])),
        (ARRANGE, Arranging.objects.filter(late, status__in=["queued", "running"])),
    ):
        waiting = list(rows.values_list("pk", flat=True)[:500])
        rows.model._default_manager.filter(pk__in=waiting).update(announced_at=now)
        for id_ in waiting:
            send(task, id_)


def space_changed(space: Space) -> None:
    """Tell the pages."""
    dataset_changed(space.dataset.project, space.dataset.slug)
