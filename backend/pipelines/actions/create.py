"""Make a pipeline: empty, from a template, a graph or YAML; and import YAML as draft and version at once."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from backend.core.actions.audit import record
from backend.core.errors import Conflict
from backend.core.models import Project, User
from backend.core.queries import unique_slug
from backend.pipelines.actions.draft import replace
from backend.pipelines.actions.publish import publish
from backend.pipelines.errors import InvalidGraph, InvalidYaml, TooManySources
from backend.pipelines.gallery import Template
from backend.pipelines.gallery import template as find_template
from backend.pipelines.models import Pipeline, PipelineVersion
from backend.pipelines.queries import normalised
from workers.sdk.graph import Graph, GraphError, PipelineText, digest, from_yaml
from workers.sdk.graph.nested import PREFIX

RESERVED = {"check", "import", "parse"}
"""Words that stand where a slug stands in the API's addresses."""
TRIES = 5


def read_yaml(text: str) -> PipelineText:
    try:
        return from_yaml(text)
    except GraphError as e:
        raise InvalidYaml(reason=str(e), field=e.field or "yaml", line=getattr(e, "line", None)) from None


def create_pipeline(
    project: Project,
    user: User,
    name: str,
    description: str = "",
    *,
    template: str | None = None,
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
    graph: Mapping[str, Any] | None = None,
    yaml: str | None = None,
    slug: str | None = None,
) -> Pipeline:
    """A new pipeline with its first draft. `parameters`: values for steps of the template, by step."""
    if sum(source is not None for source in (template, graph, yaml)) > 1:
        raise TooManySources(field="template", hint="Send one of template, graph, yaml.")
    start: Graph = {"steps": {}}
    if template is not None:
        with transaction.atomic():
            return create_pipeline(
                project, user, name, description, graph=_filled(bring(project, user, find_template(template)), parameters or {}), slug=slug
            )
    if parameters:
        raise InvalidGraph(reason="parameters are for the steps of a template.", field="parameters")
    if graph is not None:
        start = normalised(graph)
    elif yaml is not None:
        start = read_yaml(yaml).graph
    for attempt in range(TRIES):
        try:
            with transaction.atomic():
                return _insert(project, user, name.strip() or name, description, start, slug)
        except IntegrityError:
            # Another request took the slug between the look and the insert.
            if slug is not None or attempt == TRIES - 1:
                raise Conflict(
                    message=f"There is a pipeline “{slug or name}” already.", field="slug", hint="Choose another name."
                ) from None
    raise AssertionError("unreachable")


def bring(project: Project, user: User, template: Template) -> Graph:
    """The template's graph. The pipelines that it uses as steps come along: those that the project has as they are, others are made."""
    named: dict[str, str] = {}
    for reference, text in template.brings.items():
        graph = _renamed(text.graph, named)
        version = (
            PipelineVersion.objects.filter(
                pipeline__project=project, pipeline__deleted_at=None, pipeline__name=text.name, digest=digest(graph)
            )
            .select_related("pipeline")
            .order_by("created_at")
            .last()
        )
        if version is None:
            made = create_pipeline(project, user, text.name, text.description, graph=graph)
            version = publish(made, user, note=f"Came with the template “{template.title}”")
        named[reference] = f"{PREFIX}{version.pipeline.slug}@{version.number}"
    return _renamed(template.graph, named)


def _renamed(graph: Graph, components: Mapping[str, str]) -> Graph:
    copied = copy.deepcopy(graph)
    for step in copied["steps"].values():
        step["component"] = components.get(step["component"], step["component"])
    return copied


def _filled(graph: Graph, parameters: Mapping[str, Mapping[str, Any]]) -> Graph:
    if unknown := [key for key in parameters if key not in graph["steps"]]:
        reason, hint = f"the template has no step “{unknown[0]}”.", f"Its steps: {', '.join(graph['steps'])}."
        raise InvalidGraph(reason=reason, field=f"parameters.{unknown[0]}", hint=hint)
    copied = copy.deepcopy(graph)
    for key, values in parameters.items():
        copied["steps"][key]["parameters"].update(values)
    return copied


def _insert(project: Project, user: User, name: str, description: str, graph: Graph, slug: str | None) -> Pipeline:
    slug = slug or unique_slug(Pipeline.objects.filter(project=project), name, "pipeline")
    if slug in RESERVED:
        slug = unique_slug(Pipeline.objects.filter(project=project), f"{slug} pipeline", "pipeline")
    pipeline: Pipeline = Pipeline.objects.create(
        project=project,
        slug=slug,
        name=name,
        description=description,
        draft=graph,
        draft_base=1,
        draft_digest=digest(graph),
        created_by=user,
    )
    record(user, "pipeline.create", ("pipeline", pipeline.pk, pipeline.slug), after=graph, project=project)
    return pipeline


def import_yaml(project: Project, user: User, text: str, slug: str | None = None) -> Pipeline:
    """Import and publish: into the pipeline `slug` (a new draft and version), else as a new one named as the text says."""
    read = read_yaml(text)
    with transaction.atomic():
        pipeline: Pipeline | None = Pipeline.objects.filter(project=project, slug=slug, deleted_at=None).first() if slug else None
        if pipeline is None:
            name = read.name or (slug or "Imported pipeline").replace("-", " ").capitalize()
            pipeline = create_pipeline(project, user, name, read.description, graph=read.graph, slug=slug)
        else:
            pipeline = replace(pipeline, user, read.graph)
        if read.graph["steps"]:
            publish(pipeline, user, note="Imported from YAML")
    return pipeline
