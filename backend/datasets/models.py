"""Uploads, data sets, their items and their versions."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from backend.artifacts.models import Artifact
from backend.core.ids import new_id
from backend.core.models import Project, User


class Dataset(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="datasets")
    slug = models.SlugField(max_length=60)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    modality = models.CharField(max_length=10)
    licence = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "slug"], name="dataset_slug_unique")]


class DatasetVersion(models.Model):
    """A numbered state. `draft` until frozen; then `artifact` (a Parquet manifest) never changes.

    `data` is the digest of the Parquet file that is shown: of a draft table `raw` (the values as they were written, which `columns`
    and `null_values` give a meaning), else the manifest. `reading` of a table: how its file was read (`reading.tables.TableRead`), what
    a person said about that (`options`), whose types they corrected (`corrected`), and the upload that keeps the file while a draft."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=10, default="draft")
    columns = models.JSONField(default=list)
    label_column = models.CharField(max_length=200, null=True)
    item_count = models.BigIntegerField(default=0)
    size = models.BigIntegerField(default=0)
    data = models.CharField(max_length=64)
    raw = models.CharField(max_length=64, blank=True)
    null_values = models.JSONField(default=list)
    problems = models.JSONField(default=list)
    reading = models.JSONField(default=dict)
    artifact = models.ForeignKey(Artifact, null=True, on_delete=models.PROTECT, related_name="+")
    profile = models.JSONField(null=True)
    profile_status = models.CharField(max_length=10, default="queued")
    announced_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    note = models.TextField(blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    frozen_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dataset", "number"], name="dataset_version_unique")]
        indexes = [
            models.Index(
                fields=["announced_at"],
                condition=models.Q(status="freezing") | models.Q(profile_status__in=["queued", "running"]),
                name="dataset_version_waiting",
            )
        ]


class Item(models.Model):
    """One image or text of a data set. It belongs to every version from `added_in` up to, not with, `removed_in`."""

    id = models.BigAutoField(primary_key=True)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="items")
    key = models.CharField(max_length=1000)
    added_in = models.PositiveIntegerField()
    removed_in = models.PositiveIntegerField(null=True)
    digest = models.CharField(max_length=64)
    media_type = models.CharField(max_length=60)
    size = models.BigIntegerField()
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    label = models.CharField(max_length=200, null=True)
    split = models.CharField(max_length=20, null=True)
    data = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["dataset", "added_in", "id"], name="item_version"),
            models.Index(fields=["dataset", "removed_in"], condition=models.Q(removed_in__isnull=False), name="item_gone"),
        ]


class Upload(models.Model):
    """Bytes on their way in. They lie in a temporary file until read; then they are a version, or gone.
    `announced_at` is when a worker was last told; `attempts` counts how often one began, so that a file that kills workers ends."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    dataset = models.ForeignKey(Dataset, null=True, on_delete=models.SET_NULL, related_name="+")
    version = models.ForeignKey(DatasetVersion, null=True, on_delete=models.SET_NULL, related_name="+")
    filename = models.CharField(max_length=255)
    name = models.CharField(max_length=120, blank=True)
    mode = models.CharField(max_length=10, default="replace")
    options = models.JSONField(default=dict)
    size = models.BigIntegerField()
    received = models.BigIntegerField(default=0)
    status = models.CharField(max_length=12, default="receiving")
    progress = models.FloatField(default=0)
    message = models.CharField(max_length=500, blank=True)
    problems = models.JSONField(default=list)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)
    announced_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["project", "-created_at"], name="upload_list"),
            models.Index(fields=["announced_at"], condition=models.Q(status="processing"), name="upload_waiting"),
        ]
