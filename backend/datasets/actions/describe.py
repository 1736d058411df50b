"""What a data set is called and said to be; deleting and restoring."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from backend.core.actions import audit
from backend.core.errors import InvalidInput
from backend.core.models import Project
from backend.datasets.actions.announce import dataset_changed
from backend.datasets.models import Dataset
from backend.datasets.queries.datasets import find_dataset

FIELDS = ("name", "description", "licence", "source")


def update_dataset(request: Any, project: Project, slug: str, fields: dict[str, Any]) -> Dataset:
    """Change what is given; the slug stays, because pipelines name it."""
    for name, value in fields.items():
        if value is None or (name == "name" and not value.strip()):
            raise InvalidInput(message=f"The {name} cannot be empty." if name == "name" else f"The {name} must be text.", field=name)
    with transaction.atomic():
        dataset = find_dataset(project, slug, lock=True)
        before = audit.snapshot(dataset, *FIELDS)
        for name, value in fields.items():
            setattr(dataset, name, value.strip() if name == "name" else value)
        dataset.save()
        audit.record(request, "dataset.update", _target(dataset), before, audit.snapshot(dataset, *FIELDS))
        dataset_changed(project, slug)
    return dataset


def delete_dataset(request: Any, project: Project, slug: str) -> None:
    """Soft: nothing is lost, `restore_dataset` undoes it. Deleting twice is deleting once."""
    with transaction.atomic():
        dataset = find_dataset(project, slug, deleted=True, lock=True)
        if dataset.deleted_at is None:
            dataset.deleted_at = timezone.now()
            dataset.save()
            audit.record(request, "dataset.delete", _target(dataset))
            dataset_changed(project, slug)


def restore_dataset(request: Any, project: Project, slug: str) -> None:
    """Undo a delete."""
    with transaction.atomic():
        dataset = find_dataset(project, slug, deleted=True, lock=True)
        if dataset.deleted_at is not None:
            dataset.deleted_at = None
            dataset.save()
            audit.record(request, "dataset.restore", _target(dataset))
            dataset_changed(project, slug)


def _target(dataset: Dataset) -> tuple[str, Any, str]:
    return "dataset", dataset.pk, dataset.slug
