"""Removing what nobody will ask for again: bytes of uploads that are over or were abandoned, temporary files of killed writers, and
blobs that no row refers to (`artifacts.unused`). What was freed is written to `freed.json` of the data folder for `manage.py status`."""

from __future__ import annotations

import json
import shutil
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from backend.artifacts.storage import store
from backend.artifacts.unused import Freed, sweep_unused
from backend.datasets.locks import only_one
from backend.datasets.models import Upload

ABANDONED = timedelta(days=7)
DAY = 86_400
OVER = 3_600  # seconds that the bytes of an upload that is over may stay: its request or worker is deleting them itself


def sweep() -> Freed:
    """An upload that got no byte for a week is cancelled; bytes of those that are over go. Returns what was freed (folders as blobs)."""
    Upload.objects.filter(status="receiving", updated_at__lt=timezone.now() - ABANDONED).update(
        status="cancelled", message="abandoned for a week"
    )
    base = settings.DATA_DIR / "uploads"
    # A table's file stays while its version is a draft, to be read again; a folder that is no upload's is some worker's at work.
    needed = Q(status__in=["receiving", "processing"]) | Q(version__status__in=["draft", "freezing"], version__dataset__deleted_at=None)
    alive = set(Upload.objects.filter(needed).values_list("id", flat=True))
    count = size = 0
    for folder in base.iterdir() if base.is_dir() else ():
        try:
            patience = OVER if UUID(folder.name) not in alive else None
        except ValueError:
            patience = DAY
        if patience is not None and folder.stat().st_mtime < time.time() - patience:
            count, size = count + 1, size + _size(folder)
            shutil.rmtree(folder, ignore_errors=True)
    store().sweep()
    return Freed(blobs=count, bytes=size)


def clean() -> dict[str, Any] | None:
    """Everything, once at a time; what was freed, or None where another worker is at it."""
    with only_one("datasets.clean") as mine:
        if not mine:
            return None
        uploads = sweep()
        unused = sweep_unused() if settings.ARTIFACT_SWEEP else Freed()
        return _report(uploads, unused)


def _report(uploads: Freed, unused: Freed) -> dict[str, Any]:
    path = Path(settings.DATA_DIR) / "freed.json"
    try:
        total = int(json.loads(path.read_text())["total_bytes"])
    except (OSError, ValueError, KeyError, TypeError):
        total = 0
    told = {
        "at": timezone.now().isoformat(timespec="seconds"),
        "uploads": uploads.blobs,
        "upload_bytes": uploads.bytes,
        "blobs": unused.blobs,
        "blob_bytes": unused.bytes,
        "total_bytes": total + uploads.bytes + unused.bytes,
    }
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(told))
    fresh.replace(path)
    return told


def _size(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) if folder.is_dir() else folder.stat().st_size
