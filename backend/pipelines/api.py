"""HTTP of `pipelines`: routes, schemas, permission; nothing else."""

from typing import Annotated, Any

from ninja import Query, Router, Status

from backend.core.http import ApiRequest, allow
from backend.core.schemas import Limit, Page, Text
from backend.pipelines import actions, queries
from backend.pipelines.gallery import templates
from backend.pipelines.schemas import (
    CatalogOut,
    CheckOut,
    DraftIn,
    DraftOut,
    Graph,
    PipelineIn,
    PipelineOut,
    PipelinePatch,
    PipelineVersionOut,
    PublishIn,
    TemplateOut,
    YamlIn,
    YamlOut,
)

router = Router(tags=["pipelines"])
VersionNumber = Annotated[int, Query(ge=1, le=2**31 - 1)]


@router.get("/projects/{project}/catalog", response=CatalogOut)
@allow("pipeline.read")
def get_catalog(request: ApiRequest, project: str, pipeline: Text | None = None) -> Any:
    """Every component, kind and stage: the palette. With `pipeline`, older versions of pipelines that its draft uses as steps, too."""
    using = queries.draft(queries.find(request.project, pipeline)) if pipeline else None
    return queries.get_catalog(request.project, using)


@router.get("/projects/{project}/templates", response=list[TemplateOut])
@allow("pipeline.read")
def list_templates(request: ApiRequest, project: str) -> Any:
    """The gallery."""
    return list(templates().values())


@router.post("/projects/{project}/pipelines/check", response=CheckOut)
@allow("pipeline.read")
def check_graph(request: ApiRequest, project: str, payload: Graph) -> Any:
    """Problems of a graph and the columns known at each output."""
    return queries.check_graph(request.project, payload.model_dump())


@router.post("/projects/{project}/pipelines/parse", response=Graph)
@allow("pipeline.read")
def parse_yaml(request: ApiRequest, project: str, payload: YamlIn) -> Any:
    """The graph that a YAML text says; nothing is kept."""
    return actions.read_yaml(payload.yaml).graph


@router.get("/projects/{project}/pipelines", response=Page[PipelineOut])
@allow("pipeline.read")
def list_pipelines(
    request: ApiRequest, project: str, search: Text | None = None, deleted: bool = False, cursor: str | None = None, limit: Limit = 50
) -> Any:
    """Pipelines."""
    return queries.list_pipelines(request.project, search, deleted, cursor, limit)


@router.post("/projects/{project}/pipelines", response={201: PipelineOut})
@allow("pipeline.write")
def create_pipeline(request: ApiRequest, project: str, payload: PipelineIn) -> Any:
    """A pipeline: empty, from a template, a graph or YAML."""
    made = actions.create_pipeline(
        request.project, request.user, payload.name, payload.description, template=payload.template,
        graph=payload.graph.model_dump() if payload.graph is not None else None, yaml=payload.yaml,
    )  # fmt: skip
    return Status(201, queries.get_pipeline(request.project, made.slug))


@router.post("/projects/{project}/pipelines/import", response={201: PipelineOut})
@allow("pipeline.write")
def import_pipeline(request: ApiRequest, project: str, payload: YamlIn) -> Any:
    """Import YAML and publish it."""
    made = actions.import_yaml(request.project, request.user, payload.yaml, payload.slug)
    return Status(201, queries.get_pipeline(request.project, made.slug))


@router.get("/projects/{project}/pipelines/{pipeline}", response=PipelineOut)
@allow("pipeline.read")
def get_pipeline(request: ApiRequest, project: str, pipeline: str) -> Any:
    """One pipeline."""
    return queries.get_pipeline(request.project, pipeline)


@router.patch("/projects/{project}/pipelines/{pipeline}", response=PipelineOut)
@allow("pipeline.write")
def update_pipeline(request: ApiRequest, project: str, pipeline: str, payload: PipelinePatch) -> Any:
    """Rename or describe."""
    actions.update_pipeline(queries.find(request.project, pipeline), request.user, payload.name, payload.description)
    return queries.get_pipeline(request.project, pipeline)


@router.delete("/projects/{project}/pipelines/{pipeline}", response={204: None})
@allow("pipeline.delete")
def delete_pipeline(request: ApiRequest, project: str, pipeline: str) -> Any:
    """Soft delete; can be restored."""
    actions.delete_pipeline(queries.get_pipeline(request.project, pipeline), request.user)
    return Status(204, None)


@router.post("/projects/{project}/pipelines/{pipeline}/restore", response=PipelineOut)
@allow("pipeline.delete")
def restore_pipeline(request: ApiRequest, project: str, pipeline: str) -> Any:
    """Undo a delete."""
    actions.restore_pipeline(queries.get_pipeline(request.project, pipeline), request.user)
    return queries.get_pipeline(request.project, pipeline)


@router.get("/projects/{project}/pipelines/{pipeline}/draft", response=DraftOut)
@allow("pipeline.read")
def get_draft(request: ApiRequest, project: str, pipeline: str) -> Any:
    """The draft being edited."""
    return queries.draft_out(queries.find(request.project, pipeline))


@router.put("/projects/{project}/pipelines/{pipeline}/draft", response=DraftOut)
@allow("pipeline.write")
def save_draft(request: ApiRequest, project: str, pipeline: str, payload: DraftIn) -> Any:
    """Save the draft; a stale base is refused."""
    return actions.save_draft(queries.find(request.project, pipeline), request.user, payload.base, payload.graph.model_dump())


@router.post("/projects/{project}/pipelines/{pipeline}/publish", response={201: PipelineVersionOut})
@allow("pipeline.write")
def publish_pipeline(request: ApiRequest, project: str, pipeline: str, payload: PublishIn) -> Any:
    """Freeze the draft as an immutable version (the same graph gives the same version)."""
    return Status(201, actions.publish(queries.find(request.project, pipeline), request.user, payload.note))


@router.get("/projects/{project}/pipelines/{pipeline}/versions", response=list[PipelineVersionOut])
@allow("pipeline.read")
def list_pipeline_versions(request: ApiRequest, project: str, pipeline: str) -> Any:
    """Versions, newest first."""
    return queries.list_versions(queries.get_pipeline(request.project, pipeline))


@router.get("/projects/{project}/pipelines/{pipeline}/versions/{int:number}", response=PipelineVersionOut)
@allow("pipeline.read")
def get_pipeline_version(request: ApiRequest, project: str, pipeline: str, number: int) -> Any:
    """One version."""
    return queries.get_version(queries.get_pipeline(request.project, pipeline), number)


@router.get("/projects/{project}/pipelines/{pipeline}/yaml", response=YamlOut)
@allow("pipeline.read")
def export_pipeline(request: ApiRequest, project: str, pipeline: str, version: VersionNumber | None = None) -> Any:
    """Canonical YAML of the draft or a version."""
    return queries.export_yaml(queries.find(request.project, pipeline), version)
