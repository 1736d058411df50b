"""What became of suggestions: whether people kept them, which became labels without a person, and whose suggestion nobody is shown."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from backend.core.ids import new_id
from backend.core.models import User


class SuggestionOutcome(models.Model):
    """What a person made of the suggestion of a model version that they were shown: `accepted` unchanged, `adjusted`, or `rejected`
    (nothing of it was kept), by comparing contents (`workers.sdk.labels.kept`)."""

    id = models.BigAutoField(primary_key=True)
    annotation = models.ForeignKey("labeling.Annotation", on_delete=models.CASCADE, related_name="outcomes")
    schema = models.ForeignKey("labeling.LabelSchema", on_delete=models.CASCADE, related_name="+")
    model_version = models.CharField(max_length=256, blank=True)
    outcome = models.CharField(max_length=10)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["annotation", "model_version"], name="suggestion_outcome_once")]
        indexes = [models.Index(fields=["schema", "model_version", "outcome"], name="suggestion_outcome_counts")]


class AutoAccept(models.Model):
    """Whether, and from which score on, an open item's suggestion becomes its label without a person. `audit_share` of those items go to
    people instead; when their labels show more than `max_error` of errors, it is off and `stopped` says why. What was measured before
    `since` counts no longer. `status` of the pass that the worker makes: queued, running, ready or failed."""

    schema = models.OneToOneField("labeling.LabelSchema", primary_key=True, on_delete=models.CASCADE, related_name="auto_accept")
    enabled = models.BooleanField(default=False)
    threshold = models.FloatField(default=0.95)
    audit_share = models.FloatField(default=0.05)
    max_error = models.FloatField(default=0.05)
    since = models.DateTimeField(default=timezone.now)
    stopped = models.CharField(max_length=500, blank=True)
    status = models.CharField(max_length=10, default="ready")
    message = models.CharField(max_length=500, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    announced_at = models.DateTimeField(default=timezone.now)
    set_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["announced_at"], condition=Q(status__in=["queued", "running"]), name="auto_accept_waiting")]


class AutoPass(models.Model):
    """One time that suggestions became labels: undone as one. `accepted` items got one, `audited` went to people."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    schema = models.ForeignKey("labeling.LabelSchema", on_delete=models.CASCADE, related_name="auto_passes")
    threshold = models.FloatField()
    accepted = models.PositiveIntegerField(default=0)
    audited = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["schema", "-created_at"], name="auto_pass_newest")]


class AutoLabel(models.Model):
    """An annotation that a pass made of a suggestion, and the places of its item that it took."""

    annotation = models.OneToOneField("labeling.Annotation", primary_key=True, on_delete=models.CASCADE, related_name="auto_label")
    auto_pass = models.ForeignKey(AutoPass, on_delete=models.CASCADE, related_name="labels")
    model_version = models.CharField(max_length=256, blank=True)
    places = models.PositiveSmallIntegerField()


class HeldBack(models.Model):
    """An item whose suggestions nobody is shown, and which no pass labels. `part` is one of

    - `audit`: a pass would have labelled it with `result`; a person says whether that is right;
    - `decoy`: as any item, so that a missing suggestion does not tell an audit;
    - `test`: later stages measure models on it; it is labelled first, like
    - `seed`: drawn at random with it, to learn from.

    `rank` takes the place of what the order of the queue would give it."""

    item = models.OneToOneField("labeling.QueueItem", primary_key=True, on_delete=models.CASCADE, related_name="held_back")
    schema = models.ForeignKey("labeling.LabelSchema", on_delete=models.CASCADE, related_name="held_back")
    part = models.CharField(max_length=6)
    rank = models.FloatField(null=True)
    auto_pass = models.ForeignKey(AutoPass, null=True, on_delete=models.CASCADE, related_name="held_back")
    model_version = models.CharField(max_length=256, blank=True)
    score = models.FloatField(null=True)
    result = models.JSONField(default=list)

    class Meta:
        indexes = [models.Index(fields=["schema", "part"], name="held_back_part")]
