from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.apps import AppConfig


class Config(AppConfig):
    name = "backend.datasets"
    label = "datasets"

    def ready(self) -> None:
        from backend.artifacts.lineage import describe
        from backend.datasets.models import DatasetVersion

        def versions(project: Any, ids: Iterable[UUID]) -> dict[UUID, tuple[str, str]]:
            rows = DatasetVersion.objects.filter(dataset__project=project, pk__in=list(ids)).values_list("pk", "dataset__slug", "number")
            return {pk: (f"{slug}@{number}", f"/p/{project.slug}/datasets/{slug}?version={number}") for pk, slug, number in rows}

        describe("dataset_version", versions)
