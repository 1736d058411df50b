from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.apps import AppConfig


class Config(AppConfig):
    name = "backend.datasets"
    label = "datasets"

    def ready(self) -> None:
        from django.db.models import Min

        from backend.artifacts.lineage import describe
        from backend.artifacts.unused import hold
        from backend.datasets.models import DatasetVersion, Upload

        def versions(project: Any, ids: Iterable[UUID]) -> dict[UUID, tuple[str, str]]:
            rows = DatasetVersion.objects.filter(dataset__project=project, pk__in=list(ids)).values_list("pk", "dataset__slug", "number")
            return {pk: (f"{slug}@{number}", f"/p/{project.slug}/datasets/{slug}?version={number}") for pk, slug, number in rows}

        def oldest_import() -> datetime | None:
            # When it was last changed would be too new: blobs are put from the beginning on.
            return Upload.objects.filter(status="processing").aggregate(since=Min("created_at"))["since"]

        describe("dataset_version", versions)
        hold(oldest_import)
