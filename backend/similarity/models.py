"""Spaces of vectors, what lies near what, labels in doubt, and what was done to many items at once.

The vectors themselves are a column `vector` of `Vector` that Django does not know: a database without pgvector has not got it
(`pgvector.py`), and everything else works there.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from backend.core.ids import new_id
from backend.core.models import User
from backend.datasets.models import Dataset
from backend.labeling.models import Annotation, LabelSchema, QueueItem


class Space(models.Model):
    """The items of a data set as vectors: what embeds them, with which `parameters` and in which `release` of its code. `learned` is the
    digest of what was fitted on the data. `version` is the number of the data set version that it shows. `stage` is embed, arrange or
    index; `status` queued, running, ready, failed or cancelled. `clusters` lists {number, size, typical (ids of vectors)}."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="spaces")
    embedder = models.CharField(max_length=30)
    release = models.PositiveSmallIntegerField(default=1)
    parameters = models.JSONField(default=dict)
    dimension = models.PositiveIntegerField(default=0)
    learned = models.CharField(max_length=64, blank=True)
    takes_text = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=10, default="queued")
    stage = models.CharField(max_length=10, default="embed")
    message = models.CharField(max_length=500, blank=True)
    total = models.BigIntegerField(default=0)
    done = models.BigIntegerField(default=0)
    fresh = models.BigIntegerField(default=0)
    """Of `done`, how many were computed and not there before."""
    refused = models.BigIntegerField(default=0)
    indexed = models.BooleanField(default=False)
    clusters = models.JSONField(default=list)
    attempts = models.PositiveSmallIntegerField(default=0)
    announced_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    computed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dataset", "embedder", "parameters"], name="space_unique")]
        indexes = [models.Index(fields=["announced_at"], condition=Q(status__in=["queued", "running"]), name="space_waiting")]


class Vector(models.Model):
    """One content in a space, known by its digest (bytes, or a row's values), however many items have it; `key` is one of theirs. `shown`
    is what tells it from others where there is no picture. `present`: in the version that the space shows. `x`, `y`: its place on the map;
    `place`: in the order that begins with what differs most."""

    id = models.BigAutoField(primary_key=True)
    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="vectors")
    digest = models.CharField(max_length=64)
    key = models.CharField(max_length=1000)
    shown = models.JSONField(default=dict)
    present = models.BooleanField(default=True)
    x = models.FloatField(null=True)
    y = models.FloatField(null=True)
    cluster = models.PositiveSmallIntegerField(null=True)
    place = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["space", "digest"], name="vector_unique")]


class Pair(models.Model):
    """Two contents of a space that are nearly the same: their cosine distance, at most `workers.embedding.arrange.NEAR`."""

    id = models.BigAutoField(primary_key=True)
    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="pairs")
    one = models.ForeignKey(Vector, on_delete=models.CASCADE, related_name="+")
    other = models.ForeignKey(Vector, on_delete=models.CASCADE, related_name="+")
    distance = models.FloatField()

    class Meta:
        indexes = [models.Index(fields=["space", "distance"], name="pair_near")]


class DoubtCheck(models.Model):
    """A look for wrong labels in a schema: `control` is the question, `checked` how many labels were looked at, `left_out` how many could
    not be. `agree` is the share of labels that the model repeats, `expected` how many are wrong by its estimate."""

    schema = models.OneToOneField(LabelSchema, primary_key=True, on_delete=models.CASCADE, related_name="doubt_check")
    space = models.ForeignKey(Space, null=True, on_delete=models.SET_NULL, related_name="+")
    control = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=10, default="queued")
    message = models.CharField(max_length=500, blank=True)
    checked = models.PositiveIntegerField(default=0)
    left_out = models.PositiveIntegerField(default=0)
    agree = models.FloatField(null=True)
    expected = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    announced_at = models.DateTimeField(default=timezone.now)
    checked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["announced_at"], condition=Q(status__in=["queued", "running"]), name="doubt_check_waiting")]


class Doubt(models.Model):
    """A label that is probably wrong: `given` by an annotation, `suggested` by the others' labels. `score` from 0 (surely wrong) to 0.5.
    `decision` is empty while open, else kept, relabelled or review."""

    id = models.BigAutoField(primary_key=True)
    schema = models.ForeignKey(LabelSchema, on_delete=models.CASCADE, related_name="doubts")
    item = models.ForeignKey(QueueItem, on_delete=models.CASCADE, related_name="doubts")
    annotation = models.ForeignKey(Annotation, on_delete=models.CASCADE, related_name="doubts")
    given = models.TextField()
    suggested = models.TextField()
    score = models.FloatField()
    decision = models.CharField(max_length=12, blank=True)
    label = models.TextField(blank=True)
    """What it was relabelled to."""
    decided_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["annotation", "given"], name="doubt_unique")]
        indexes = [models.Index(fields=["schema", "score", "id"], condition=Q(decision=""), name="doubt_open")]


class Bulk(models.Model):
    """Many items labelled (`kind` label) or set aside (aside) at once, to be undone as one."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    schema = models.ForeignKey(LabelSchema, on_delete=models.CASCADE, related_name="bulks")
    kind = models.CharField(max_length=10)
    result = models.JSONField(default=list)
    count = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["schema", "-created_at"], name="bulk_newest")]


class BulkLabel(models.Model):
    """An annotation that a bulk made."""

    annotation = models.OneToOneField(Annotation, primary_key=True, on_delete=models.CASCADE, related_name="of_bulk")
    bulk = models.ForeignKey(Bulk, on_delete=models.CASCADE, related_name="labels")


class SetAside(models.Model):
    """An item that is out of its queue because another is nearly the same; filling the queue leaves it out."""

    item = models.OneToOneField(QueueItem, primary_key=True, on_delete=models.CASCADE, related_name="set_aside")
    bulk = models.ForeignKey(Bulk, on_delete=models.CASCADE, related_name="items")


class ValueOrder(models.Model):
    """By which number a queue in the order “value” is worked: a column of the table, or width, height or size of the pictures."""

    schema = models.OneToOneField(LabelSchema, primary_key=True, on_delete=models.CASCADE, related_name="value_order")
    column = models.CharField(max_length=200)
    descending = models.BooleanField(default=True)


class Arranging(models.Model):
    """A queue that waits for its order to be made in the worker."""

    schema = models.OneToOneField(LabelSchema, primary_key=True, on_delete=models.CASCADE, related_name="arranging")
    status = models.CharField(max_length=10, default="queued")
    message = models.CharField(max_length=500, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    announced_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["announced_at"], condition=Q(status__in=["queued", "running"]), name="arranging_waiting")]
