"""Labels in: a file comes in pieces, is checked in the worker, and is applied when whoever brought it has seen what it holds."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from backend.core.actions import audit
from backend.core.errors import InvalidInput, TooLarge
from backend.core.models import User
from backend.datasets.actions.announce import announce
from backend.datasets.actions.receive import CHUNK_BYTES, room_for, write_at
from backend.datasets.errors import Incomplete, WrongOffset
from backend.labeling.actions.announce import TAKE_IN, schema_changed
from backend.labeling.actions.exports import find_format
from backend.labeling.errors import FileGone, ImportOver
from backend.labeling.models import LabelImport, LabelSchema
from backend.labeling.queries.imports import find_import

MOST_BYTES = 2 * 1024**3


def bytes_of(id_: UUID) -> Path:
    """Beside the uploads of data sets, whose sweep removes what is a day old."""
    path: Path = settings.DATA_DIR / "uploads" / f"labels-{id_}" / "bytes"
    return path


def discard(id_: UUID) -> None:
    shutil.rmtree(bytes_of(id_).parent, ignore_errors=True)


def start_import(request: Any, schema: LabelSchema, user: User, *, filename: str, size: int, name: str) -> LabelImport:
    """An import that waits for its first byte."""
    form, _ = find_format(schema, name)
    filename = filename.replace("\\", "/").rsplit("/", 1)[-1].strip()
    if not filename or filename in (".", "..") or not filename.isprintable():
        raise InvalidInput(message="The file needs a name.", field="filename")
    if not form.reads:
        raise InvalidInput(message=f"{form.title} only go out.", field="format", hint="Bring labels as JSON Lines or Label Studio JSON.")
    if not filename.lower().endswith(form.reads):
        raise InvalidInput(
            message=f"{form.title} is not read from “{filename[-60:]}”.",
            field="filename",
            hint="A file ending in " + " or ".join(form.reads),
        )
    most = min(MOST_BYTES, settings.UPLOAD_MAX_BYTES)
    if size > most:
        raise TooLarge(message=f"{filename} has {size:,} bytes; at most {most:,} are accepted.", field="size")
    room_for(size)
    with transaction.atomic():
        made: LabelImport = LabelImport.objects.create(schema=schema, format=name, filename=filename, size=size, created_by=user)
        audit.record(request, "label_import.start", ("label_import", made.pk, filename), project=schema.project, details={"size": size})
    return made


def receive_chunk(schema: LabelSchema, id_: UUID, offset: int, body: IO[bytes], length: int) -> LabelImport:
    """Write the bytes at `offset`. A chunk that is here already changes nothing; any other offset is told the expected one."""
    if length > CHUNK_BYTES:
        raise TooLarge(message=f"A chunk has at most {CHUNK_BYTES:,} bytes; this one has {length:,}.", field="offset")
    with transaction.atomic():
        row = find_import(schema, id_, lock=True)
        _is(row, "receiving")
        if offset + length <= row.received and offset < row.received:
            return row  # sent twice
        if offset != row.received:
            raise WrongOffset(field="offset", offset=offset, expected=row.received)
        if offset + length > row.size:
            raise TooLarge(
                message=f"The file was announced with {row.size:,} bytes; this chunk goes to {offset + length:,}.", field="offset"
            )
        written = write_at(bytes_of(row.pk), offset, body, length)
        if written != length:
            raise InvalidInput(
                message=f"The chunk was cut off: {written:,} of {length:,} bytes came.", field="offset", hint="Send it again."
            )
        row.received += written
        row.save(update_fields=["received"])
    return row


def check_import(schema: LabelSchema, id_: UUID) -> LabelImport:
    """All bytes are here: have a worker say what they hold. Asking again once it has changes nothing."""
    with transaction.atomic():
        row = find_import(schema, id_, lock=True)
        if row.status in ("queued", "running", "checked", "applied"):
            return row
        _is(row, "receiving")
        if row.received != row.size:
            raise Incomplete(received=row.received, size=row.size)
        _hand_over(row, applies=False)
    return row


def apply_import(request: Any, schema: LabelSchema, id_: UUID) -> LabelImport:
    """Keep what fits as annotations of the caller. Asking again changes nothing."""
    with transaction.atomic():
        row = find_import(schema, id_, lock=True)
        if row.status == "applied" or (row.applies and row.status in ("queued", "running")):
            return row
        _is(row, "checked")
        if not bytes_of(row.pk).exists():
            raise FileGone()
        audit.record(request, "label_import.apply", ("label_import", row.pk, row.filename), project=schema.project)
        _hand_over(row, applies=True)
    return row


def cancel_import(request: Any, schema: LabelSchema, id_: UUID) -> None:
    """Let it go; what is applied stays."""
    with transaction.atomic():
        row = find_import(schema, id_, lock=True)
        if row.status in ("receiving", "queued", "checked") and not (row.applies and row.status == "queued"):
            row.status = "cancelled"
            row.save(update_fields=["status"])
            audit.record(request, "label_import.cancel", ("label_import", row.pk, row.filename), project=schema.project)
            transaction.on_commit(lambda: discard(id_))
        elif row.status in ("queued", "running"):
            _is(row, "checked")


def _is(row: LabelImport, wanted: str) -> None:
    if row.status != wanted:
        then = {"receiving": "start a new one", "checked": "it must be checked first"}[wanted]
        raise ImportOver(status=row.status, then="wait for it" if row.status in ("queued", "running") else then)


def _hand_over(row: LabelImport, *, applies: bool) -> None:
    row.status, row.applies, row.attempts, row.announced_at = "queued", applies, 0, timezone.now()
    row.save(update_fields=["status", "applies", "attempts", "announced_at"])
    announce(TAKE_IN, row.pk)
    schema_changed(row.schema)
