"""Published pipelines as components: what a graph may name as `pipeline:slug@version`, beside the catalogue's own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import F, Q

from backend.core.models import Project
from backend.pipelines.code import code_for
from backend.pipelines.models import PipelineVersion
from workers import catalog
from workers.sdk.graph.nested import INPUT, OUTPUT, PREFIX, Nested, of_graph

REFERENCE = re.compile(re.escape(PREFIX) + r"(?P<slug>[a-z0-9]+(?:-[a-z0-9]+)*)@(?P<version>[1-9]\d{0,8})")
OFFERED = 200
"""So many pipelines are offered in the palette, newest first."""


def components_for(project: Project, *graphs: Mapping[str, Any]) -> dict[str, Any]:
    """The catalogue's components, and every pipeline and all code that these graphs use, at any depth. What is not there is left out:
    `check` says so. A version can only use versions that were there before it, so there is an end. One query a level."""
    found: dict[str, Any] = dict(catalog.load().components)
    levels: list[list[PipelineVersion]] = []
    wanted = _used(graphs)
    while wanted:
        versions = _versions(project, wanted)
        levels.append(versions)
        seen = {_name(v) for level in levels for v in level}
        wanted = _used(v.graph for v in versions) - seen
    found |= code_for(project, _names((*graphs, *(v.graph for level in levels for v in level))))
    for version in (v for level in reversed(levels) for v in level):
        found[_name(version)] = _component(version, found)
    return found


def offered(project: Project) -> list[Nested]:
    """The newest version of each pipeline that has inputs or outputs: the palette's “Pipelines”."""
    latest = (
        PipelineVersion.objects.filter(pipeline__project=project, pipeline__deleted_at=None)
        .select_related("pipeline")
        .order_by("pipeline_id", "-number")
        .distinct("pipeline_id")
    )
    usable = [v for v in latest if any(step["component"] in (INPUT, OUTPUT) for step in v.graph["steps"].values())]
    usable = sorted(usable, key=lambda v: v.created_at, reverse=True)[:OFFERED]
    known = components_for(project, *(v.graph for v in usable))
    return [_component(v, known) for v in usable]


def _used(graphs: Iterable[Mapping[str, Any]]) -> set[str]:
    return {name for name in _names(graphs) if REFERENCE.fullmatch(name)}


def _names(graphs: Iterable[Mapping[str, Any]]) -> set[str]:
    names = {step.get("component") for graph in graphs for step in (graph.get("steps") or {}).values() if isinstance(step, Mapping)}
    return {name for name in names if isinstance(name, str)}


def _versions(project: Project, names: set[str]) -> list[PipelineVersion]:
    match = Q(pk__in=[])
    for name in names:
        if parts := REFERENCE.fullmatch(name):
            match |= Q(pipeline__slug=parts["slug"], number=int(parts["version"]))
    rows = PipelineVersion.objects.filter(match, pipeline__project=project, pipeline__deleted_at=None).select_related("pipeline")
    return list(rows.order_by(F("created_at").desc()))


def _name(version: PipelineVersion) -> str:
    return f"{PREFIX}{version.pipeline.slug}@{version.number}"


def _component(version: PipelineVersion, known: Mapping[str, Any]) -> Nested:
    pipeline = version.pipeline
    return of_graph(_name(version), pipeline.name, pipeline.description, version.graph, known)
