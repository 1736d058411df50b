"""Uploads: start, receive chunk by chunk, complete, cancel. Bytes go straight to a file; memory holds one piece."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from backend.core.actions import audit
from backend.core.errors import InvalidInput, TooLarge
from backend.core.models import Project, User
from backend.datasets.actions.announce import READ, announce, upload_changed
from backend.datasets.errors import DiskFull, Incomplete, UploadOver, WrongOffset
from backend.datasets.incoming import bytes_of, discard
from backend.datasets.models import Upload
from backend.datasets.queries.datasets import find_dataset
from backend.datasets.queries.uploads import find_upload

CHUNK_BYTES = 64 * 1024 * 1024
PIECE = 1024 * 1024
SPARE = 256 * 1024 * 1024  # of disk, left for everything else


def start_upload(request: Any, project: Project, user: User, fields: dict[str, Any]) -> Upload:
    """An empty upload that waits for its first byte."""
    filename = fields["filename"].replace("\\", "/").rsplit("/", 1)[-1].strip()
    if not filename or filename in (".", "..") or not filename.isprintable():
        raise InvalidInput(message="The file needs a name.", field="filename")
    size = fields["size"]
    if size == 0:
        raise InvalidInput(
            message=f"The file {filename} is empty.", field="size", hint="Choose a file with at least one row, image or text."
        )
    if size > settings.UPLOAD_MAX_BYTES:
        raise TooLarge(message=f"{filename} has {size:,} bytes; at most {settings.UPLOAD_MAX_BYTES:,} are accepted.", field="size")
    dataset = find_dataset(project, fields["dataset"]) if fields.get("dataset") else None
    if dataset is None and fields.get("mode") == "append":
        raise InvalidInput(
            message="Say which data set to append to.", field="dataset", hint="Give its name in `dataset`, or use mode `replace`."
        )
    room_for(size)
    with transaction.atomic():
        upload: Upload = Upload.objects.create(
            project=project,
            dataset=dataset,
            filename=filename,
            name=fields.get("name") or "",
            mode=fields.get("mode") or "replace",
            options=fields.get("options") or {},
            size=size,
            created_by=user,
        )
        audit.record(request, "upload.start", ("upload", upload.id, filename), project=project, details={"size": size})
        upload_changed(upload)
    return upload


def receive_chunk(project: Project, upload_id: UUID, offset: int, body: IO[bytes], length: int) -> Upload:
    """Write the bytes at `offset`. A chunk that is here already changes nothing; any other offset is told the expected one."""
    if length > CHUNK_BYTES:
        raise TooLarge(message=f"A chunk has at most {CHUNK_BYTES:,} bytes; this one has {length:,}.", field="offset")
    with transaction.atomic():
        upload = find_upload(project, upload_id, lock=True)
        if upload.status != "receiving":
            raise UploadOver(status=upload.status)
        if offset >= 0 and offset + length <= upload.received and offset < upload.received:
            return upload  # sent twice
        if offset != upload.received:
            raise WrongOffset(field="offset", offset=offset, expected=upload.received)
        if offset + length > upload.size:
            raise TooLarge(
                message=f"The upload was announced with {upload.size:,} bytes; this chunk goes to {offset + length:,}.", field="offset"
            )
        written = write_at(bytes_of(upload.id), offset, body, length)
        if written != length:
            raise InvalidInput(
                message=f"The chunk was cut off: {written:,} of {length:,} bytes came.", field="offset", hint="Send it again."
            )
        upload.received += written
        upload.progress = upload.received / upload.size
        upload.save(update_fields=["received", "progress", "updated_at"])
    return upload


def write_at(path: Path, offset: int, body: IO[bytes], length: int) -> int:
    """The next bytes of a file that comes in pieces; returns how many came. What lay behind `offset` is cut off."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as out:
            out.seek(offset)
            out.truncate()
            while written < length and (piece := body.read(min(PIECE, length - written))):
                out.write(piece)
                written += len(piece)
    except OSError as exc:
        if exc.errno in (28, 122):  # no space, or over quota
            raise DiskFull(free=_size(shutil.disk_usage(path.parent).free)) from exc
        raise
    return written


def complete_upload(request: Any, project: Project, upload_id: UUID) -> Upload:
    """All bytes are here: hand them to a worker. Asking again changes nothing."""
    with transaction.atomic():
        upload = find_upload(project, upload_id, lock=True)
        if upload.status in ("processing", "ready"):
            return upload
        if upload.status != "receiving":
            raise UploadOver(status=upload.status)
        path = bytes_of(upload.id)
        here = path.stat().st_size if path.exists() else 0
        if upload.received != upload.size or here != upload.size:
            upload.received = min(upload.received, here)
            raise Incomplete(received=upload.received, size=upload.size)
        upload.status, upload.progress, upload.message, upload.announced_at = "processing", 0, "waiting for a worker", timezone.now()
        upload.save(update_fields=["status", "progress", "message", "announced_at", "updated_at"])
        audit.record(request, "upload.complete", ("upload", upload.id, upload.filename), project=project)
        upload_changed(upload)
        announce(READ, upload.id)
    return upload


def cancel_upload(request: Any, project: Project, upload_id: UUID) -> None:
    """Stop; what was received is deleted. A worker that is reading it notices and leaves nothing; where it was reading a draft again,
    the draft stays as it was and keeps its file."""
    with transaction.atomic():
        upload = find_upload(project, upload_id, lock=True)
        if upload.status == "ready":
            raise UploadOver(status="ready", hint="It is a version of a data set now; delete the data set instead.")
        if upload.status in ("receiving", "processing"):
            upload.status, upload.message = "cancelled", "cancelled"
            upload.save(update_fields=["status", "message", "updated_at"])
            audit.record(request, "upload.cancel", ("upload", upload.id, upload.filename), project=project)
            upload_changed(upload)
        if upload.version_id is None:
            transaction.on_commit(lambda: discard(upload_id))


def room_for(size: int) -> None:
    """Raises DiskFull where a file of this size would leave too little for everything else."""
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.DATA_DIR).free
    if size + SPARE > free:
        raise DiskFull(free=_size(free), field="size")


def _size(count: int) -> str:
    return f"{count / 1024**3:.1f} GiB" if count >= 1024**3 else f"{count / 1024**2:.0f} MiB"
