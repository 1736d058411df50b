"""Telling the platform worker what waits for it.

The rows are the truth, a message only wakes: one that is lost is sent again when somebody looks, when a worker starts, and by the
sweep; one that comes twice finds the work done or in progress (`locks.only_one`).
"""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from celery import current_app
from django.db import transaction
from django.db.models import Q
from django.dispatch import Signal
from django.utils import timezone
from kombu.exceptions import KombuError

from backend.core.events import publish
from backend.core.models import Project
from backend.datasets.models import DatasetVersion, Upload

log = logging.getLogger(__name__)
version_frozen = Signal()
"""Sent with `version`, in the transaction that freezes it. Later stages of the route listen; this one does not know them."""
READ, FREEZE, PROFILE = "datasets.read_upload", "datasets.freeze_version", "datasets.profile_version"
PATIENCE = timedelta(seconds=60)
ATTEMPTS = 3


def announce(task: str, id_: UUID) -> None:
    """Once the transaction commits; nothing happens when the broker is away (see above)."""
    transaction.on_commit(lambda: send(task, id_), robust=True)


def send(task: str, id_: UUID) -> None:
    """At once. Of tasks of later stages too."""
    try:
        current_app.send_task(task, [str(id_)], queue="platform", retry=False, ignore_result=True)
    except (KombuError, OSError) as exc:
        log.warning("%s %s is announced later: %s", task, id_, exc)


def announce_waiting(everything: bool = False) -> int:
    """Send again what nobody took up: announced more than PATIENCE ago, or, when a worker starts, all that is not done."""
    now = timezone.now()
    late = Q() if everything else Q(announced_at=None) | Q(announced_at__lt=now - PATIENCE)
    waiting: list[tuple[str, UUID]] = []
    uploads = Upload.objects.filter(late, status="processing")
    waiting += [(READ, id_) for id_ in uploads.values_list("id", flat=True)[:500]]
    versions = DatasetVersion.objects.filter(late, Q(status="freezing") | Q(profile_status__in=["queued", "running"]))
    waiting += [(FREEZE if status == "freezing" else PROFILE, id_) for id_, status in versions.values_list("id", "status")[:500]]
    Upload.objects.filter(id__in=[i for t, i in waiting if t == READ]).update(announced_at=now)
    DatasetVersion.objects.filter(id__in=[i for t, i in waiting if t != READ]).update(announced_at=now)
    for task, id_ in waiting:
        send(task, id_)
    return len(waiting)


def upload_changed(upload: Upload) -> None:
    """Tell the pages where an upload stands."""
    payload = {
        "type": "upload_changed",
        "upload": upload.id,
        "status": upload.status,
        "progress": upload.progress,
        "message": upload.message,
    }
    publish(upload.project, "project", payload)


def dataset_changed(project: Project, slug: str) -> None:
    """Tell the pages that a data set, or a version of it, is another."""
    publish(project, "project", {"type": "dataset_changed", "dataset": slug})
