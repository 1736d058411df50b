"""A label schema and a project of a Label Studio server that are kept the same: what both sides have, and where a person must choose."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from backend.core.ids import new_id
from backend.core.models import User
from backend.labeling.models import LabelSchema, QueueItem, Suggestion


class Link(models.Model):
    """`token` is encrypted, `remote` the project's number there. What comes from there is brought by `created_by`. `status`: `queued
    running ready failed cancelled`; while it runs, `phase` says in a word what is done, `done` of `total` times. `read_until` is the
    newest change there that was read, `told_until` when the last synchronisation that came to its end began: what changed since is looked
    at. `every_minutes`: how often it begins by itself, `next_at` when. `problems` were left out last time: [{where, message}].
    `tell_truth`: what is ground truth is marked there even where honeypots are hidden here. `odd_predictions`: how many more predictions
    the server counts than are known here."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    schema = models.OneToOneField(LabelSchema, on_delete=models.CASCADE, related_name="link")
    url = models.CharField(max_length=2000)
    token = models.TextField()
    remote = models.BigIntegerField(null=True)
    status = models.CharField(max_length=10, default="queued")
    message = models.CharField(max_length=500, blank=True)
    phase = models.CharField(max_length=40, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    stop = models.BooleanField(default=False)
    problems = models.JSONField(default=list)
    every_minutes = models.PositiveIntegerField(null=True)
    next_at = models.DateTimeField(null=True)
    read_until = models.DateTimeField(null=True)
    told_until = models.DateTimeField(null=True)
    tell_truth = models.BooleanField(default=False, db_default=False)
    odd_predictions = models.IntegerField(default=0, db_default=0)
    announced_at = models.DateTimeField(default=timezone.now)
    synced_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)


class SyncRun(models.Model):
    """How one synchronisation ended, and how much of each kind came and went. Of those that found nothing to do the newest is kept."""

    id = models.BigAutoField(primary_key=True)
    link = models.ForeignKey(Link, on_delete=models.CASCADE, related_name="runs")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(default=timezone.now)
    status = models.CharField(max_length=10)
    message = models.CharField(max_length=500, blank=True)
    counts = models.JSONField(default=dict)


class LinkedTask(models.Model):
    """A task on both sides. `apart`: somebody decided that each side keeps what it has, so it is no longer looked at. The digests are of
    its data as each side said it when both were last the same, without the file, whose address there is `their_file`; '' where it
    is not known."""

    id = models.BigAutoField(primary_key=True)
    link = models.ForeignKey(Link, on_delete=models.CASCADE, related_name="tasks")
    item = models.ForeignKey(QueueItem, on_delete=models.CASCADE, related_name="+")
    remote = models.BigIntegerField()
    apart = models.BooleanField(default=False)
    our_data = models.CharField(max_length=64, blank=True, db_default="")
    their_data = models.CharField(max_length=64, blank=True, db_default="")
    their_file = models.CharField(max_length=64, blank=True, db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["link", "item"], name="linked_item_unique"),
            models.UniqueConstraint(fields=["link", "remote"], name="linked_remote_unique"),
        ]


class LinkedAnnotation(models.Model):
    """An annotation on both sides: `ours` is its id here, `theirs` there; None where that side does not have it. The digests are of what
    each side said when both were last the same, `our_truth` and `their_truth` whether it then was the ground truth of its task."""

    id = models.BigAutoField(primary_key=True)
    task = models.ForeignKey(LinkedTask, on_delete=models.CASCADE, related_name="annotations")
    ours = models.UUIDField(null=True)
    theirs = models.BigIntegerField(null=True)
    our_digest = models.CharField(max_length=64, blank=True)
    their_digest = models.CharField(max_length=64, blank=True)
    our_truth = models.BooleanField(default=False, db_default=False)
    their_truth = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["task", "ours"], name="linked_annotation_ours_unique"),
            models.UniqueConstraint(fields=["task", "theirs"], name="linked_annotation_theirs_unique"),
        ]


class LinkedSkip(models.Model):
    """Somebody who skipped a task on both sides; `theirs` is the number of the cancelled annotation there."""

    id = models.BigAutoField(primary_key=True)
    task = models.ForeignKey(LinkedTask, on_delete=models.CASCADE, related_name="skips")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    theirs = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "user"], name="linked_skip_unique")]


class LinkedPrediction(models.Model):
    """A suggestion that both sides have. `remote` is None while it is not known whether it arrived there, `suggestion` once it was deleted
    here. `made` says on which side a synchronisation wrote it (`ours` or `theirs`; '': both had it), `said` is a digest of what it wrote:
    only its own words are deleted when the other side deletes them."""

    id = models.BigAutoField(primary_key=True)
    suggestion = models.OneToOneField(Suggestion, null=True, on_delete=models.SET_NULL, related_name="+")
    task = models.ForeignKey(LinkedTask, on_delete=models.CASCADE, related_name="predictions")
    remote = models.BigIntegerField(null=True)
    made = models.CharField(max_length=6, blank=True)
    said = models.CharField(max_length=64, blank=True)


class Conflict(models.Model):
    """Where the sides differ and no rule may decide: `both` changed an annotation, it was deleted `here` or `there` while the other side
    changed it, a whole task is `gone_here` or `gone_there`, its `data` are others on each side, it shows another `file` there, or a side
    does not take (`refused`) what the other says. `ours` and `theirs` are what each says, {result, by} or {data, digest}, None: nothing.
    `chosen` is `ours` or `theirs` once a person has; the next synchronisation does it."""

    id = models.BigAutoField(primary_key=True)
    task = models.ForeignKey(LinkedTask, on_delete=models.CASCADE, related_name="conflicts")
    pair = models.OneToOneField(LinkedAnnotation, null=True, on_delete=models.CASCADE, related_name="conflict")
    kind = models.CharField(max_length=10)
    why = models.CharField(max_length=500)
    ours = models.JSONField(null=True)
    theirs = models.JSONField(null=True)
    chosen = models.CharField(max_length=6, blank=True)
    created_at = models.DateTimeField(default=timezone.now)


class Deletion(models.Model):
    """What one side (`side`: `ours` or `theirs`) deleted and a synchronisation then deleted on the other. `before` is what it was: of an
    annotation {result, author, author_name, seconds}, of a task {}. A person may take it back."""

    id = models.BigAutoField(primary_key=True)
    link = models.ForeignKey(Link, on_delete=models.CASCADE, related_name="deletions")
    item = models.ForeignKey(QueueItem, on_delete=models.CASCADE, related_name="+")
    side = models.CharField(max_length=6)
    what = models.CharField(max_length=10)
    before = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True)
