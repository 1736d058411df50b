"""Reads of uploads."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from backend.core.errors import NotFound
from backend.core.models import Project, User
from backend.datasets.models import Upload

RECENT = timedelta(days=1)


def find_upload(project: Project, upload_id: UUID, *, lock: bool = False) -> Upload:
    rows = Upload.objects.select_related("project", "dataset", "version", "created_by")
    if lock:
        rows = rows.select_for_update(of=("self",))
    found: Upload | None = rows.filter(project=project, pk=upload_id).first()
    if found is None:
        raise NotFound(what="upload", name=str(upload_id))
    return found


def list_uploads(project: Project, user: User) -> list[dict[str, Any]]:
    """Those of `user` that are not over, and those of the last day, newest first."""
    open_or_recent = Q(status__in=["receiving", "processing"]) | Q(updated_at__gt=timezone.now() - RECENT)
    rows = Upload.objects.select_related("dataset", "version").filter(open_or_recent, project=project, created_by=user)
    return [upload_out(row) for row in rows.order_by("-created_at")[:50]]


def upload_out(upload: Upload) -> dict[str, Any]:
    return {
        **{
            f: getattr(upload, f) for f in ("id", "filename", "size", "received", "status", "progress", "message", "problems", "created_at")
        },
        "dataset": upload.dataset.slug if upload.dataset else None,
        "version": upload.version.number if upload.version else None,
    }
