"""Reading an upload in the worker, from bytes to a version.

Everything before `_keep` writes only unnamed blobs; `_keep` is one transaction that checks the upload was not cancelled meanwhile
and makes data set, version and items at once. A worker that is killed anywhere leaves the upload `processing`, and the next
begins again. A file that ends three workers is given up. An upload that has a version already is read into it again (`rereading`).
"""

from __future__ import annotations

import json
import logging
import shutil
import time
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import F, Max
from django.utils import timezone

from backend.artifacts.storage import store
from backend.core.actions import audit
from backend.core.errors import Problem
from backend.core.queries.slugs import unique_slug
from backend.datasets.actions.announce import ATTEMPTS, PROFILE, READ, announce, dataset_changed, upload_changed
from backend.datasets.actions.freezing import freeze_now
from backend.datasets.actions.items import change_items, write_manifest
from backend.datasets.actions.rereading import Overtaken, Stopped, keep_again, reading_of
from backend.datasets.incoming import bytes_of, discard, folder
from backend.datasets.locks import only_one
from backend.datasets.models import Dataset, DatasetVersion, Upload
from backend.datasets.reading.appending import append_table
from backend.datasets.reading.items import ItemsRead
from backend.datasets.reading.problems import ReadFailed
from backend.datasets.reading.tables import TableRead
from backend.datasets.reading.upload import read_upload

log = logging.getLogger(__name__)


def import_upload(upload_id: UUID) -> None:
    """Read one upload. Safe to call again and at once from several workers."""
    with only_one(f"upload:{upload_id}") as mine:
        upload = (
            Upload.objects.select_related("project", "dataset", "created_by", "version__dataset")
            .filter(pk=upload_id, status="processing")
            .first()
        )
        if not mine or upload is None:
            return
        Upload.objects.filter(pk=upload_id).update(attempts=F("attempts") + 1, announced_at=timezone.now())
        if upload.attempts >= ATTEMPTS:
            _fail(upload, [_problem(upload, f"Reading this file ended the worker {ATTEMPTS} times.", "a smaller file, or another format")])
            return
        work = folder(upload_id) / "work"
        try:
            for _ in range(3):
                shutil.rmtree(work, ignore_errors=True)
                work.mkdir(parents=True)
                try:
                    _read(upload, work)
                    break
                except Overtaken:
                    continue
        except Stopped:
            if upload.version is None:
                discard(upload_id)
            elif Upload.objects.filter(pk=upload_id, status="processing").exists():
                announce(READ, upload_id)  # asked for again, with other options
        except ReadFailed as exc:
            _fail(upload, exc.problems)
        except OperationalError:
            raise  # the database is away: the upload waits
        except Exception:
            log.exception("upload %s (%s) could not be read", upload_id, upload.filename)
            _fail(
                upload,
                [
                    _problem(
                        upload, "An error of the studio itself stopped the reading; its log says which.", "tell whoever runs this studio"
                    )
                ],
            )
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _problem(upload: Upload, message: str, expected: str) -> Problem:
    return {"field": upload.filename, "message": message, "expected": expected}


def _read(upload: Upload, work: Path) -> None:
    path = bytes_of(upload.id)
    if not path.exists():
        raise ReadFailed([_problem(upload, "The bytes that were sent are no longer here.", "upload the file again")])
    progress = Progress(upload)
    base = None
    if upload.dataset is not None:
        dataset = Dataset.objects.filter(pk=upload.dataset_id, deleted_at=None).first()
        if dataset is None:
            raise ReadFailed(
                [
                    _problem(
                        upload, f"The data set “{upload.dataset.slug}” was deleted meanwhile.", "restore it, or upload without naming it"
                    )
                ]
            )
        earlier = dataset.versions.filter(number__lt=upload.version.number) if upload.version else dataset.versions
        base = earlier.order_by("-number").first()
    found = read_upload(path, upload.filename, upload.options, work, store(), progress)
    modality = "table" if isinstance(found, TableRead) else found.modality
    if upload.dataset is not None and upload.dataset.modality != modality:
        raise ReadFailed(
            [
                _problem(
                    upload,
                    f"This holds {_holds(modality)}, the data set “{upload.dataset.slug}” holds {_holds(upload.dataset.modality)}.",
                    "a new data set, or the right file",
                )
            ]
        )
    if isinstance(found, TableRead) and upload.mode == "append" and base is not None:
        progress(0.9, "appending")
        found = append_table(base.raw, base.columns, base.null_values, base.label_column, found, upload.filename, work, store())
    if upload.version is not None and isinstance(found, TableRead):
        keep_again(upload, found, DatasetVersion.objects.get(pk=upload.version_id))
        return
    version = _keep(upload, found, modality, base, work)
    if version.status == "frozen" or modality != "table":
        discard(upload.id)


def _holds(modality: str) -> str:
    return {"table": "a table", "images": "images", "text": "texts", "audio": "sounds", "video": "videos", "document": "PDFs"}[modality]


def _keep(upload: Upload, found: TableRead | ItemsRead, modality: str, base: DatasetVersion | None, work: Path) -> DatasetVersion:
    """The one transaction."""
    frozen = freeze_now(found, work) if upload.options.get("freeze") and isinstance(found, TableRead) else None
    try:
        with transaction.atomic():
            fresh = Upload.objects.select_for_update().get(pk=upload.pk)
            if fresh.status != "processing":
                raise Stopped
            dataset = _dataset(upload, modality)
            last = dataset.versions.aggregate(n=Max("number"))["n"] or 0
            if base is not None and upload.mode == "append" and last != base.number:
                raise Overtaken
            version = DatasetVersion(dataset=dataset, number=last + 1, created_by=upload.created_by, note=upload.options.get("note") or "")
            if isinstance(found, TableRead):
                version.columns, version.label_column, version.null_values = found.columns, found.label_column, found.nulls
                version.reading = reading_of(upload, found)
                version.item_count, version.size, version.data, version.raw = found.rows, found.raw.size, found.raw.digest, found.raw.digest
            else:
                change_items(dataset, version.number, found.spool, replace=upload.mode == "replace")
                manifest = write_manifest(dataset, version.number, work)
                version.columns, version.label_column = manifest.columns, manifest.label_column
                version.item_count, version.size, version.data = manifest.count, manifest.bytes, manifest.stored.digest
                frozen = manifest.artifact() if upload.options.get("freeze") else None
            if frozen is not None:
                frozen.apply(version)
            version.save()
            if frozen is not None:
                frozen.link(version)
            dataset.save(update_fields=["updated_at"])
            fresh.dataset, fresh.version, fresh.status, fresh.progress, fresh.problems = dataset, version, "ready", 1, []
            fresh.message = f"{version.item_count:,} {'rows' if modality == 'table' else 'items'}" + (
                f"; {found.skipped:,} other files left out" if found.skipped else ""
            )
            fresh.save()
            audit.record(
                upload.created_by, "dataset.version", version_target(version), project=upload.project, after={"digest": version.data}
            )
            announce(PROFILE, version.id)
            upload_changed(fresh)
            dataset_changed(upload.project, dataset.slug)
            return version
    except IntegrityError as exc:  # two uploads chose the same slug at the same moment
        raise Overtaken from exc


def version_target(version: DatasetVersion) -> tuple[str, Any, str]:
    return "dataset_version", version.pk, f"{version.dataset.slug}@{version.number}"


def _dataset(upload: Upload, modality: str) -> Dataset:
    if upload.dataset_id is not None:
        found: Dataset | None = Dataset.objects.select_for_update().filter(pk=upload.dataset_id, deleted_at=None).first()
        if found is None:
            raise ReadFailed([_problem(upload, "The data set was deleted meanwhile.", "restore it, or upload without naming it")])
        return found
    name = upload.name or _stem(upload.filename)
    dataset: Dataset = Dataset.objects.create(
        project=upload.project,
        slug=unique_slug(Dataset.objects.filter(project=upload.project), name, "data"),
        name=name,
        modality=modality,
        description=upload.options.get("description") or "",
        licence=upload.options.get("licence") or "",
        source=upload.options.get("source") or "",
        created_by=upload.created_by,
    )
    return dataset


def _stem(filename: str) -> str:
    stem = PurePosixPath(filename).name
    while (ending := PurePosixPath(stem).suffix) and len(ending) <= 8 and stem != ending:
        stem = stem[: -len(ending)]
    return stem[:120] or "Data"


def _fail(upload: Upload, problems: list[Problem]) -> None:
    with transaction.atomic():
        fresh = Upload.objects.select_for_update().get(pk=upload.pk)
        if fresh.status == "processing":
            count = len(problems)
            fresh.status, fresh.problems = "failed", json.loads(json.dumps(problems))
            fresh.message = f"{problems[0]['field']}: {problems[0]['message']}"[:440] + (f" (and {count - 1} more)" if count > 1 else "")
            fresh.save()
            audit.record(upload.created_by, "upload.fail", ("upload", upload.id, upload.filename), project=upload.project)
            upload_changed(fresh)
    if upload.version is None:
        discard(upload.id)


class Progress:
    """Called by the readers: writes at most twice a second, and stops the reading of a cancelled upload."""

    def __init__(self, upload: Upload) -> None:
        self._upload, self._next = upload, 0.0

    def __call__(self, fraction: float, message: str) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + 0.5
        upload = self._upload
        upload.progress, upload.message = round(min(max(fraction, 0.0), 1.0), 4), message[:500]
        with transaction.atomic():
            now = timezone.now()
            rows = Upload.objects.filter(pk=upload.pk, status="processing", options=upload.options)
            if not rows.update(progress=upload.progress, message=upload.message, announced_at=now, updated_at=now):
                raise Stopped
            upload_changed(upload)
