"""HTTP of labels that go out and come in: routes, schemas, permission; nothing else."""

from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from ninja import Router, Status

from backend.artifacts.responses import bytes_of, bytes_response
from backend.core.errors import InvalidInput
from backend.core.http import ApiRequest, allow
from backend.core.schemas import Offset
from backend.labeling.actions import announce, exports, imports
from backend.labeling.queries.imports import find_import, import_out, list_imports
from backend.labeling.queries.schemas import find_schema
from backend.labeling.schemas_exchange import AskedFormat, AskedWhat, ExportCheckOut, LabelFormatOut, LabelImportIn, LabelImportOut

router = Router(tags=["labeling"])
ONE = "/projects/{project}/label-schemas/{label_schema}"
IMPORT = ONE + "/imports/{uuid:label_import}"
CHUNK = {"requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}}
OUT = ("application/json", "application/jsonl", "text/csv", "text/tab-separated-values", "text/plain", "application/zip")


@router.get(ONE + "/formats", response=list[LabelFormatOut])
@allow("label.read")
def list_label_formats(request: ApiRequest, project: str, label_schema: str) -> Any:
    """Formats that can hold what this schema asks."""
    return exports.formats(find_schema(request.project, label_schema))


@router.get(ONE + "/export/check", response=ExportCheckOut)
@allow("label.read")
def check_export(request: ApiRequest, project: str, label_schema: str, format: AskedFormat, what: AskedWhat = "annotations") -> Any:
    """What an export would hold, and what its format has no place for."""
    return exports.losses(find_schema(request.project, label_schema), request.user, request.role, name=format, what=what)


@router.get(ONE + "/export", openapi_extra=bytes_of(*OUT))
@allow("label.read")
def export_labels(
    request: ApiRequest, project: str, label_schema: str, format: AskedFormat, what: AskedWhat = "annotations", images: bool = False
) -> HttpResponseBase:
    """The labels that the caller may see, as a file that is made while it is sent; with `images` a zip that holds the pictures too."""
    found = find_schema(request.project, label_schema)
    name, media_type, pieces = exports.export(found, request.user, request.role, name=format, what=what, images=images)
    return bytes_response(request, pieces, filename=name, media_type=media_type, attachment=True, cache="no-store")


@router.get(ONE + "/imports", response=list[LabelImportOut])
@allow("label.read")
def list_label_imports(request: ApiRequest, project: str, label_schema: str) -> Any:
    """Imports, newest first."""
    announce.announce_waiting()
    return list_imports(find_schema(request.project, label_schema))


@router.post(ONE + "/imports", response={201: LabelImportOut})
@allow("label.manage")
def start_label_import(request: ApiRequest, project: str, label_schema: str, payload: LabelImportIn) -> Any:
    """Begin to bring a file of labels, which become annotations of the caller."""
    found = find_schema(request.project, label_schema)
    made = imports.start_import(request, found, request.user, filename=payload.filename, size=payload.size, name=payload.format)
    return Status(201, import_out(made))


@router.get(IMPORT, response=LabelImportOut)
@allow("label.read")
def get_label_import(request: ApiRequest, project: str, label_schema: str, label_import: UUID) -> Any:
    """Where an import stands, and what its file holds."""
    found = find_import(find_schema(request.project, label_schema), label_import)
    if found.status in ("queued", "running"):
        announce.announce_waiting()
    return import_out(found)


@router.put(IMPORT + "/chunks", response=LabelImportOut, openapi_extra=CHUNK)
@allow("label.manage")
def put_label_chunk(request: ApiRequest, project: str, label_schema: str, label_import: UUID, offset: Offset) -> Any:
    """The next bytes, as application/octet-stream; 409 tells the offset expected."""
    length = request.headers.get("Content-Length", "")
    if not length.isdecimal():
        raise InvalidInput(message="Say how long the chunk is.", field="Content-Length", hint="Send the header Content-Length.")
    found = find_schema(request.project, label_schema)
    return import_out(imports.receive_chunk(found, label_import, offset, request, int(length)))


@router.post(IMPORT + "/check", response={202: LabelImportOut})
@allow("label.manage")
def check_label_import(request: ApiRequest, project: str, label_schema: str, label_import: UUID) -> Any:
    """All bytes are here: have them looked at. Nothing is imported yet."""
    return Status(202, import_out(imports.check_import(find_schema(request.project, label_schema), label_import)))


@router.post(IMPORT + "/apply", response={202: LabelImportOut})
@allow("label.manage")
def apply_label_import(request: ApiRequest, project: str, label_schema: str, label_import: UUID) -> Any:
    """Keep what fits, all or nothing, as annotations of who brought the file."""
    return Status(202, import_out(imports.apply_import(request, find_schema(request.project, label_schema), label_import)))


@router.delete(IMPORT, response={204: None})
@allow("label.manage")
def cancel_label_import(request: ApiRequest, project: str, label_schema: str, label_import: UUID) -> Any:
    """Let it go; what is applied stays."""
    imports.cancel_import(request, find_schema(request.project, label_schema), label_import)
    return Status(204, None)
