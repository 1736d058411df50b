from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from django.apps import AppConfig

if TYPE_CHECKING:
    from backend.core.models import Project


class Config(AppConfig):
    name = "backend.registry"
    label = "registry"

    def ready(self) -> None:
        from backend.artifacts.lineage import describe
        from backend.registry.triggers import KIND
        from backend.runs.triggers.kind import register

        describe("model_version", _describe)
        register(KIND)


def _describe(project: Project, ids: Iterable[UUID]) -> dict[UUID, tuple[str, str]]:
    """How the lineage calls a model version, and its page."""
    from backend.registry.models import ModelVersion

    rows = ModelVersion.objects.filter(model__project=project, pk__in=list(ids)).values_list("pk", "model__slug", "number")
    return {pk: (f"{slug}@{number}", f"/p/{project.slug}/models/{slug}?version={number}") for pk, slug, number in rows}
