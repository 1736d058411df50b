"""HTTP of `artifacts`: routes, schemas, permission; nothing else."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from ninja import Router

from backend.artifacts import lineage, queries
from backend.artifacts.responses import FOREVER, bytes_of, bytes_response, json_of, small_response, stored_response
from backend.artifacts.schemas import ArtifactOut, LineageOut, Preview
from backend.artifacts.thumbnails import thumbnail as make_thumbnail
from backend.core.errors import NotFound
from backend.core.http import ApiRequest, allow

router = Router(tags=["artifacts"])


@router.get("/projects/{project}/artifacts/{uuid:artifact_id}", response=ArtifactOut)
@allow("artifact.read")
def get_artifact(request: ApiRequest, project: str, artifact_id: UUID) -> Any:
    """One artifact."""
    return queries.get_artifact(request.project, artifact_id)


@router.get("/projects/{project}/artifacts/{uuid:artifact_id}/preview", response=Preview)
@allow("artifact.read")
def preview_artifact(request: ApiRequest, project: str, artifact_id: UUID, offset: int = 0, limit: int = 50) -> Any:
    """What a person sees of it; `limit` is at most 500."""
    return json_of(request, queries.preview(request.project, queries.get_artifact(request.project, artifact_id), offset, limit))


@router.get(
    "/projects/{project}/artifacts/{uuid:artifact_id}/download",
    summary="The bytes (a zip for a folder)",
    openapi_extra=bytes_of("*/*", ranges=True),
)
@allow("artifact.read")
def download_artifact(request: ApiRequest, project: str, artifact_id: UUID) -> HttpResponseBase:
    """The bytes; a zip for a folder and for images."""
    artifact = queries.get_artifact(request.project, artifact_id)
    name, media_type, content = queries.download_of(artifact)
    if isinstance(content, str):
        return stored_response(request, content, filename=name, media_type=media_type, attachment=True)
    pieces, size = ([content], len(content)) if isinstance(content, bytes) else (content, None)
    return bytes_response(request, pieces, filename=name, media_type=media_type, size=size, attachment=True)


@router.get(
    "/projects/{project}/artifacts/{uuid:artifact_id}/files/{path:path}",
    summary="One file of a folder artifact, or one image of an Images artifact",
    openapi_extra=bytes_of("*/*", ranges=True),
)
@allow("artifact.read")
def artifact_file(request: ApiRequest, project: str, artifact_id: UUID, path: str, thumbnail: bool = False) -> HttpResponseBase:
    """One file of a folder artifact by its path, or one image of an Images artifact by its row number (`thumbnail` makes it small)."""
    artifact = queries.get_artifact(request.project, artifact_id)
    name, digest, media_type = queries.file_of(artifact, path)
    if thumbnail and artifact.kind == "Images":
        return small_response(request, make_thumbnail(digest), filename=f"{name}.webp", media_type="image/webp", digest=f"{digest}.t")
    return stored_response(request, digest, filename=name, media_type=media_type, cache=FOREVER)


@router.get("/projects/{project}/lineage/{node_type}/{node_id}", response=LineageOut)
@allow("artifact.read")
def get_lineage(request: ApiRequest, project: str, node_type: str, node_id: str) -> Any:
    """What this came from and what came of it. Of a very large picture the nearest part."""
    try:
        key = (node_type, UUID(node_id))
    except ValueError:
        raise NotFound(what=node_type.replace("_", " ")[:40], name=node_id[:80]) from None
    nodes, edges = lineage.walk(request.project, key)
    return {"nodes": [asdict(n) for n in nodes], "edges": edges}
