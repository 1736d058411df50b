from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from django.apps import AppConfig

if TYPE_CHECKING:
    from backend.core.models import Project


class Config(AppConfig):
    name = "backend.deployments"
    label = "deployments"

    def ready(self) -> None:
        from backend.artifacts.lineage import describe
        from backend.deployments.queries import answering_models
        from backend.registry.serving import tell

        describe("deployment", _describe)
        tell(answering_models)


def _describe(project: Project, ids: Iterable[UUID]) -> dict[UUID, tuple[str, str]]:
    """How the lineage calls a deployment, and its endpoint's page."""
    from backend.deployments.models import Deployment

    rows = Deployment.objects.filter(endpoint__project=project, pk__in=list(ids)).values_list("pk", "endpoint__slug", "status")
    return {pk: (f"{slug} ({status})", f"/p/{project.slug}/endpoints/{slug}") for pk, slug, status in rows}
