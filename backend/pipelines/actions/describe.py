"""Rename, describe, delete and restore a pipeline."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from backend.core.actions.audit import record, snapshot
from backend.core.models import User
from backend.pipelines.models import Pipeline


def update_pipeline(pipeline: Pipeline, user: User, name: str | None = None, description: str | None = None) -> None:
    with transaction.atomic():
        held = Pipeline.objects.select_for_update().get(pk=pipeline.pk)
        before = snapshot(held, "name", "description")
        held.name = held.name if name is None else name
        held.description = held.description if description is None else description
        held.save(update_fields=["name", "description", "updated_at"])
        record(
            user, "pipeline.update", ("pipeline", held.pk, held.slug), before, snapshot(held, "name", "description"), project=held.project
        )


def delete_pipeline(pipeline: Pipeline, user: User) -> None:
    """Soft: runs and versions stay, and it can be restored. Deleting twice is deleting once."""
    _mark(pipeline, user, deleted=True)


def restore_pipeline(pipeline: Pipeline, user: User) -> None:
    _mark(pipeline, user, deleted=False)


def _mark(pipeline: Pipeline, user: User, *, deleted: bool) -> None:
    with transaction.atomic():
        held = Pipeline.objects.select_for_update().get(pk=pipeline.pk)
        if (held.deleted_at is not None) == deleted:
            return
        held.deleted_at = timezone.now() if deleted else None
        held.save(update_fields=["deleted_at", "updated_at"])
        record(user, "pipeline.delete" if deleted else "pipeline.restore", ("pipeline", held.pk, held.slug), project=held.project)
