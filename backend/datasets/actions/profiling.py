"""The profile of a version, made in the worker. It belongs to what is shown: a draft whose types change gets a new one."""

from __future__ import annotations

import logging
from uuid import UUID

from django.db import OperationalError, transaction
from django.db.models import Count, F
from django.utils import timezone

from backend.artifacts import tables
from backend.datasets.actions.announce import ATTEMPTS, dataset_changed
from backend.datasets.locks import only_one
from backend.datasets.models import DatasetVersion, Item
from backend.datasets.reading.fitting import typed_batches
from backend.datasets.reading.profile import profile_images, profile_media, profile_table

log = logging.getLogger(__name__)


def make_profile(version_id: UUID) -> None:
    """Safe to call again and at once from several workers; a result for types that were changed meanwhile is thrown away."""
    with only_one(f"profile:{version_id}") as mine:
        version = (
            DatasetVersion.objects.select_related("dataset__project")
            .filter(pk=version_id, profile_status__in=["queued", "running"])
            .first()
        )
        if not mine or version is None:
            return
        DatasetVersion.objects.filter(pk=version_id).update(
            profile_status="running", attempts=F("attempts") + 1, announced_at=timezone.now()
        )
        try:
            if version.attempts >= ATTEMPTS:
                raise MemoryError(f"making the profile ended the worker {ATTEMPTS} times")
            found, status = _profile(version), "succeeded"
        except OperationalError:
            raise
        except Exception as exc:
            log.exception("profile of %s@%s", version.dataset.slug, version.number)
            found, status = {"error": f"The profile could not be made: {exc}"[:500]}, "failed"
        with transaction.atomic():
            row = DatasetVersion.objects.select_for_update().get(pk=version_id)
            if (row.columns, row.null_values, row.raw) != (version.columns, version.null_values, version.raw):
                return  # queued again by the change
            row.profile, row.profile_status, row.attempts = found, status, 0
            row.save(update_fields=["profile", "profile_status", "attempts"])
            dataset_changed(version.dataset.project, version.dataset.slug)


def _profile(version: DatasetVersion) -> dict[str, object]:
    names = [c["name"] for c in version.columns]
    if version.dataset.modality == "table":
        if version.status == "frozen":
            return profile_table(lambda chosen: tables.batches(version.data, chosen), version.columns, version.label_column)

        def batches(chosen: list[str]):  # type: ignore[no-untyped-def]  # an iterator of Arrow tables
            return typed_batches(version.raw, [c for c in version.columns if c["name"] in chosen], version.null_values)

        return profile_table(batches, version.columns, version.label_column)
    found = profile_table(
        lambda chosen: tables.batches(version.data, chosen), version.columns, "label" if "label" in names else None, by="digest"
    )
    here = Item.objects.filter(dataset=version.dataset, added_in__lte=version.number).exclude(removed_in__lte=version.number)

    def counted(key: str) -> dict[str, int]:
        rows = here.filter(**{f"data__{key}__isnull": False}).values(value=F(f"data__{key}")).annotate(n=Count("id"))
        return {str(row["value"]): row["n"] for row in rows.order_by("-n")[:20]}

    if "duration" in names:
        counts = {key: counted(key) for key in ("codec", "channels", "sample_rate")}
        found["media"] = profile_media(lambda chosen: tables.batches(version.data, chosen), counts)
    if version.dataset.modality == "images":
        kinds = {key: counted(key) for key in ("format", "mode")}
        found["images"] = profile_images(lambda chosen: tables.batches(version.data, chosen), kinds["format"], kinds["mode"])
    return found
