from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.apps import AppConfig


class Config(AppConfig):
    name = "backend.labeling"
    label = "labeling"

    def ready(self) -> None:
        from backend.artifacts.lineage import describe
        from backend.labeling.models import LabelSchemaVersion

        def wordings(project: Any, ids: Iterable[UUID]) -> dict[UUID, tuple[str, str]]:
            rows = LabelSchemaVersion.objects.filter(schema__project=project, pk__in=list(ids)).values_list("pk", "schema__slug", "number")
            return {pk: (f"{slug}@{number}", f"/p/{project.slug}/labels/{slug}") for pk, slug, number in rows}

        describe("label_schema_version", wordings)
