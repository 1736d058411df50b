"""Artifacts and the edges between them."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from backend.core.ids import new_id
from backend.core.models import Project


class Artifact(models.Model):
    """Immutable bytes with a kind. `digest` names them in the store (`workers.sdk.store`): of a file its SHA-256,
    of a folder that of its canonical list of files. Small JSON lives in `inline` and in no file."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # Found by project, kind and digest (the constraint's index); an index of the project alone would lead the planner through all of it.
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="artifacts", db_index=False)
    kind = models.CharField(max_length=40)
    digest = models.CharField(max_length=64)
    size = models.BigIntegerField(default=0)
    media_type = models.CharField(max_length=120, default="application/octet-stream")
    inline = models.JSONField(null=True)
    metadata = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "kind", "digest"], name="artifact_unique")]


class LineageEdge(models.Model):
    """`source` was used for, or produced, `target`. Ends are named by type and id, so that the edge may point anywhere
    on the route without `artifacts` knowing the later stages."""

    # Two edges a step: each would be looked up in the projects once more, though it has the project of the step or version it tells of.
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    source_type = models.CharField(max_length=20)
    source_id = models.UUIDField()
    target_type = models.CharField(max_length=20)
    target_id = models.UUIDField()
    relation = models.CharField(max_length=40)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source_type", "source_id", "target_type", "target_id", "relation"], name="lineage_unique")
        ]
        indexes = [models.Index(fields=["target_type", "target_id"], name="lineage_target")]
