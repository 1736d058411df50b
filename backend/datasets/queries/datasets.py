"""Reads of data sets and their versions."""

from __future__ import annotations

import re
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from backend.core.errors import InvalidInput, NotFound
from backend.core.models import Project
from backend.core.queries.pages import paginate
from backend.datasets.errors import NotFrozen
from backend.datasets.models import Dataset, DatasetVersion

REFERENCE = re.compile(r"(?P<slug>[a-z0-9]+(?:-[a-z0-9]+)*)(?:@(?P<version>[1-9]\d{0,8}|latest))?(?:#(?P<digest>[0-9a-f]{6,64}))?")


def datasets(project: Project) -> QuerySet[Dataset]:
    """Data sets with what `DatasetOut` tells, in one query."""
    newest = DatasetVersion.objects.filter(dataset=OuterRef("pk")).order_by("-number")
    return (
        Dataset.objects.filter(project=project)
        .select_related("created_by")
        .annotate(
            versions_count=Count("versions"),
            latest_number=Subquery(newest.filter(status="frozen").values("number")[:1]),
            latest_items=Subquery(newest.values("item_count")[:1]),
            latest_size=Subquery(newest.values("size")[:1]),
        )
    )


def dataset_out(row: Any) -> dict[str, Any]:
    """A row of `datasets` as `DatasetOut`."""
    fields = ("id", "slug", "name", "description", "modality", "licence", "source", "created_by", "created_at", "updated_at", "deleted_at")
    return {
        **{f: getattr(row, f) for f in fields},
        "item_count": row.latest_items or 0,
        "size": row.latest_size or 0,
        "latest_version": row.latest_number,
        "versions": row.versions_count,
    }


def get_dataset(project: Project, slug: str, *, deleted: bool = True) -> dict[str, Any]:
    """One, deleted ones too (their page offers to restore them)."""
    row = datasets(project).filter(slug=slug, **({} if deleted else {"deleted_at": None})).first()
    if row is None:
        raise NotFound(what="data set", name=slug)
    return dataset_out(row)


def list_datasets(project: Project, search: str | None, deleted: bool, cursor: str | None, limit: int) -> dict[str, Any]:
    rows = datasets(project).filter(deleted_at__isnull=not deleted)
    if search and search.strip():
        rows = rows.filter(Q(name__icontains=search.strip()) | Q(slug__icontains=search.strip()) | Q(description__icontains=search.strip()))
    page: Any = paginate(rows, ("-updated_at", "-id"), cursor, limit, count=True)
    return {**page, "items": [dataset_out(row) for row in page["items"]]}


def find_dataset(project: Project, slug: str, *, deleted: bool = False, lock: bool = False) -> Dataset:
    """The data set, or NotFound (a deleted one only when asked for)."""
    rows = Dataset.objects.select_for_update() if lock else Dataset.objects.all()
    found: Dataset | None = rows.filter(project=project, slug=slug, **({} if deleted else {"deleted_at": None})).first()
    if found is None:
        raise NotFound(what="data set", name=slug)
    return found


def versions(project: Project, slug: str) -> list[DatasetVersion]:
    """Newest first."""
    dataset = find_dataset(project, slug, deleted=True)
    return list(dataset.versions.select_related("created_by", "artifact").defer("profile").order_by("-number"))


def find_version(project: Project, slug: str, number: int) -> DatasetVersion:
    rows = DatasetVersion.objects.select_related("dataset", "dataset__project", "created_by", "artifact")
    found: DatasetVersion | None = rows.filter(dataset__project=project, dataset__slug=slug, number=number).first()
    if found is None:
        raise NotFound(what="version", name=f"{slug}@{number}")
    return found


def version_out(version: DatasetVersion) -> dict[str, Any]:
    fields = (
        "number",
        "status",
        "item_count",
        "size",
        "columns",
        "label_column",
        "profile_status",
        "note",
        "null_values",
        "problems",
        "created_by",
        "created_at",
        "frozen_at",
    )
    return {
        **{f: getattr(version, f) for f in fields},
        "digest": version.artifact.digest if version.artifact else "",
        "artifact": version.artifact_id,
        "reading": reading_out(version),
    }


def reading_out(version: DatasetVersion) -> dict[str, Any] | None:
    """`ReadingOut`; None of what was made before readings were kept, and of images and texts."""
    if not version.reading.get("format"):
        return None
    return {**version.reading, "upload": version.reading.get("upload") if version.status == "draft" else None}


def resolve_reference(project: Project, text: str) -> DatasetVersion:
    """The frozen version that `slug@3`, `slug@latest`, `slug` (the latest) or `slug@3#digest` names; the digest must be the version's."""
    match = REFERENCE.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise InvalidInput(message=f"“{str(text)[:80]}” names no data set version.", hint="Write it as `name@3` or `name@latest`.")
    dataset = find_dataset(project, match["slug"])
    frozen = dataset.versions.select_related("dataset", "artifact")
    if match["version"] in (None, "latest"):
        found: DatasetVersion | None = frozen.filter(status="frozen").order_by("-number").first()
        if found is None:
            raise NotFound(what="frozen version of the data set", name=dataset.slug, hint="Freeze a version on the page of the data set.")
    else:
        found = frozen.filter(number=int(match["version"])).first()
        if found is None:
            raise NotFound(what="version", name=text)
        if found.status != "frozen":
            raise NotFrozen(number=found.number, status=found.status)
    if match["digest"] and (found.artifact is None or not found.artifact.digest.startswith(match["digest"])):
        raise NotFound(what="version with these contents", name=text)
    return found


def manifest_out(version: DatasetVersion) -> dict[str, Any]:
    """Where a frozen version lies, as `ManifestOut`."""
    if version.status != "frozen" or version.artifact is None:
        raise NotFrozen(number=version.number, status=version.status)
    return {
        "dataset": version.dataset.slug,
        "version": version.number,
        "modality": version.dataset.modality,
        "digest": version.artifact.digest,
        "kind": version.artifact.kind,
        "columns": version.columns,
        "label_column": version.label_column,
        "rows": version.item_count,
    }
