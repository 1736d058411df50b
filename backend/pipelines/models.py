"""Pipelines, their live drafts and their immutable versions."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from backend.core.ids import new_id
from backend.core.models import Project, User


class Pipeline(models.Model):
    """`draft` is the graph as last folded from the live document; `draft_base` counts its changes."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="pipelines")
    slug = models.SlugField(max_length=60)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    draft = models.JSONField(default=dict)
    draft_base = models.BigIntegerField(default=0)
    draft_digest = models.CharField(max_length=64, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "slug"], name="pipeline_slug_unique")]


class DraftUpdate(models.Model):
    """The append-only log of a draft's Yjs document; compaction replaces a prefix by one merged update."""

    id = models.BigAutoField(primary_key=True)
    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="draft_updates")
    update = models.BinaryField()
    at = models.DateTimeField(default=timezone.now)


class PipelineVersion(models.Model):
    """A published graph: never changed. `digest` is `workers.sdk.graph.digest(graph)` (layout and notes do not count)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    graph = models.JSONField()
    digest = models.CharField(max_length=64)
    note = models.TextField(blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["pipeline", "number"], name="pipeline_version_unique")]


class CodeComponent(models.Model):
    """Python that somebody wrote in the studio; its versions are components of this project."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="code")
    slug = models.SlugField(max_length=60)
    name = models.CharField(max_length=120)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "slug"], name="code_slug_unique")]


class CodeVersion(models.Model):
    """A published text: never changed. `digest` is the SHA-256 of `source`; `spec` what the look at it gave (title, ports, form)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    component = models.ForeignKey(CodeComponent, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    source = models.TextField()
    digest = models.CharField(max_length=64)
    spec = models.JSONField()
    note = models.TextField(blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["component", "number"], name="code_version_unique"),
            models.UniqueConstraint(fields=["component", "digest"], name="code_version_text_unique"),
        ]
