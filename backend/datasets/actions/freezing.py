"""Freezing: the types become the bytes. A frozen version is an artifact and never changes."""

from __future__ import annotations

import logging
import shutil
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from backend.artifacts.actions import create_artifact, link
from backend.artifacts.storage import store
from backend.core.actions import audit
from backend.core.errors import Problem
from backend.core.models import User
from backend.datasets.actions.announce import ATTEMPTS, FREEZE, announce, dataset_changed, version_frozen
from backend.datasets.actions.rereading import refuse_while_read
from backend.datasets.errors import NotDraft
from backend.datasets.incoming import discard
from backend.datasets.locks import only_one
from backend.datasets.models import DatasetVersion, Upload
from backend.datasets.reading.fitting import misfits, write_typed
from backend.datasets.reading.tables import TableRead
from workers.sdk.store import Stored

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """What a version becomes."""

    kind: str
    stored: Stored
    metadata: dict[str, Any]

    def apply(self, version: DatasetVersion) -> None:
        """Set the version's fields; it is saved by the caller."""
        version.artifact = create_artifact(version.dataset.project, self.kind, self.stored, self.metadata)
        version.data, version.status, version.frozen_at, version.problems = self.stored.digest, "frozen", timezone.now(), []
        if self.kind == "Table" and not self.metadata.get("names_files"):
            version.size = self.stored.size

    def link(self, version: DatasetVersion) -> None:
        link(version.dataset.project, [(("dataset_version", version.pk), ("artifact", version.artifact.pk), "frozen as")])
        version_frozen.send(DatasetVersion, version=version)


def table_frozen(raw: str, columns: list[dict[str, Any]], nulls: list[str], label_column: str | None, work: Path) -> Frozen:
    """The typed Parquet file of a table."""
    path = work / "typed.parquet"
    rows = write_typed(raw, columns, nulls, label_column, path)
    named = [{"name": c["name"], "type": c["type"]} for c in columns]
    return Frozen(
        kind="Table", stored=store().put_file(path, consume=True), metadata={"rows": rows, "columns": named, "label_column": label_column}
    )


def freeze_now(found: TableRead, work: Path) -> Frozen:
    """Of a table that was just read: its types come from its values, so they fit."""
    return table_frozen(found.raw.digest, found.columns, found.nulls, found.label_column, work)


def freeze_version(request: Any, user: User, version: DatasetVersion, note: str) -> DatasetVersion:
    """Hand a draft to a worker. Asking again changes nothing."""
    with transaction.atomic():
        row = DatasetVersion.objects.select_for_update(of=("self",)).select_related("dataset__project").get(pk=version.pk)
        if row.status in ("freezing", "frozen"):
            return version
        if row.dataset.deleted_at is not None:
            raise NotDraft(number=row.number, status="of a deleted data set", hint="Restore the data set first.")
        refuse_while_read(row)
        before = audit.snapshot(row, "status", "columns", "label_column")
        row.status, row.note, row.problems, row.attempts, row.announced_at = "freezing", note or row.note, [], 0, timezone.now()
        row.save()
        audit.record(
            request, "dataset.freeze", ("dataset_version", row.pk, f"{row.dataset.slug}@{row.number}"), before, audit.snapshot(row, *before)
        )
        announce(FREEZE, row.pk)
        dataset_changed(row.dataset.project, row.dataset.slug)
    version.refresh_from_db()
    return version


def run_freeze(version_id: UUID) -> None:
    """In the worker. Safe to call again and at once from several workers."""
    with only_one(f"freeze:{version_id}") as mine:
        version = DatasetVersion.objects.select_related("dataset__project").filter(pk=version_id, status="freezing").first()
        if not mine or version is None:
            return
        DatasetVersion.objects.filter(pk=version_id).update(attempts=F("attempts") + 1, announced_at=timezone.now())
        if version.attempts >= ATTEMPTS:
            _back(
                version, [{"field": "version", "message": f"Freezing ended the worker {ATTEMPTS} times.", "expected": "a smaller version"}]
            )
            return
        base = settings.DATA_DIR / "uploads"
        base.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix="freeze-", dir=base))
        try:
            frozen = _frozen(version, work)
            if frozen is None:
                return
            with transaction.atomic():
                row = DatasetVersion.objects.select_for_update(of=("self",)).select_related("dataset__project").get(pk=version_id)
                if row.status == "freezing":
                    frozen.apply(row)
                    row.save()
                    frozen.link(row)
                    for upload in Upload.objects.filter(version=row).values_list("id", flat=True):
                        transaction.on_commit(partial(discard, upload))
                    audit.record(
                        None,
                        "dataset.frozen",
                        ("dataset_version", row.pk, f"{row.dataset.slug}@{row.number}"),
                        project=row.dataset.project,
                        after={"digest": row.data},
                    )
                    dataset_changed(row.dataset.project, row.dataset.slug)
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _frozen(version: DatasetVersion, work: Path) -> Frozen | None:
    if version.raw:
        if wrong := misfits(version.raw, version.columns, version.null_values):
            _back(version, wrong)
            return None
        return table_frozen(version.raw, version.columns, version.null_values, version.label_column, work)
    from backend.datasets.actions.items import write_manifest

    return write_manifest(version.dataset, version.number, work).artifact()


def _back(version: DatasetVersion, problems: list[Problem]) -> None:
    """Not frozen: a draft again, with the reasons."""
    with transaction.atomic():
        DatasetVersion.objects.filter(pk=version.pk, status="freezing").update(status="draft", problems=problems)
        dataset_changed(version.dataset.project, version.dataset.slug)
