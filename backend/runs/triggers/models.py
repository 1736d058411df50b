"""A trigger starts runs of a pipeline when something happens; each thing that happened is a row of its history."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from backend.core.ids import new_id
from backend.core.models import Project, User
from backend.pipelines.models import Pipeline

PRIORITIES = ("low", "normal", "high", "urgent")
"""A priority, of a trigger as of the runs it starts, is a place in this list."""


class Trigger(models.Model):
    """`config` is what the kind's form says, without its secrets: those are in `secrets`, encrypted, by the names of their fields.

    `parameters` are constants, `{step: {parameter: value}}`; `mapping` takes from the event, `{step: {parameter: "$event.data.x"}}`.
    `version` None is the newest published one. Runs start in the name of `owner`, who is whoever changed the trigger last.
    `next_at` is a schedule's next time; `hook` the last part of a webhook's address; `connection` how a listener stands
    (`{state, message, at}`)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="triggers")
    slug = models.SlugField(max_length=60)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=40)
    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="+")
    version = models.PositiveIntegerField(null=True)
    parameters = models.JSONField(default=dict)
    mapping = models.JSONField(default=dict)
    config = models.JSONField(default=dict)
    secrets = models.JSONField(default=dict)
    enabled = models.BooleanField(default=True)
    priority = models.PositiveSmallIntegerField(default=1, db_default=1)
    most_per_hour = models.PositiveIntegerField(default=60)
    most_at_once = models.PositiveIntegerField(default=1)
    coalesce_s = models.PositiveIntegerField(default=0)
    owner = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    hook = models.CharField(max_length=60, null=True, unique=True)
    next_at = models.DateTimeField(null=True)
    connection = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "slug"], name="trigger_slug_unique")]
        indexes = [
            models.Index(fields=["project", "kind"], condition=models.Q(enabled=True, deleted_at=None), name="trigger_listening"),
            models.Index(fields=["next_at"], condition=models.Q(enabled=True, deleted_at=None), name="trigger_next"),
        ]

    def __str__(self) -> str:
        return self.slug


class TriggerEvent(models.Model):
    """Something that happened: kept before anything is done about it, so that it is neither lost nor acted on twice.

    `key` names what happened: a second event of the same key is the first one. `nonce` names the signature it came with, which is
    good once. `payload` is what `$event` means in a mapping. `depth` counts the triggered runs that led to it. A `received`
    one is looked at from `due_at` on. `run` is the run it started (`started`), or joined (`coalesced`)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    trigger = models.ForeignKey(Trigger, on_delete=models.CASCADE, related_name="events")
    key = models.CharField(max_length=200)
    nonce = models.CharField(max_length=64, null=True)
    received_at = models.DateTimeField(default=timezone.now)
    source = models.CharField(max_length=300)
    payload = models.JSONField(default=dict)
    depth = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=10, default="received")
    reason = models.CharField(max_length=500, blank=True)
    due_at = models.DateTimeField(default=timezone.now)
    run = models.ForeignKey("runs.Run", null=True, on_delete=models.SET_NULL, related_name="trigger_events")
    replay_of = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="replays")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["trigger", "key"], name="trigger_event_once"),
            models.UniqueConstraint(fields=["trigger", "nonce"], name="trigger_event_nonce"),
        ]
        indexes = [
            models.Index(fields=["trigger", "-received_at", "-id"], name="trigger_event_history"),
            models.Index(fields=["trigger", "due_at"], condition=models.Q(status="received"), name="trigger_event_waiting"),
        ]
