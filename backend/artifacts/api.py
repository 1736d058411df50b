"""HTTP of `artifacts`: routes, schemas, permission; nothing else."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from ninja import Router

from backend.core.http import ApiRequest, allow
from backend.artifacts.schemas import (
    ArtifactOut,
    LineageOut,
    Preview,
)

router = Router(tags=["artifacts"])


@router.get("/projects/{project}/artifacts/{uuid:artifact_id}", response=ArtifactOut)
@allow("artifact.read")
def get_artifact(request: ApiRequest, project: str, artifact_id: UUID) -> Any:
    """One artifact."""
    raise NotImplementedError


@router.get("/projects/{project}/artifacts/{uuid:artifact_id}/preview", response=Preview)
@allow("artifact.read")
def preview_artifact(request: ApiRequest, project: str, artifact_id: UUID, offset: int = 0, limit: int = 50) -> Any:
    """What a person sees of it."""
    raise NotImplementedError


@router.get("/projects/{project}/artifacts/{uuid:artifact_id}/download", summary="The bytes (a zip for a folder)")
@allow("artifact.read")
def download_artifact(request: ApiRequest, project: str, artifact_id: UUID) -> HttpResponse:
    """The bytes (a zip for a folder)."""
    raise NotImplementedError


@router.get("/projects/{project}/artifacts/{uuid:artifact_id}/files/{path:path}", summary="One file of a folder artifact, or one image of an Images artifact")
@allow("artifact.read")
def artifact_file(request: ApiRequest, project: str, artifact_id: UUID, path: str) -> HttpResponse:
    """One file of a folder artifact, or one image of an Images artifact."""
    raise NotImplementedError


@router.get("/projects/{project}/lineage/{node_type}/{node_id}", response=LineageOut)
@allow("artifact.read")
def get_lineage(request: ApiRequest, project: str, node_type: str, node_id: str) -> Any:
    """What this came from and what came of it."""
    raise NotImplementedError
