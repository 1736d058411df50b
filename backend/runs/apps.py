from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.apps import AppConfig

if TYPE_CHECKING:
    from backend.core.models import Project
    from backend.datasets.models import DatasetVersion


class Config(AppConfig):
    name = "backend.runs"
    label = "runs"

    def ready(self) -> None:
        from backend.artifacts.lineage import describe
        from backend.artifacts.unused import hold
        from backend.datasets.actions.announce import version_frozen
        from backend.pipelines import pins
        from backend.runs.pins import problems
        from backend.runs.triggers import counting
        from backend.runs.triggers.clock import Watch, watch

        hold(_oldest_step)
        describe("run", _runs)
        pins.judge(problems)
        describe("step_run", _step_runs)
        describe("pipeline_version", _pipeline_versions)
        version_frozen.connect(_version_frozen)
        watch(Watch(sql=counting.WATCHED, task=counting.TASK))


def _version_frozen(version: DatasetVersion, **_: object) -> None:
    """An event for the triggers that wait for it."""
    from backend.runs.triggers.receive import occurred

    slug, number = version.dataset.slug, version.number
    data = {
        "dataset": slug,
        "version": number,
        "reference": f"{slug}@{number}",
        "rows": version.item_count,
        "modality": version.dataset.modality,
    }
    occurred(version.dataset.project, "dataset_version", key=f"dataset_version:{version.pk}", source=data["reference"], data=data)


def _oldest_step() -> datetime | None:
    """When the oldest step that still runs began: its outputs have no rows yet."""
    from django.db.models import Min

    from backend.runs.models import StepRun

    return StepRun.objects.filter(status="running").aggregate(since=Min("started_at"))["since"]


def _runs(project: Project, ids: Iterable[UUID]) -> dict[UUID, tuple[str, str]]:
    """How the lineage calls a run, and its page."""
    from backend.runs.models import Run

    rows = Run.objects.filter(project=project, pk__in=list(ids)).values_list("pk", "number")
    return {pk: (f"run #{number}", f"/p/{project.slug}/runs/{pk}") for pk, number in rows}


def _step_runs(project: Project, ids: Iterable[UUID]) -> dict[UUID, tuple[str, str]]:
    from backend.runs.models import StepRun

    rows = StepRun.objects.filter(run__project=project, pk__in=list(ids)).values_list("pk", "step", "run_id", "run__number")
    return {pk: (f"{step} · run #{number}", f"/p/{project.slug}/runs/{run}?step={step}") for pk, step, run, number in rows}


def _pipeline_versions(project: Project, ids: Iterable[UUID]) -> dict[UUID, tuple[str, str]]:
    from backend.pipelines.models import PipelineVersion

    rows = PipelineVersion.objects.filter(pipeline__project=project, pk__in=list(ids)).values_list("pk", "pipeline__slug", "number")
    return {pk: (f"{slug} v{number}", f"/p/{project.slug}/pipelines/{slug}?version={number}") for pk, slug, number in rows}
