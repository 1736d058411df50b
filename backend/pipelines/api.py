"""HTTP of `pipelines`: routes, schemas, permission; nothing else."""

from typing import Annotated, Any

from ninja import Query, Router, Status
from pydantic_core import to_json

from backend.core.http import ApiRequest, allow
from backend.core.renderer import as_json
from backend.core.schemas import Limit, Page, Text
from backend.pipelines import actions, queries
from backend.pipelines.code import code_of
from backend.pipelines.gallery import templates
from backend.pipelines.models import CodeVersion
from backend.pipelines.schemas import (
    CatalogOut,
    CheckOut,
    CodeCheckOut,
    CodeIn,
    CodeOut,
    CodeText,
    CodeVersionBrief,
    CodeVersionIn,
    CodeVersionOut,
    CodeWord,
    DraftIn,
    DraftOut,
    Graph,
    PipelineIn,
    PipelineOut,
    PipelinePatch,
    PipelineVersionBrief,
    PipelineVersionOut,
    PublishIn,
    TemplateOut,
    YamlIn,
    YamlOut,
)
from workers.sdk.code import words
from workers.sdk.graph.code import of_spec

router = Router(tags=["pipelines"])
VersionNumber = Annotated[int, Query(ge=1, le=2**31 - 1)]


@router.get("/projects/{project}/catalog", response=CatalogOut)
@allow("pipeline.read")
def get_catalog(request: ApiRequest, project: str, pipeline: Text | None = None) -> Any:
    """Every component, kind and stage: the palette. With `pipeline`, older versions of pipelines that its draft uses as steps, too."""
    using = queries.used(queries.find(request.project, pipeline)) if pipeline else None
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
        request.project, request.user, payload.name, payload.description, template=payload.template, parameters=payload.parameters,
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
    return as_json(to_json(queries.draft_out(queries.find(request.project, pipeline))))


@router.put("/projects/{project}/pipelines/{pipeline}/draft", response=DraftOut)
@allow("pipeline.write")
def save_draft(request: ApiRequest, project: str, pipeline: str, payload: DraftIn) -> Any:
    """Save the draft; a stale base is refused."""
    saved = actions.save_draft(queries.find(request.project, pipeline), request.user, payload.base, payload.graph.model_dump())
    return as_json(to_json(saved))


@router.post("/projects/{project}/pipelines/{pipeline}/publish", response={201: PipelineVersionOut})
@allow("pipeline.write")
def publish_pipeline(request: ApiRequest, project: str, pipeline: str, payload: PublishIn) -> Any:
    """Freeze the draft as an immutable version (the same graph gives the same version)."""
    return Status(201, actions.publish(queries.find(request.project, pipeline), request.user, payload.note))


@router.get("/projects/{project}/pipelines/{pipeline}/versions", response=list[PipelineVersionBrief])
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


@router.get("/projects/{project}/code", response=list[CodeOut])
@allow("code.read")
def list_code(request: ApiRequest, project: str, deleted: bool = False) -> Any:
    """Steps that people of this project wrote in Python."""
    return queries.list_code(request.project, deleted)


@router.post("/projects/{project}/code", response={201: CodeVersionOut})
@allow("code.write")
def create_code(request: ApiRequest, project: str, payload: CodeIn) -> Any:
    """Write a step: its first version. A text that cannot be a step is refused with its problems, each with its line."""
    return Status(201, _version(actions.create_code(request.project, request.user, payload.name, payload.source, payload.note)))


@router.post("/projects/{project}/code/check", response=CodeCheckOut)
@allow("code.write")
def check_code(request: ApiRequest, project: str, payload: CodeText) -> Any:
    """What the text would be as a step, or what is wrong with it. It is evaluated in a sandbox; nothing is kept."""
    found = actions.check_code(payload.source)
    spec = found["spec"]
    return {"component": of_spec("code:new@1", payload.source, spec) if spec is not None else None, "problems": found["problems"]}


@router.get("/projects/{project}/code/words", response=list[CodeWord])
@allow("code.read")
def list_code_words(request: ApiRequest, project: str) -> Any:
    """The names that a text may use without importing them, for an editor that completes."""
    return words()


@router.get("/projects/{project}/code/{code}", response=CodeOut)
@allow("code.read")
def get_code(request: ApiRequest, project: str, code: str) -> Any:
    """One of them."""
    return queries.get_code(request.project, code)


@router.delete("/projects/{project}/code/{code}", response={204: None})
@allow("code.write")
def delete_code(request: ApiRequest, project: str, code: str) -> Any:
    """Soft delete; can be restored. Runs keep the text they ran."""
    actions.delete_code(queries.get_code(request.project, code), request.user)
    return Status(204, None)


@router.post("/projects/{project}/code/{code}/restore", response=CodeOut)
@allow("code.write")
def restore_code(request: ApiRequest, project: str, code: str) -> Any:
    """Undo a delete."""
    actions.restore_code(queries.get_code(request.project, code), request.user)
    return queries.get_code(request.project, code)


@router.get("/projects/{project}/code/{code}/versions", response=list[CodeVersionBrief])
@allow("code.read")
def list_code_versions(request: ApiRequest, project: str, code: str) -> Any:
    """Versions, newest first."""
    return queries.list_code_versions(queries.get_code(request.project, code))


@router.post("/projects/{project}/code/{code}/versions", response={201: CodeVersionOut})
@allow("code.write")
def publish_code(request: ApiRequest, project: str, code: str, payload: CodeVersionIn) -> Any:
    """Publish the text as an immutable version (the same text gives the same version)."""
    component = queries.find_code(request.project, code)
    return Status(201, _version(actions.publish_code(component, request.user, payload.source, payload.note)))


@router.get("/projects/{project}/code/{code}/versions/{int:number}", response=CodeVersionOut)
@allow("code.read")
def get_code_version(request: ApiRequest, project: str, code: str, number: int) -> Any:
    """One version with its text."""
    return _version(queries.get_code_version(queries.get_code(request.project, code), number))


def _version(version: CodeVersion) -> dict[str, Any]:
    told = {name: getattr(version, name) for name in ("number", "digest", "note", "created_by", "created_at", "source")}
    return {**told, "slug": version.component.slug, "component": code_of(version)}
