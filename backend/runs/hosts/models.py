"""Machines that work for the studio, the tokens with which they join, and which step holds which of their devices."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from backend.core.ids import new_id
from backend.core.models import User


class Host(models.Model):
    """One machine (or container) with worker processes. It belongs to the studio and to no project.

    What it has is what its workers said with their last beat (`sql/17_hosts.sql`): `devices` as `[{name, memory}]` in the order of their
    numbers, each of which `share` steps may hold; `groups` of processes by name, `{queues, processes: [{worker, pid, memory}], at}`.
    `wanted` is what an administrator wants of it. `studio`: started by the studio itself; another has joined, and proves who it is by the
    token whose hash is here."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=120)
    studio = models.BooleanField(default=False)
    place = models.CharField(max_length=40, blank=True)
    labels = models.JSONField(default=dict)
    queues = models.JSONField(default=list)
    memory_bytes = models.BigIntegerField(default=0)
    memory_free = models.BigIntegerField(default=0)
    devices = models.JSONField(default=list)
    share = models.PositiveIntegerField(default=1)
    versions = models.JSONField(default=dict)
    groups = models.JSONField(default=dict)
    wanted = models.CharField(max_length=10, default="running")
    wanted_at = models.DateTimeField(default=timezone.now)
    token_hash = models.CharField(max_length=64, blank=True, db_index=True)
    joined_at = models.DateTimeField(default=timezone.now)
    joined_with = models.ForeignKey("JoinToken", null=True, on_delete=models.SET_NULL, related_name="hosts")
    beat_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "runs"

    def __str__(self) -> str:
        return self.name


class JoinToken(models.Model):
    """Lets machines join until it expires or is revoked; only its hash is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=120)
    prefix = models.CharField(max_length=12)
    token_hash = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "runs"


class DeviceLease(models.Model):
    """One share of one device of a host, held by a step from its claim to the end of the attempt. Written by the ledger alone."""

    id = models.BigAutoField(primary_key=True)
    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="leases", db_index=False)
    device = models.PositiveIntegerField()
    slot = models.PositiveIntegerField()
    step_run = models.ForeignKey("StepRun", on_delete=models.CASCADE, related_name="leases", db_constraint=False)
    taken_at = models.DateTimeField(default=timezone.now)

    class Meta:
        app_label = "runs"
        constraints = [models.UniqueConstraint(fields=["host", "device", "slot"], name="device_lease_unique")]
