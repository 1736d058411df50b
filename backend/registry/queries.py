"""Reads of `registry`: models, versions, and what `name@3` or `name@champion` means."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import IntegerField, JSONField, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.fields.json import KT
from django.utils.text import slugify

from backend.core.errors import NotFound
from backend.core.models import Project
from backend.registry import serving
from backend.registry.errors import BadReference
from backend.registry.models import Alias, Model, ModelVersion

LATEST = "latest"


def numbers(metrics: dict[str, Any]) -> dict[str, float]:
    """The plain values of `{name: {value, low, high}}`; what is no finite number is left out."""
    values = {name: told.get("value") if isinstance(told, dict) else told for name, told in metrics.items()}
    return {n: float(v) for n, v in values.items() if isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v)}


def _models(project: Project) -> QuerySet[Model]:
    newest = ModelVersion.objects.filter(model=OuterRef("pk")).order_by("-number")
    return (
        Model.objects.filter(project=project)
        .annotate(
            latest_version=Subquery(newest.values("number")[:1], output_field=IntegerField()),
            task=Subquery(newest.annotate(task=KT("manifest__task")).values("task")[:1]),
            latest_metrics=Subquery(newest.values("metrics")[:1], output_field=JSONField()),
        )
        .prefetch_related(Prefetch("aliases", Alias.objects.select_related("version").order_by("name")))
    )


def _outs(found: Iterable[Any]) -> list[dict[str, Any]]:
    models = list(found)
    answering = serving.endpoints([model.pk for model in models])
    return [
        {
            "id": model.pk,
            "slug": model.slug,
            "name": model.name,
            "description": model.description,
            "task": model.task or "",
            "latest_version": model.latest_version,
            "aliases": {alias.name: alias.version.number for alias in model.aliases.all()},
            "metrics": numbers(model.latest_metrics or {}),
            "endpoints": answering.get(model.pk, []),
            "updated_at": model.updated_at,
        }
        for model in models
    ]


def list_models(project: Project, search: str | None = None) -> list[dict[str, Any]]:
    found = _models(project)
    if search:
        found = found.filter(Q(name__icontains=search) | Q(slug__icontains=search) | Q(description__icontains=search))
    return _outs(found.order_by("-updated_at", "-id"))


def get_model(project: Project, slug: str) -> dict[str, Any]:
    if not (outs := _outs(_models(project).filter(slug=slug))):
        raise NotFound(what="model", name=slug)
    return outs[0]


def find(project: Project, slug: str) -> Model:
    found: Model | None = Model.objects.select_related("project").filter(project=project, slug=slug).first()
    if found is None:
        raise NotFound(what="model", name=slug)
    return found


def by_name(project: Project, name: str) -> Model | None:
    """The model called so: by slug, by name, or by the slug that the name would get."""
    found = list(Model.objects.filter(Q(slug=name) | Q(name=name) | Q(slug=slugify(name)[:60] or "-"), project=project))
    return min(found, key=lambda m: (m.slug != name, m.name != name)) if found else None


def _versions() -> QuerySet[ModelVersion]:
    """With all that `ModelVersionOut` tells, in two queries; graphs and drafts stay in the database."""
    return (
        ModelVersion.objects.select_related("model__project", "artifact", "created_by", "step_run__run__pipeline_version__pipeline")
        .defer("step_run__run__graph", "step_run__run__pipeline_version__graph", "step_run__run__pipeline_version__pipeline__draft")
        .prefetch_related(Prefetch("aliases", Alias.objects.order_by("name")))
    )


def list_versions(project: Project, slug: str) -> list[dict[str, Any]]:
    model = find(project, slug)
    return [version_out(version) for version in _versions().filter(model=model).order_by("-number")]


def find_version(project: Project, slug: str, number: int) -> ModelVersion:
    model = find(project, slug)
    found: ModelVersion | None = _versions().filter(model=model, number=number).first() if 0 < number < 2**31 else None
    if found is None:
        raise NotFound(what=f"version of the model {slug}", name=number)
    return found


def version_by_id(version: UUID) -> ModelVersion:
    found: ModelVersion = _versions().get(pk=version)
    return found


def resolve(project: Project, text: str) -> ModelVersion:
    """`name` (its newest version), `name@3`, `name@champion`."""
    name, at, which = text.partition("@")
    if not name or (at and not which) or len(text) > 200:
        raise BadReference(text=text[:200], field="model", hint="Write it as name, name@3 or name@champion.")
    model = by_name(project, name)
    if model is None:
        raise NotFound(what="model", name=name, field="model")
    versions = _versions().filter(model=model)
    found: ModelVersion | None
    if which in ("", LATEST):
        found = versions.order_by("-number").first()
    elif which.isascii() and which.isdecimal():
        found = versions.filter(number=int(which)).first() if int(which) < 2**31 else None
    else:
        found = versions.filter(aliases__name=which).first()
    if found is None:
        raise NotFound(what=f"version of the model {model.slug}", name=which or LATEST, field="model")
    return found


def version_out(version: ModelVersion) -> dict[str, Any]:
    manifest, step_run = version.manifest, version.step_run
    run = step_run.run if step_run is not None else None
    return {
        "id": version.pk,
        "model": version.model.slug,
        "number": version.number,
        "task": manifest.get("task", ""),
        "framework": manifest.get("framework", ""),
        "aliases": [alias.name for alias in version.aliases.all()],
        "metrics": version.metrics,
        "parity": version.parity,
        "manifest": manifest,
        "artifact": version.artifact_id,
        "size": version.artifact.size,
        "run": run.pk if run else None,
        "run_number": run.number if run else None,
        "step": step_run.step if step_run else None,
        "pipeline": run.pipeline_version.pipeline.slug if run else None,
        "pipeline_version": run.pipeline_version.number if run else None,
        "dataset_versions": version.dataset_versions,
        "parameters": version.parameters,
        "description": version.description,
        "created_by": version.created_by,
        "created_at": version.created_at,
    }
