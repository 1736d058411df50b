"""HTTP of `datasets`: routes, schemas, permission; nothing else."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from ninja import Router

from backend.core.http import ApiRequest, allow
from backend.core.schemas import Page
from backend.datasets.schemas import (
    ColumnsIn,
    DatasetOut,
    DatasetPatch,
    DatasetVersionOut,
    FreezeIn,
    ItemsOut,
    ManifestOut,
    ProfileOut,
    RowsOut,
    UploadIn,
    UploadOut,
)

router = Router(tags=["datasets"])


@router.post("/projects/{project}/uploads", response={201: UploadOut})
@allow("dataset.write")
def start_upload(request: ApiRequest, project: str, payload: UploadIn) -> Any:
    """Begin a resumable upload."""
    raise NotImplementedError


@router.get("/projects/{project}/uploads", response=list[UploadOut])
@allow("dataset.read")
def list_uploads(request: ApiRequest, project: str) -> Any:
    """Unfinished and recent uploads of the caller."""
    raise NotImplementedError


@router.get("/projects/{project}/uploads/{uuid:upload_id}", response=UploadOut)
@allow("dataset.read")
def get_upload(request: ApiRequest, project: str, upload_id: UUID) -> Any:
    """Where an upload stands (how to resume)."""
    raise NotImplementedError


@router.put("/projects/{project}/uploads/{uuid:upload_id}/chunks", response=UploadOut)
@allow("dataset.write")
def put_chunk(request: ApiRequest, project: str, upload_id: UUID, offset: int) -> Any:
    """The next bytes, as application/octet-stream; 409 tells the offset expected."""
    raise NotImplementedError


@router.post("/projects/{project}/uploads/{uuid:upload_id}/complete", response={202: UploadOut})
@allow("dataset.write")
def complete_upload(request: ApiRequest, project: str, upload_id: UUID) -> Any:
    """All bytes are here: read them in a worker."""
    raise NotImplementedError


@router.delete("/projects/{project}/uploads/{uuid:upload_id}", response={204: None})
@allow("dataset.write")
def cancel_upload(request: ApiRequest, project: str, upload_id: UUID) -> Any:
    """Cancel; what was received is deleted."""
    raise NotImplementedError


@router.get("/projects/{project}/datasets", response=Page[DatasetOut])
@allow("dataset.read")
def list_datasets(request: ApiRequest, project: str, search: str | None = None, deleted: bool = False, cursor: str | None = None, limit: int = 50) -> Any:
    """Data sets."""
    raise NotImplementedError


@router.get("/projects/{project}/datasets/{dataset}", response=DatasetOut)
@allow("dataset.read")
def get_dataset(request: ApiRequest, project: str, dataset: str) -> Any:
    """One data set."""
    raise NotImplementedError


@router.patch("/projects/{project}/datasets/{dataset}", response=DatasetOut)
@allow("dataset.write")
def update_dataset(request: ApiRequest, project: str, dataset: str, payload: DatasetPatch) -> Any:
    """Name, description, licence, source."""
    raise NotImplementedError


@router.delete("/projects/{project}/datasets/{dataset}", response={204: None})
@allow("dataset.delete")
def delete_dataset(request: ApiRequest, project: str, dataset: str) -> Any:
    """Soft delete; can be restored."""
    raise NotImplementedError


@router.post("/projects/{project}/datasets/{dataset}/restore", response=DatasetOut)
@allow("dataset.delete")
def restore_dataset(request: ApiRequest, project: str, dataset: str) -> Any:
    """Undo a delete."""
    raise NotImplementedError


@router.get("/projects/{project}/datasets/{dataset}/versions", response=list[DatasetVersionOut])
@allow("dataset.read")
def list_versions(request: ApiRequest, project: str, dataset: str) -> Any:
    """Versions, newest first."""
    raise NotImplementedError


@router.get("/projects/{project}/datasets/{dataset}/versions/{int:number}", response=DatasetVersionOut)
@allow("dataset.read")
def get_version(request: ApiRequest, project: str, dataset: str, number: int) -> Any:
    """One version."""
    raise NotImplementedError


@router.put("/projects/{project}/datasets/{dataset}/versions/{int:number}/columns", response=DatasetVersionOut)
@allow("dataset.write")
def set_columns(request: ApiRequest, project: str, dataset: str, number: int, payload: ColumnsIn) -> Any:
    """Correct the types of a draft version."""
    raise NotImplementedError


@router.post("/projects/{project}/datasets/{dataset}/versions/{int:number}/freeze", response={202: DatasetVersionOut})
@allow("dataset.write")
def freeze_version(request: ApiRequest, project: str, dataset: str, number: int, payload: FreezeIn) -> Any:
    """Freeze a draft version."""
    raise NotImplementedError


@router.get("/projects/{project}/datasets/{dataset}/versions/{int:number}/manifest", response=ManifestOut)
@allow("dataset.read")
def get_manifest(request: ApiRequest, project: str, dataset: str, number: int) -> Any:
    """For steps: where the frozen version lies."""
    raise NotImplementedError


@router.get("/projects/{project}/datasets/{dataset}/versions/{int:number}/rows", response=RowsOut)
@allow("dataset.read")
def list_rows(request: ApiRequest, project: str, dataset: str, number: int, offset: int = 0, limit: int = 100, search: str | None = None, sort: str | None = None, filter: str | None = None) -> Any:
    """A window of a table; `filter` is a safe expression (`age > 40 and sex == "Female"`), `sort` a column, `-` for descending."""
    raise NotImplementedError


@router.get("/projects/{project}/datasets/{dataset}/versions/{int:number}/items", response=ItemsOut)
@allow("dataset.read")
def list_items(request: ApiRequest, project: str, dataset: str, number: int, offset: int = 0, limit: int = 100, search: str | None = None, label: str | None = None) -> Any:
    """A window of an image or text data set."""
    raise NotImplementedError


@router.get("/projects/{project}/datasets/{dataset}/versions/{int:number}/items/{int:index}/file", summary="The bytes of one item, or its thumbnail")
@allow("dataset.read")
def item_file(request: ApiRequest, project: str, dataset: str, number: int, index: int, thumbnail: bool = False) -> HttpResponse:
    """The bytes of one item, or its thumbnail."""
    raise NotImplementedError


@router.get("/projects/{project}/datasets/{dataset}/versions/{int:number}/profile", response=ProfileOut)
@allow("dataset.read")
def get_profile(request: ApiRequest, project: str, dataset: str, number: int) -> Any:
    """The profile made in a worker."""
    raise NotImplementedError


@router.get("/projects/{project}/datasets/{dataset}/versions/{int:number}/download", summary="csv, parquet, jsonl")
@allow("dataset.read")
def download_version(request: ApiRequest, project: str, dataset: str, number: int, format: str = "csv") -> HttpResponse:
    """csv, parquet, jsonl; zip for images."""
    raise NotImplementedError
