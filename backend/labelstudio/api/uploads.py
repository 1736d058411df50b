"""Files that come before their tasks: as parts of a form to a project's import, as Label Studio takes them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from backend.artifacts.responses import FOREVER, stored_response
from backend.core.errors import InvalidInput, TooLarge
from backend.core.ids import new_id
from backend.labelstudio.actions.files import MOST_AT_ONCE, MOST_BYTES, WORDS, folder, keep
from backend.labelstudio.errors import NotItsData, NotServed
from backend.labelstudio.models import FileUpload
from backend.labelstudio.queries.subjects import counterpart_of
from backend.labelstudio.routes import Call, route

Json = dict[str, Any]


def receive(call: Call) -> list[FileUpload]:
    """The files of a form, each looked at before any is kept."""
    modality = call.schema.dataset.modality
    if modality == "table":
        raise NotServed(message="This project shows texts, which come as JSON tasks.", field="file")
    if not counterpart_of(call.schema).owned:
        raise NotItsData(dataset=call.schema.dataset.slug)
    files: Sequence[UploadedFile] = [file for _, file in call.request.FILES.items()]
    if not files or len(files) > MOST_AT_ONCE:
        raise InvalidInput(message=f"Send from 1 to {MOST_AT_ONCE} files, each under a name of its own.", field="file")
    if (total := sum(file.size or 0 for file in files)) > MOST_BYTES:
        raise TooLarge(message=f"The files have {total:,} bytes; at most {MOST_BYTES:,} come in one call.", field="file")
    found = []
    for file in files:
        with folder() as work:
            path = work / "file"
            with path.open("wb") as out:
                for piece in file.chunks():
                    out.write(piece)
            try:
                found.append(keep(path, file.name or "", modality, work))
            except ValueError as e:
                raise InvalidInput(message=f"{file.name} is no {WORDS[modality]} that can be shown: {e}", field="file") from e
    project = counterpart_of(call.schema).pk
    with transaction.atomic():
        rows = []
        for kept in found:
            row = FileUpload(
                schema=call.schema, digest=kept.digest, media_type=kept.media_type, size=kept.size, created_by=call.user,
                about={"width": kept.width, "height": kept.height, "data": kept.data},
            )  # fmt: skip
            row.path = f"upload/{project}/{new_id()}"  # until its number is known
            row.save()
            row.path = f"upload/{project}/{row.pk}-{kept.name or 'file'}"
            row.save(update_fields=["path"])
            rows.append(row)
    return rows


@route("GET", "projects/<project>/file-uploads/", "label.read")
def list_uploads(call: Call) -> Any:
    """Of `ids` (a JSON list, or one after the other), or all of them."""
    rows = FileUpload.objects.filter(schema=call.schema)
    if given := call.query.getlist("ids"):
        try:
            ids = [int(n) for text in given for n in (json.loads(text) if text.startswith("[") else [text])]
        except (ValueError, TypeError):
            raise InvalidInput(message="“ids” is a list of numbers.", field="ids") from None
        rows = rows.filter(pk__in=ids)
    return [_out(row) for row in rows.order_by("pk")[:10_000]]


@route("GET", "import/file-upload/<upload>/", "label.read")
def get_upload(call: Call) -> Any:
    return _out(call.subject)


@route("GET", "import/file-upload/<upload>/file/", "label.read")
def get_uploaded_file(call: Call) -> Any:
    """The bytes; also at /data/upload/…, which is what tasks say."""
    row: FileUpload = call.subject
    name = row.path.rsplit("/", 1)[-1]
    return stored_response(call.request, row.digest, filename=name, media_type=row.media_type, cache=FOREVER)


def _out(row: FileUpload) -> Json:
    return {"id": row.pk, "file": row.path, "size": row.size}
