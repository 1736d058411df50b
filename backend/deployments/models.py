"""Endpoints, deployments, traffic and what was answered. The predictor reads the first three and writes the last."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from backend.core.ids import new_id
from backend.core.models import Project, User
from backend.labeling.models import LabelSchema
from backend.registry.models import ModelVersion


class Endpoint(models.Model):
    """A stable address. `split` names the traffic in force."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="endpoints")
    slug = models.SlugField(max_length=60)
    name = models.CharField(max_length=120)
    split = models.ForeignKey("TrafficSplit", null=True, on_delete=models.SET_NULL, related_name="+")
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "slug"], name="endpoint_slug_unique")]


class Deployment(models.Model):
    """A model version behind an endpoint: starting → live → stopped, or failed. The predictor reports live and failed;
    `sql/status.sql` does what follows from it. `step_run` is the step that deployed it: its repeat makes no second one.
    `live_at` and `stopped_at` are of the last time; all times are its `LivePeriod`s."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="deployments")
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="deployments")
    status = models.CharField(max_length=10, default="starting")
    message = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    step_run = models.UUIDField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    live_at = models.DateTimeField(null=True)
    stopped_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["endpoint", "-created_at"], name="deployment_history")]


class LivePeriod(models.Model):
    """From when to when a deployment answered: what was live on a day, whatever was rolled back since. Written only by the trigger
    in `sql/live_history.sql`, which also refuses to change what is over."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="live_periods")
    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="live_periods")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["deployment"], condition=models.Q(until=None), name="live_once"),
            models.CheckConstraint(condition=models.Q(until=None) | models.Q(until__gte=models.F("since")), name="live_forwards"),
        ]
        indexes = [models.Index(fields=["endpoint", "-since"], name="live_history")]


class TrafficSplit(models.Model):
    """Append-only history of who got which share: `weights` is `[{"deployment": id, "weight": per cent}]`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="splits")
    weights = models.JSONField()
    reason = models.CharField(max_length=60, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)


class Prediction(models.Model):
    """One answered request, written in batches by the predictor with COPY. No foreign keys checked: it is a log."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    endpoint = models.ForeignKey(Endpoint, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    deployment = models.ForeignKey(Deployment, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    model_version_label = models.CharField(max_length=100, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField(default=timezone.now)
    status = models.PositiveSmallIntegerField()
    latency_us = models.PositiveIntegerField()
    rows = models.PositiveIntegerField(default=1)
    input = models.JSONField(null=True)
    output = models.JSONField(null=True)

    class Meta:
        indexes = [models.Index(fields=["endpoint", "-at", "-id"], name="prediction_recent")]


class Prelabelling(models.Model):
    """Suggestions of an endpoint, or of a registered model, for the open items of a label schema, the newest time that somebody asked.
    `status`: queued, running, done, failed or cancelled. `refused` items could not be answered."""

    schema = models.OneToOneField(LabelSchema, primary_key=True, on_delete=models.CASCADE, related_name="prelabelling")
    endpoint = models.ForeignKey(Endpoint, null=True, on_delete=models.CASCADE, related_name="+")
    model_version = models.ForeignKey(ModelVersion, null=True, on_delete=models.CASCADE, related_name="+")
    control = models.CharField(max_length=200)
    status = models.CharField(max_length=10, default="queued")
    message = models.CharField(max_length=500, blank=True)
    total = models.BigIntegerField(default=0)
    done = models.BigIntegerField(default=0)
    refused = models.BigIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    announced_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["announced_at"], condition=models.Q(status__in=["queued", "running"]), name="prelabelling_waiting")]


class AskOnOpening(models.Model):
    """Who is asked about an item of a label schema when a person opens it: an endpoint, or a registered model as `name` (its newest
    version), `name@3` or `name@champion`. What answers there is looked up when it is asked. Nobody is, where there is no row."""

    schema = models.OneToOneField(LabelSchema, primary_key=True, on_delete=models.CASCADE, related_name="ask_on_opening")
    endpoint = models.ForeignKey(Endpoint, null=True, on_delete=models.CASCADE, related_name="+")
    model = models.CharField(max_length=200, blank=True)
    set_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    set_at = models.DateTimeField(default=timezone.now)
