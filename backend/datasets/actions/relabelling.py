"""A next version of a data set with other labels, made by a later stage of the route: frozen at once, in the caller's transaction."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db.models import Max

from backend.core.actions import audit
from backend.core.errors import Conflict
from backend.core.models import User
from backend.datasets.actions.announce import PROFILE, announce, dataset_changed
from backend.datasets.actions.freezing import Frozen
from backend.datasets.actions.items import change_items, write_manifest
from backend.datasets.models import Dataset, DatasetVersion
from workers.sdk.store import Stored


def items_version(base: DatasetVersion, user: User | None, spool: Path, work: Path, note: str) -> DatasetVersion:
    """The items of the spool (see `reading.items`) as the version after `base`; raises Conflict when there is one already."""
    dataset, number = _next(base)
    return _items(DatasetVersion(dataset=dataset, number=number, created_by=user, note=note), user, spool, work)


def _items(version: DatasetVersion, user: User | None, spool: Path, work: Path, *, replace: bool = True) -> DatasetVersion:
    change_items(version.dataset, version.number, spool, replace=replace)
    manifest = write_manifest(version.dataset, version.number, work)
    version.columns, version.label_column = manifest.columns, manifest.label_column
    version.item_count, version.size = manifest.count, manifest.bytes
    return _keep(version, manifest.artifact(), user)


def table_version(
    base: DatasetVersion, user: User | None, stored: Stored, rows: int, columns: list[dict[str, Any]], label_column: str | None, note: str
) -> DatasetVersion:
    """A typed Parquet file as the version after `base`; raises Conflict when there is one already."""
    dataset, number = _next(base)
    version = DatasetVersion(dataset=dataset, number=number, created_by=user, note=note, columns=columns, label_column=label_column)
    version.item_count, version.null_values = rows, base.null_values
    named = [{"name": c["name"], "type": c["type"]} for c in columns]
    return _keep(
        version, Frozen(kind="Table", stored=stored, metadata={"rows": rows, "columns": named, "label_column": label_column}), user
    )


def first_or_next(
    dataset: Dataset, user: User | None, stored: Stored, rows: int, columns: list[dict[str, Any]], note: str, label: str | None = None
) -> DatasetVersion:
    """A typed Parquet file as the version after the newest, or as the first."""
    dataset, number = _after_newest(dataset)
    version = DatasetVersion(dataset=dataset, number=number, created_by=user, note=note, columns=columns, item_count=rows)
    version.label_column = label
    named = [{"name": c["name"], "type": c["type"]} for c in columns]
    return _keep(version, Frozen(kind="Table", stored=stored, metadata={"rows": rows, "columns": named, "label_column": label}), user)


def items_first_or_next(dataset: Dataset, user: User | None, spool: Path, work: Path, note: str) -> DatasetVersion:
    """The items of the spool (see `reading.items`) as the version after the newest, or as the first."""
    dataset, number = _after_newest(dataset)
    return _items(DatasetVersion(dataset=dataset, number=number, created_by=user, note=note), user, spool, work)


def items_beside(dataset: Dataset, user: User | None, spool: Path, work: Path, note: str) -> DatasetVersion:
    """The items of the spool and those of the newest version, of which one with the same key takes the old one's place."""
    dataset, number = _after_newest(dataset)
    version = DatasetVersion(dataset=dataset, number=number, created_by=user, note=note)
    return _items(version, user, spool, work, replace=False)


def _after_newest(dataset: Dataset) -> tuple[Dataset, int]:
    held = Dataset.objects.select_for_update(of=("self",)).select_related("project").get(pk=dataset.pk)
    return held, (held.versions.aggregate(n=Max("number"))["n"] or 0) + 1


def _next(base: DatasetVersion) -> tuple[Dataset, int]:
    dataset = Dataset.objects.select_for_update(of=("self",)).select_related("project").get(pk=base.dataset_id)
    newest = dataset.versions.aggregate(n=Max("number"))["n"] or 0
    if newest != base.number:
        raise Conflict(message=f"The data set has a version {newest} by now.", hint="Fill the queue from it, then freeze the labels again.")
    return dataset, newest + 1


def _keep(version: DatasetVersion, frozen: Frozen, user: User | None) -> DatasetVersion:
    frozen.apply(version)
    version.save()
    frozen.link(version)
    version.dataset.save(update_fields=["updated_at"])
    target = ("dataset_version", version.pk, f"{version.dataset.slug}@{version.number}")
    audit.record(user, "dataset.version", target, project=version.dataset.project, after={"digest": version.data})
    announce(PROFILE, version.pk)
    dataset_changed(version.dataset.project, version.dataset.slug)
    return version
