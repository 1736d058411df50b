"""HTTP of `datasets`: routes, schemas, permission; nothing else."""

from typing import Any, Literal
from uuid import UUID

from django.http import HttpResponseBase
from ninja import Router, Status

from backend.artifacts.responses import FOREVER, bytes_of, bytes_response, json_of, overview_response, small_response, stored_response
from backend.artifacts.thumbnails import thumbnail as make_thumbnail
from backend.core.errors import InvalidInput
from backend.core.http import ApiRequest, allow
from backend.core.schemas import Limit, Offset, Page, Text
from backend.datasets.actions import columns, describe, freezing, receive, rereading
from backend.datasets.actions.announce import announce_waiting
from backend.datasets.queries import changes, downloads, items, preview, rows, uploads
from backend.datasets.queries import datasets as read
from backend.datasets.schemas import (
    ChangeKind,
    ChangesOut,
    ColumnsIn,
    DatasetOut,
    DatasetPatch,
    DatasetVersionOut,
    FreezeIn,
    ItemsOut,
    MakingOut,
    ManifestOut,
    PreviewOut,
    ProfileOut,
    ReadingOptions,
    RowsOut,
    UploadIn,
    UploadOut,
    Wait,
)

router = Router(tags=["datasets"])
CHUNK = {"requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}}


@router.post("/projects/{project}/uploads", response={201: UploadOut})
@allow("dataset.write")
def start_upload(request: ApiRequest, project: str, payload: UploadIn) -> Any:
    """Begin a resumable upload."""
    fields = payload.model_dump(exclude={"options"}) | {"options": payload.options.model_dump(exclude_defaults=True)}
    return Status(201, uploads.upload_out(receive.start_upload(request, request.project, request.user, fields)))


@router.get("/projects/{project}/uploads", response=list[UploadOut])
@allow("dataset.read")
def list_uploads(request: ApiRequest, project: str) -> Any:
    """Unfinished and recent uploads of the caller."""
    announce_waiting()
    return uploads.list_uploads(request.project, request.user)


@router.get("/projects/{project}/uploads/{uuid:upload_id}", response=UploadOut)
@allow("dataset.read")
def get_upload(request: ApiRequest, project: str, upload_id: UUID) -> Any:
    """Where an upload stands (how to resume)."""
    found = uploads.find_upload(request.project, upload_id)
    if found.status == "processing":
        announce_waiting()
    return uploads.upload_out(found)


@router.put("/projects/{project}/uploads/{uuid:upload_id}/chunks", response=UploadOut, openapi_extra=CHUNK)
@allow("dataset.write")
def put_chunk(request: ApiRequest, project: str, upload_id: UUID, offset: Offset) -> Any:
    """The next bytes, as application/octet-stream; 409 tells the offset expected."""
    length = request.headers.get("Content-Length", "")
    if not length.isdecimal():
        raise InvalidInput(message="Say how long the chunk is.", field="Content-Length", hint="Send the header Content-Length.")
    return uploads.upload_out(receive.receive_chunk(request.project, upload_id, offset, request, int(length)))


@router.post("/projects/{project}/uploads/{uuid:upload_id}/complete", response={202: UploadOut})
@allow("dataset.write")
def complete_upload(request: ApiRequest, project: str, upload_id: UUID) -> Any:
    """All bytes are here: read them in a worker."""
    return Status(202, uploads.upload_out(receive.complete_upload(request, request.project, upload_id)))


@router.delete("/projects/{project}/uploads/{uuid:upload_id}", response={204: None})
@allow("dataset.write")
def cancel_upload(request: ApiRequest, project: str, upload_id: UUID) -> Any:
    """Cancel; what was received is deleted."""
    receive.cancel_upload(request, request.project, upload_id)
    return Status(204, None)


@router.get("/projects/{project}/datasets", response=Page[DatasetOut])
@allow("dataset.read")
def list_datasets(
    request: ApiRequest, project: str, search: Text | None = None, deleted: bool = False, cursor: str | None = None, limit: Limit = 50
) -> Any:
    """Data sets."""
    return read.list_datasets(request.project, search, deleted, cursor, limit)


@router.get("/projects/{project}/datasets/{dataset}", response=DatasetOut)
@allow("dataset.read")
def get_dataset(request: ApiRequest, project: str, dataset: str) -> Any:
    """One data set."""
    return read.get_dataset(request.project, dataset)


@router.patch("/projects/{project}/datasets/{dataset}", response=DatasetOut)
@allow("dataset.write")
def update_dataset(request: ApiRequest, project: str, dataset: str, payload: DatasetPatch) -> Any:
    """Name, description, licence, source."""
    describe.update_dataset(request, request.project, dataset, payload.model_dump(exclude_none=True))
    return read.get_dataset(request.project, dataset)


@router.delete("/projects/{project}/datasets/{dataset}", response={204: None})
@allow("dataset.delete")
def delete_dataset(request: ApiRequest, project: str, dataset: str) -> Any:
    """Soft delete; can be restored."""
    describe.delete_dataset(request, request.project, dataset)
    return Status(204, None)


@router.post("/projects/{project}/datasets/{dataset}/restore", response=DatasetOut)
@allow("dataset.delete")
def restore_dataset(request: ApiRequest, project: str, dataset: str) -> Any:
    """Undo a delete."""
    describe.restore_dataset(request, request.project, dataset)
    return read.get_dataset(request.project, dataset)


@router.get("/projects/{project}/datasets/{dataset}/versions", response=list[DatasetVersionOut])
@allow("dataset.read")
def list_versions(request: ApiRequest, project: str, dataset: str) -> Any:
    """Versions, newest first."""
    return [read.version_out(v) for v in read.versions(request.project, dataset)]


@router.get("/projects/{project}/datasets/{dataset}/versions/{int:number}", response=DatasetVersionOut)
@allow("dataset.read")
def get_version(request: ApiRequest, project: str, dataset: str, number: int) -> Any:
    """One version."""
    version = read.find_version(request.project, dataset, number)
    if version.status == "freezing":
        announce_waiting()
    return read.version_out(version)


@router.put("/projects/{project}/datasets/{dataset}/versions/{int:number}/columns", response=DatasetVersionOut)
@allow("dataset.write")
def set_columns(request: ApiRequest, project: str, dataset: str, number: int, payload: ColumnsIn) -> Any:
    """Correct the types of a draft version."""
    version = read.find_version(request.project, dataset, number)
    wanted = [c.model_dump() for c in payload.columns]
    label = payload.label_column if "label_column" in payload.model_fields_set else version.label_column
    return read.version_out(columns.set_columns(request, version, wanted, label, payload.null_values))


@router.post("/projects/{project}/datasets/{dataset}/versions/{int:number}/preview", response=PreviewOut)
@allow("dataset.write")
def preview_reading(request: ApiRequest, project: str, dataset: str, number: int, payload: ReadingOptions) -> Any:
    """The first rows of a draft's file as these options would read it; nothing is changed."""
    version = read.find_version(request.project, dataset, number)
    return preview.preview(version, payload.model_dump(exclude_defaults=True))


@router.post("/projects/{project}/datasets/{dataset}/versions/{int:number}/reread", response={202: UploadOut})
@allow("dataset.write")
def reread_version(request: ApiRequest, project: str, dataset: str, number: int, payload: ReadingOptions) -> Any:
    """Read a draft's file again with these options, in a worker; corrected types stay where the column is still there."""
    version = read.find_version(request.project, dataset, number)
    upload = rereading.reread(request, version, payload.model_dump(exclude_defaults=True))
    return Status(202, uploads.upload_out(uploads.find_upload(request.project, upload.id)))


@router.post("/projects/{project}/datasets/{dataset}/versions/{int:number}/freeze", response={202: DatasetVersionOut})
@allow("dataset.write")
def freeze_version(request: ApiRequest, project: str, dataset: str, number: int, payload: FreezeIn) -> Any:
    """Freeze a draft version."""
    version = read.find_version(request.project, dataset, number)
    return Status(202, read.version_out(freezing.freeze_version(request, request.user, version, payload.note)))


@router.get("/projects/{project}/datasets/{dataset}/versions/{int:number}/manifest", response=ManifestOut)
@allow("dataset.read")
def get_manifest(request: ApiRequest, project: str, dataset: str, number: int) -> Any:
    """For steps: where the frozen version lies."""
    return read.manifest_out(read.find_version(request.project, dataset, number))


@router.get("/projects/{project}/datasets/{dataset}/versions/{int:number}/rows", response={200: RowsOut, 202: MakingOut})
@allow("dataset.read")
def list_rows(
    request: ApiRequest,
    project: str,
    dataset: str,
    number: int,
    offset: int = 0,
    limit: int = 100,
    search: Text | None = None,
    sort: str | None = None,
    filter: str | None = None,
    wait: Wait = 2,
) -> Any:
    """A window of a table; `filter` is a safe expression (`age > 40 and sex == "Female"`), `sort` a column, `-` for descending.

    A first search, filter or sort of a large table is made while you wait, at most `wait` seconds; then the answer is 202: ask again. It
    goes on being made only while somebody asks for it."""
    found, making = rows.window(read.find_version(request.project, dataset, number), offset, limit, search, sort, filter, wait)
    return json_of(request, found) if making is None else Status(202, {"progress": making.progress})


@router.get("/projects/{project}/datasets/{dataset}/versions/{int:number}/items", response={200: ItemsOut, 202: MakingOut})
@allow("dataset.read")
def list_items(
    request: ApiRequest,
    project: str,
    dataset: str,
    number: int,
    offset: int = 0,
    limit: int = 100,
    search: Text | None = None,
    label: str | None = None,
    wait: Wait = 2,
) -> Any:
    """A window of an image or text data set. 202 as for rows."""
    found, making = items.window(read.find_version(request.project, dataset, number), offset, limit, search, label, wait)
    return found if making is None else Status(202, {"progress": making.progress})


@router.get(
    "/projects/{project}/datasets/{dataset}/versions/{int:number}/items/{int:index}/file",
    summary="The bytes of one item, or smaller",
    openapi_extra=bytes_of("*/*", ranges=True),
)
@allow("dataset.read")
def item_file(
    request: ApiRequest, project: str, dataset: str, number: int, index: int, thumbnail: bool = False, overview: bool = False
) -> HttpResponseBase:
    """The bytes of one item, its thumbnail, or an image as wide as a screen at most."""
    name, digest, media_type = items.item_at(read.find_version(request.project, dataset, number), index)
    return _file(request, name, digest, media_type, thumbnail, overview)


@router.get("/projects/{project}/datasets/{dataset}/versions/{int:number}/changes", response=ChangesOut)
@allow("dataset.read")
def list_changes(
    request: ApiRequest,
    project: str,
    dataset: str,
    number: int,
    since: int,
    kind: ChangeKind | None = None,
    search: Text | None = None,
    offset: int = 0,
    limit: int = 50,
) -> Any:
    """What is different from version `since`: items and the regions and answers of each, or the rows of a table by their place."""
    return changes.changes(*changes.find(request.project, dataset, since, number), kind, search, offset, limit)


@router.get(
    "/projects/{project}/datasets/{dataset}/items/{int:item_id}/file",
    summary="The bytes of an item of any version, or smaller",
    openapi_extra=bytes_of("*/*", ranges=True),
)
@allow("dataset.read")
def any_item_file(
    request: ApiRequest, project: str, dataset: str, item_id: int, thumbnail: bool = False, overview: bool = False
) -> HttpResponseBase:
    """The bytes of an item of any version, its thumbnail, or an image as wide as a screen at most."""
    name, digest, media_type = changes.file_of(request.project, dataset, item_id)
    return _file(request, name, digest, media_type, thumbnail, overview)


@router.get("/projects/{project}/datasets/{dataset}/versions/{int:number}/profile", response=ProfileOut)
@allow("dataset.read")
def get_profile(request: ApiRequest, project: str, dataset: str, number: int) -> Any:
    """The profile made in a worker."""
    version = read.find_version(request.project, dataset, number)
    if version.profile_status in ("queued", "running"):
        announce_waiting()
    return {**(version.profile or {}), "status": version.profile_status}


@router.get(
    "/projects/{project}/datasets/{dataset}/versions/{int:number}/download",
    summary="csv, parquet, jsonl",
    openapi_extra=bytes_of(*downloads.FORMATS.values(), ranges=True),
)
@allow("dataset.read")
def download_version(
    request: ApiRequest, project: str, dataset: str, number: int, format: Literal["csv", "parquet", "jsonl", "zip"] = "csv"
) -> HttpResponseBase:
    """csv, parquet, jsonl; zip for images. The Parquet file of a frozen version can be had in parts (`Range`)."""
    name, media_type, content = downloads.download(read.find_version(request.project, dataset, number), format)
    if isinstance(content, str):
        return stored_response(request, content, filename=name, media_type=media_type, attachment=True)
    return bytes_response(request, content, filename=name, media_type=media_type, attachment=True)


def _file(request: ApiRequest, name: str, digest: str, media_type: str, thumbnail: bool, overview: bool) -> HttpResponseBase:
    if thumbnail and media_type.startswith("image/"):
        return small_response(request, make_thumbnail(digest), filename=f"{name}.webp", media_type="image/webp", digest=f"{digest}.t")
    if overview and media_type.startswith("image/"):
        return overview_response(request, digest, name)
    return stored_response(request, digest, filename=name, media_type=media_type, cache=FOREVER)
