"""What Label Studio's API needs beside the labels themselves: whole numbers for what has none, views, webhooks, ML backends, snapshots,
files that were uploaded before their tasks."""

from __future__ import annotations

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone

from backend.core.ids import new_id
from backend.core.models import ApiToken, Project, User
from backend.labeling.models import LabelSchema, QueueItem
from backend.labelstudio.models_links import (
    Conflict,
    Deletion,
    Link,
    LinkedAnnotation,
    LinkedPrediction,
    LinkedSkip,
    LinkedTask,
    SyncRun,
)

__all__ = [
    "Backend", "Conflict", "Counterpart", "Deletion", "Delivery", "FileUpload", "Link", "LinkedAnnotation", "LinkedPrediction",
    "LinkedSkip", "LinkedTask", "Number", "Snapshot", "SyncRun", "TaskNote", "TaskTouch", "View", "Webhook",
]  # fmt: skip


class Counterpart(models.Model):
    """A label schema as one of Label Studio's projects, known by a number. `owned`: its data set was made with it and holds what is
    imported; `touched_at` is when tasks came last, `frozen_at` when a version was made of them. `settings`: what a script
    set and we only keep (colour, description)."""

    id = models.BigAutoField(primary_key=True)
    schema = models.OneToOneField(LabelSchema, on_delete=models.CASCADE, related_name="counterpart")
    owned = models.BooleanField(default=False)
    settings = models.JSONField(default=dict)
    touched_at = models.DateTimeField(null=True)
    frozen_at = models.DateTimeField(null=True)


class Number(models.Model):
    """A whole number for an annotation or a person, given once and never again."""

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=12)
    target = models.UUIDField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "target"], name="number_unique")]


class TaskNote(models.Model):
    """`meta` of a task that has some."""

    item = models.OneToOneField(QueueItem, primary_key=True, on_delete=models.CASCADE, related_name="note")
    meta = models.JSONField()


class View(models.Model):
    """A tab of the data manager: filters and order, as Label Studio writes them."""

    id = models.BigAutoField(primary_key=True)
    schema = models.ForeignKey(LabelSchema, on_delete=models.CASCADE, related_name="+")
    data = models.JSONField(default=dict)
    order = models.IntegerField(default=0)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)


class Webhook(models.Model):
    """An address that is told what happens, in one schema or (None) in all of the project. `headers` are encrypted: they hold keys."""

    id = models.BigAutoField(primary_key=True)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    schema = models.ForeignKey(LabelSchema, null=True, on_delete=models.CASCADE, related_name="+")
    url = models.CharField(max_length=2000)
    send_payload = models.BooleanField(default=True)
    send_for_all_actions = models.BooleanField(default=True)
    actions = models.JSONField(default=list)
    headers = models.TextField(blank=True)
    is_active = models.BooleanField(default=True)
    failures = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)


class Backend(models.Model):
    """A server that speaks Label Studio's ML protocol. `state` is `connected` or `disconnected` (`message` says why). With
    `token` its setup gets an access of its own, which reads this project and nothing else."""

    id = models.BigAutoField(primary_key=True)
    schema = models.ForeignKey(LabelSchema, on_delete=models.CASCADE, related_name="+")
    url = models.CharField(max_length=2000)
    title = models.CharField(max_length=200, blank=True)
    description = models.TextField(blank=True)
    model_version = models.CharField(max_length=256, blank=True)
    is_interactive = models.BooleanField(default=False)
    auto_update = models.BooleanField(default=True)
    timeout = models.FloatField(default=100)
    user = models.CharField(max_length=200, blank=True)
    password = models.TextField(blank=True)
    extra_params = models.JSONField(default=dict)
    token = models.ForeignKey(ApiToken, null=True, on_delete=models.SET_NULL, related_name="+")
    state = models.CharField(max_length=12, default="disconnected")
    message = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)


class Delivery(models.Model):
    """One message on its way to a webhook or an ML backend; gone once it has arrived."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    webhook = models.ForeignKey(Webhook, null=True, on_delete=models.CASCADE, related_name="deliveries")
    backend = models.ForeignKey(Backend, null=True, on_delete=models.CASCADE, related_name="deliveries")
    body = models.JSONField(encoder=DjangoJSONEncoder)
    attempts = models.PositiveSmallIntegerField(default=0)
    status = models.CharField(max_length=10, default="queued")
    message = models.CharField(max_length=500, blank=True)
    due_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["due_at"], condition=Q(status="queued"), name="delivery_due")]


class Snapshot(models.Model):
    """An export that was kept: JSON in the store under `digest`."""

    id = models.BigAutoField(primary_key=True)
    schema = models.ForeignKey(LabelSchema, on_delete=models.CASCADE, related_name="+")
    title = models.CharField(max_length=200, blank=True)
    digest = models.CharField(max_length=64)
    md5 = models.CharField(max_length=32)
    counters = models.JSONField(default=dict)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)


class TaskTouch(models.Model):
    """When a task last changed in a way that leaves no row behind: it was imported, an annotation was taken back, a prediction came."""

    item = models.OneToOneField(QueueItem, primary_key=True, on_delete=models.CASCADE, related_name="touch")
    at = models.DateTimeField()


class FileUpload(models.Model):
    """A file that came over the API; tasks name it by `path`. `about` is what its bytes say: {width, height, data}."""

    id = models.BigAutoField(primary_key=True)
    schema = models.ForeignKey(LabelSchema, on_delete=models.CASCADE, related_name="+")
    path = models.CharField(max_length=500, unique=True)
    digest = models.CharField(max_length=64)
    media_type = models.CharField(max_length=60)
    size = models.BigIntegerField()
    about = models.JSONField(default=dict)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
