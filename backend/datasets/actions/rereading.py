"""Reading a draft's file again with other options: as the import does it, by a worker, into the same version.

The upload's row carries it: it is `processing` again and knows its version. Whatever goes wrong leaves the version as it was and
the bytes where they are, so that other options can be tried.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from backend.core.actions import audit
from backend.core.errors import Problem
from backend.datasets.actions.announce import PROFILE, READ, announce, dataset_changed, upload_changed
from backend.datasets.errors import BeingRead, NotDraft, SourceGone, WrongModality
from backend.datasets.incoming import bytes_of
from backend.datasets.models import DatasetVersion, Upload
from backend.datasets.reading.fitting import misfits
from backend.datasets.reading.tables import TableRead

OPTIONS = ("delimiter", "quote", "header", "encoding", "sheet", "null_values", "decimal", "thousands", "dates", "file_column")


class Stopped(Exception):
    """The upload was cancelled, or asked for otherwise, while it was read."""


class Overtaken(Exception):
    """What this builds on was changed meanwhile; read again."""


def reread(request: Any, version: DatasetVersion, options: dict[str, Any]) -> Upload:
    """Hand the file of a draft to a worker again. `options` are all that is said; what they leave out is found out from the file."""
    if version.dataset.modality != "table":
        raise WrongModality(dataset=version.dataset.slug, modality=version.dataset.modality, wanted="tables")
    with transaction.atomic():
        row = DatasetVersion.objects.select_for_update(of=("self",)).get(pk=version.pk)
        if row.status != "draft":
            raise NotDraft(number=row.number, status=row.status)
        upload: Upload | None = (
            Upload.objects.select_for_update(of=("self",))
            .select_related("project")
            .filter(pk=row.reading.get("upload"), version=row)
            .first()
        )
        if upload is None or not bytes_of(upload.id).exists():
            raise SourceGone(number=row.number)
        if upload.status == "processing":
            raise BeingRead(number=row.number)
        before = {"options": {k: v for k, v in upload.options.items() if k in OPTIONS}}
        upload.options = {k: v for k, v in upload.options.items() if k not in (*OPTIONS, "freeze", "label_column")} | options
        upload.status, upload.progress, upload.message, upload.problems = "processing", 0, "waiting for a worker", []
        upload.attempts, upload.announced_at = 0, timezone.now()
        upload.save()
        audit.record(
            request, "dataset.reread", ("dataset_version", row.pk, f"{version.dataset.slug}@{row.number}"), before, {"options": options}
        )
        upload_changed(upload)
        dataset_changed(upload.project, version.dataset.slug)
        announce(READ, upload.id)
    return upload


def refuse_while_read(version: DatasetVersion) -> None:
    """Call with the version's row locked."""
    if Upload.objects.filter(version=version, status="processing").exists():
        raise BeingRead(number=version.number)


def reading_of(upload: Upload, found: TableRead) -> dict[str, Any]:
    """What a version keeps of how it was read."""
    said = {k: v for k, v in upload.options.items() if k in OPTIONS}
    return found.reading | {"filename": upload.filename, "upload": str(upload.id), "options": said, "corrected": []}


def keep_again(upload: Upload, found: TableRead, before: DatasetVersion) -> None:
    """The one transaction that puts what was read into the version, with the column types that a person had corrected where the
    columns are still there and the values still fit."""
    reading = reading_of(upload, found)
    columns, kept, notices = _with_corrections(found, before)
    reading["corrected"], reading["notices"] = kept, [*reading.get("notices", []), *notices][:40]
    with transaction.atomic():
        row = DatasetVersion.objects.select_for_update(of=("self",)).select_related("dataset__project").get(pk=before.pk)
        fresh = Upload.objects.select_for_update().get(pk=upload.pk)
        if fresh.status != "processing" or fresh.options != upload.options or row.status != "draft":
            raise Stopped
        if (row.columns, row.label_column) != (before.columns, before.label_column):
            raise Overtaken
        names = [c["name"] for c in columns]
        snapshot = audit.snapshot(row, "columns", "null_values", "item_count")
        row.columns, row.null_values, row.reading, row.problems = columns, found.nulls, reading, []
        row.label_column = row.label_column if row.label_column in names else found.label_column
        row.item_count, row.size, row.data, row.raw = found.rows, found.raw.size, found.raw.digest, found.raw.digest
        row.profile_status, row.attempts, row.announced_at = "queued", 0, timezone.now()
        row.save()
        fresh.status, fresh.progress, fresh.problems, fresh.message = "ready", 1, [], f"{found.rows:,} rows"
        fresh.save()
        target = ("dataset_version", row.pk, f"{row.dataset.slug}@{row.number}")
        audit.record(upload.created_by, "dataset.version", target, snapshot, audit.snapshot(row, *snapshot), project=row.dataset.project)
        announce(PROFILE, row.pk)
        upload_changed(fresh)
        dataset_changed(row.dataset.project, row.dataset.slug)


def _with_corrections(found: TableRead, before: DatasetVersion) -> tuple[list[dict[str, Any]], list[str], list[Problem]]:
    """(columns, names of those whose correction was kept, notices about the others)."""
    corrected = set(before.reading.get("corrected", []))
    wanted = {c["name"]: c for c in before.columns if c["name"] in corrected}
    tried = [{**c, **{k: wanted[c["name"]][k] for k in ("type", "format")}} for c in found.columns if c["name"] in wanted]
    nullable: dict[str, bool] = {}
    wrong = {p["field"]: p for p in misfits(found.raw.digest, tried, found.nulls, nullable)} if tried else {}
    fits = {c["name"]: {**c, "nullable": nullable.get(c["name"], True)} for c in tried if c["name"] not in wrong}
    notices: list[Problem] = [
        {
            "field": name,
            "message": f"The type you had chosen, {wanted[name]['type']}, no longer fits: {p['message']}",
            "expected": p["expected"],
        }
        for name, p in wrong.items()
    ]
    return [fits.get(c["name"], c) for c in found.columns], list(fits), notices
