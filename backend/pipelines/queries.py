"""Reads of `pipelines`: the catalogue, lists, drafts, versions, templates, and what is wrong with a graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.db.models import CharField, Func, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields.json import KeyTextTransform

from backend.core.errors import HeadraceError, NotFound
from backend.core.models import Project
from backend.core.queries import Slice, paginate
from backend.core.queries.rows import Columns, one
from backend.datasets.models import Dataset
from backend.datasets.queries import resolve_reference
from backend.pipelines import pins
from backend.pipelines.code import offered_code
from backend.pipelines.errors import InvalidGraph
from backend.pipelines.models import CodeComponent, CodeVersion, Pipeline, PipelineVersion
from backend.pipelines.nested import components_for, offered
from workers import catalog
from workers.sdk import graph as graphs
from workers.sdk.graph.check import Schemas
from workers.sdk.graph.code import Code
from workers.sdk.graph.nested import Nested

KIND_OF_MODALITY = {"table": "Table", "images": "Images"}
HINTS = 200
"""So many data sets are offered when a reference names none."""


def get_catalog(project: Project, using: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The palette: stages in order, kinds, components, this project's pipelines and code as steps (and those `using` names)."""
    found = catalog.load()
    own: dict[str, Any] = {one.name: one for one in offered_code(project)} | {one.name: one for one in offered(project)}
    if using is not None:
        own |= {name: one for name, one in components_for(project, using).items() if isinstance(one, Nested | Code)}
    return {
        "stages": [
            *found.stages,
            {"name": "code", "title": "Code", "help": "Steps that people of this project wrote in Python."},
            {"name": "pipelines", "title": "Pipelines", "help": "This project's published pipelines, as steps."},
        ],
        "kinds": [
            {"name": name, "title": kind.title, "color": kind.color, "shape": kind.shape, "help": kind.help}
            for name, kind in found.kinds.items()
        ],
        "components": [*found.components.values(), *own.values()],
    }


def normalised(graph: Mapping[str, Any]) -> graphs.Graph:
    """The graph's normal form; raises InvalidGraph with the field."""
    try:
        return graphs.normalise(graph)
    except graphs.GraphError as e:
        raise InvalidGraph(reason=str(e), field=e.field or None) from None


def check_graph(project: Project, graph: Mapping[str, Any]) -> dict[str, Any]:
    """Problems, known columns and digest of a graph, with this project's data sets."""
    normal = normalised(graph)
    problems, schemas = checked(project, normal)
    return {"problems": problems, "schemas": schemas, "digest": graphs.digest(normal, normal=True)}


def checked(project: Project, normal: graphs.Graph) -> tuple[list[graphs.Problem], Schemas]:
    """Problems and known columns of a graph in normal form."""
    components = components_for(project, normal)
    references = graphs.dataset_references(normal, components)
    columns: dict[str, list[dict[str, Any]] | None] = {}
    modality: dict[str, str] = {}
    missing = False
    for text in dict.fromkeys(reference.text for reference in references):
        try:
            version = resolve_reference(project, text)
        except HeadraceError:  # not there, not frozen, or no reference at all: `check` says so beside the parameter
            missing = True
            continue
        columns[text] = [{"name": c["name"], "type": c["type"]} for c in version.columns] or None
        modality[text] = version.dataset.modality
    known = dict(columns)
    if missing:  # what there is instead, for the hint
        known |= {name: None for name in reference_names(project) if name not in columns}
        for reference in references:
            if reference.text not in columns:
                known.pop(reference.text, None)
    problems, schemas = graphs.check(normal, components, known)
    for reference in references:
        kind = KIND_OF_MODALITY.get(modality.get(reference.text, ""))
        component = components[normal["steps"][reference.step]["component"]]
        given = {port.kind for port in component.outputs}
        if kind and kind not in given and given & set(KIND_OF_MODALITY.values()):
            reads = next(iter(given & set(KIND_OF_MODALITY.values())))
            problems.append(
                {
                    "severity": "error", "step": reference.step, "port": None, "parameter": reference.parameter, "code": "wrong_modality",
                    "message": f"“{component.title}” reads {reads}, but the data set “{reference.text}” holds {kind}.",
                    "hint": f"Use a component that gives {kind}, or choose another data set.",
                }
            )  # fmt: skip
    problems += pins.problems(project, normal, components)
    return problems, schemas


def reference_names(project: Project) -> list[str]:
    """`slug@latest` of every data set with a frozen version."""
    slugs = Dataset.objects.filter(project=project, deleted_at=None, versions__status="frozen").distinct().order_by("slug")
    return [f"{slug}@latest" for slug in slugs.values_list("slug", flat=True)[:HINTS]]


def pipelines(project: Project) -> QuerySet[Pipeline]:
    """Pipelines with what `PipelineOut` tells, in one query; the draft itself stays in the database."""
    newest = PipelineVersion.objects.filter(pipeline=OuterRef("pk")).order_by("-number")
    count = Func(
        "draft",
        template="(SELECT count(*) FROM jsonb_object_keys(coalesce(%(expressions)s->'steps', '{}'::jsonb)))",
        output_field=IntegerField(),
    )
    return (
        Pipeline.objects.filter(project=project)
        .select_related("created_by")
        .defer("draft")
        .annotate(
            steps=count,
            latest_version=Subquery(newest.values("number")[:1], output_field=IntegerField()),
            published_digest=Subquery(newest.values("digest")[:1], output_field=CharField()),
        )
    )


def list_pipelines(project: Project, search: str | None, deleted: bool, cursor: str | None, limit: int) -> Slice[Pipeline]:
    found = pipelines(project).filter(deleted_at__isnull=not deleted)
    if search:
        found = found.filter(Q(name__icontains=search) | Q(slug__icontains=search) | Q(description__icontains=search))
    return paginate(found, ("-updated_at", "-id"), cursor, limit, count=True)


def get_pipeline(project: Project, slug: str) -> Pipeline:
    """As in the list; a deleted one too, so that its page can offer to restore it."""
    found: Pipeline | None = pipelines(project).filter(slug=slug).first()
    if found is None:
        raise NotFound(what="pipeline", name=slug)
    return found


def find(project: Project, slug: str) -> Pipeline:
    """The pipeline, for work; deleted ones are not found. Its draft, of a large one megabytes, is fetched by who looks at it."""
    found: Pipeline | None = (
        Pipeline.objects.select_related("project").defer("draft").filter(project=project, slug=slug, deleted_at=None).first()
    )
    if found is None:
        raise NotFound(what="pipeline", name=slug)
    return found


_USED = """
SELECT DISTINCT step.value->>'component' FROM pipelines_pipeline p, jsonb_each(p.draft->'steps') step
 WHERE p.id = %s AND jsonb_typeof(p.draft->'steps') = 'object' AND jsonb_typeof(step.value) = 'object'
"""


def used(pipeline: Pipeline) -> dict[str, Any]:
    """As a graph, one step of each component that the draft uses: all that the palette must know of ten thousand steps."""
    with connection.cursor() as cursor:
        cursor.execute(_USED, [pipeline.pk])
        return {"steps": {name: {"component": name} for (name,) in cursor.fetchall() if name}}


def draft(pipeline: Pipeline) -> graphs.Graph:
    return graphs.normalise(pipeline.draft or {})


def draft_out(pipeline: Pipeline) -> dict[str, Any]:
    graph = draft(pipeline)
    digest = pipeline.draft_digest or graphs.digest(graph)
    return {"base": pipeline.draft_base, "graph": graph, "digest": digest, "updated_at": pipeline.updated_at}


def list_versions(pipeline: Pipeline) -> list[PipelineVersion]:
    """Newest first, without their graphs: of a large pipeline each is megabytes."""
    return list(pipeline.versions.select_related("created_by").defer("graph").order_by("-number"))


def get_version(pipeline: Pipeline, number: int) -> PipelineVersion:
    found: PipelineVersion | None = (
        pipeline.versions.select_related("created_by").filter(number=number).first() if 0 < number < 2**31 else None
    )
    if found is None:
        raise NotFound(what="version of this pipeline", name=number)
    return found


_VERSION = Columns(p=Pipeline, v=PipelineVersion, without=["p.draft"])


def find_version(project: Project, slug: str, number: int) -> PipelineVersion:
    """`find` and `get_version` in one statement: what every start of a run begins with."""
    row = one(
        f"SELECT {_VERSION.sql} FROM pipelines_pipeline p LEFT JOIN pipelines_pipelineversion v ON v.pipeline_id = p.id AND v.number = %s"  # noqa: S608 - our own column names only
        " WHERE p.project_id = %s AND p.slug = %s AND p.deleted_at IS NULL",
        [number if 0 < number < 2**31 else None, project.pk, slug],
    )
    if row is None:
        raise NotFound(what="pipeline", name=slug)
    pipeline, version = _VERSION.read(row)
    if version is None:
        raise NotFound(what="version of this pipeline", name=number)
    pipeline.project, version.pipeline = project, pipeline
    return version  # type: ignore[no-any-return]  # what `read` gives is in the order of _VERSION


def export_yaml(pipeline: Pipeline, version: int | None = None) -> dict[str, str]:
    graph = draft(pipeline) if version is None else get_version(pipeline, version).graph
    return {"yaml": graphs.to_yaml(graph, name=pipeline.name, description=pipeline.description), "digest": graphs.digest(graph)}


def _code(project: Project) -> QuerySet[CodeComponent]:
    newest = CodeVersion.objects.filter(component=OuterRef("pk")).order_by("-number")
    return (
        CodeComponent.objects.filter(project=project)
        .select_related("created_by", "project")
        .annotate(
            latest_version=Subquery(newest.values("number")[:1], output_field=IntegerField()),
            title=Subquery(newest.annotate(said=KeyTextTransform("title", "spec")).values("said")[:1], output_field=CharField()),
        )
    )


def list_code(project: Project, deleted: bool = False) -> list[CodeComponent]:
    """Newest change first."""
    return list(_code(project).filter(deleted_at__isnull=not deleted).order_by("-updated_at", "-id"))


def get_code(project: Project, slug: str) -> CodeComponent:
    """A deleted one too, so that it can be restored."""
    found: CodeComponent | None = _code(project).filter(slug=slug).first()
    if found is None:
        raise NotFound(what="code", name=slug)
    return found


def find_code(project: Project, slug: str) -> CodeComponent:
    """For work; deleted code is not found."""
    found = get_code(project, slug)
    if found.deleted_at is not None:
        raise NotFound(what="code", name=slug)
    return found


def list_code_versions(component: CodeComponent) -> list[CodeVersion]:
    return list(component.versions.select_related("created_by").defer("source", "spec").order_by("-number"))


def get_code_version(component: CodeComponent, number: int) -> CodeVersion:
    found: CodeVersion | None = (
        component.versions.select_related("created_by", "component").filter(number=number).first() if 0 < number < 2**31 else None
    )
    if found is None:
        raise NotFound(what="version of this code", name=number)
    return found
