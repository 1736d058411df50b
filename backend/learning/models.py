"""The loop that trains a model on labels and has it suggest the next ones, its rounds, and what random order would have given."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from backend.core.ids import new_id
from backend.core.models import User
from backend.datasets.models import Dataset, DatasetVersion
from backend.labeling.models import LabelSchema
from backend.pipelines.models import PipelineVersion
from backend.registry.models import ModelVersion
from backend.runs.models import Run


class Loop(models.Model):
    """A round begins after `every` new labels. `test_size` items are held out; for each size of a round, `draws` models are trained on
    random items. `control` is the question that is learned, `measure` what models are judged by (accuracy, map_50), `dataset` where the
    versions that it learns from lie. Runs start in the name of `started_by`. `message` says what it waits for where that is not labels."""

    schema = models.OneToOneField(LabelSchema, primary_key=True, on_delete=models.CASCADE, related_name="loop")
    pipeline = models.ForeignKey(PipelineVersion, on_delete=models.CASCADE, related_name="+")
    control = models.CharField(max_length=200)
    measure = models.CharField(max_length=20, default="accuracy")
    every = models.PositiveIntegerField()
    test_size = models.PositiveIntegerField()
    draws = models.PositiveSmallIntegerField(default=3)
    active = models.BooleanField(default=True)
    message = models.CharField(max_length=500, blank=True)
    dataset = models.ForeignKey(Dataset, null=True, on_delete=models.SET_NULL, related_name="+")
    started_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    started_at = models.DateTimeField(default=timezone.now)
    stopped_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["started_at"], condition=Q(active=True), name="loop_active")]


class Training(models.Model):
    """A model trained on `labels` items of a version: `stage` is freeze, train, measure or suggest; `status` running, succeeded, failed or
    cancelled. `right` of `tested` items were answered rightly; where models are judged by something that is no share of items, that is
    `value`, between `low` and `high`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    labels = models.PositiveIntegerField()
    stage = models.CharField(max_length=10, default="freeze")
    status = models.CharField(max_length=10, default="running")
    message = models.CharField(max_length=500, blank=True)
    version = models.ForeignKey(DatasetVersion, null=True, on_delete=models.SET_NULL, related_name="+")
    run = models.ForeignKey(Run, null=True, on_delete=models.SET_NULL, related_name="+")
    right = models.PositiveIntegerField(default=0)
    tested = models.PositiveIntegerField(default=0)
    value = models.FloatField(null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


class Round(Training):
    loop = models.ForeignKey(Loop, on_delete=models.CASCADE, related_name="rounds")
    number = models.PositiveIntegerField()
    model_version = models.ForeignKey(ModelVersion, null=True, on_delete=models.SET_NULL, related_name="+")
    suggested = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["loop", "number"], name="round_unique"),
            models.UniqueConstraint(fields=["loop"], condition=Q(status="running"), name="round_once"),
        ]


class Draw(Training):
    """`items` are those drawn."""

    loop = models.ForeignKey(Loop, on_delete=models.CASCADE, related_name="drawn")
    turn = models.PositiveSmallIntegerField()
    items = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["loop", "labels", "turn"], name="draw_unique"),
            models.UniqueConstraint(fields=["loop"], condition=Q(status="running"), name="draw_once"),
        ]
