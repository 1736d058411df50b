"""Models, their versions and aliases."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from backend.artifacts.models import Artifact
from backend.core.ids import new_id
from backend.core.models import Project, User
from backend.runs.models import StepRun


class Model(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="models")
    slug = models.SlugField(max_length=60)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "slug"], name="model_slug_unique")]


class ModelVersion(models.Model):
    """`manifest` is a copy of the artifact's manifest.json, so that lists and forms need no file. `dataset_versions` (`slug@3`) and
    `parameters` say what it was trained from, copied too: they must outlive the run."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    artifact = models.ForeignKey(Artifact, on_delete=models.PROTECT, related_name="+")
    step_run = models.ForeignKey(StepRun, null=True, on_delete=models.SET_NULL, related_name="+")
    manifest = models.JSONField()
    metrics = models.JSONField(default=dict)
    parity = models.JSONField(default=dict)
    dataset_versions = models.JSONField(default=list)
    parameters = models.JSONField(default=dict)
    description = models.TextField(blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model", "number"], name="model_version_unique")]


class Alias(models.Model):
    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="aliases")
    name = models.CharField(max_length=40)
    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="aliases")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model", "name"], name="alias_unique")]
