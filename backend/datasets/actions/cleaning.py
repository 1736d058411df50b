"""Removing what nobody will ask for again: bytes of uploads that are over or were abandoned, temporary files of killed writers."""

from __future__ import annotations

import shutil
import time
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from backend.artifacts.storage import store
from backend.datasets.models import Upload

ABANDONED = timedelta(days=7)
DAY = 86_400


def sweep() -> None:
    """Called when a worker starts. An upload that got no byte for a week is cancelled."""
    Upload.objects.filter(status="receiving", updated_at__lt=timezone.now() - ABANDONED).update(
        status="cancelled", message="abandoned for a week"
    )
    base = settings.DATA_DIR / "uploads"
    needed = Q(status__in=["receiving", "processing"]) | Q(version__status__in=["draft", "freezing"], version__dataset__deleted_at=None)
    alive = set(Upload.objects.filter(needed).values_list("id", flat=True))
    for folder in base.iterdir() if base.is_dir() else ():
        try:
            dead = UUID(folder.name) not in alive
        except ValueError:
            dead = True
        if dead and folder.stat().st_mtime < time.time() - DAY:
            shutil.rmtree(folder, ignore_errors=True)
    store().sweep()
