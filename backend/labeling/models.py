"""Label schemas, the queue of what they ask about, and what people said.

A label schema belongs to one data set. Its queue holds each of the data set's items or rows once, by what they are (`key` and `digest`)
and not by version: an item whose bytes change is another item, and keeps the annotations of the old bytes apart.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from backend.core.ids import new_id
from backend.core.models import Project, User
from backend.datasets.models import Dataset, DatasetVersion
from backend.labeling.models_suggestions import AutoAccept, AutoLabel, AutoPass, HeldBack, SuggestionOutcome

__all__ = [
    "Annotation", "Assignment", "AutoAccept", "AutoLabel", "AutoPass", "Comment", "Cursor", "Disagreement", "Draft", "HeldBack", "Honeypot",
    "HoneypotScore", "LabelImport", "LabelSchema", "LabelSchemaVersion", "LabelledVersion", "Lease", "Measurement", "Pause", "QueueItem",
    "Review", "SharedDraft", "SharedUpdate", "Skill", "Skip", "Suggestion", "SuggestionOutcome",
]  # fmt: skip


class LabelSchema(models.Model):
    """What is asked about a data set, and how its queue is worked. `overlap` people label each item; `review_share` (0 to 1) of what they
    submit is reviewed. `together`: `apart` (each for themselves), `blind` (nobody sees another's annotations before the item is
    complete) or `shared` (everybody who opened an item edits its one draft; then `overlap` is 1). `filled` is the number of the data
    set's version that the queue shows, `fill_status` one of `queued running ready failed`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="label_schemas")
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="label_schemas")
    slug = models.SlugField(max_length=60)
    name = models.CharField(max_length=120)
    overlap = models.PositiveSmallIntegerField(default=1)
    review_share = models.FloatField(default=1)
    together = models.CharField(max_length=10, default="blind", db_default="blind")
    order = models.CharField(max_length=12, default="sequential")
    truth_by = models.CharField(max_length=10, default="agree", db_default="agree")
    """How the ground truth of several annotators comes about: `agree majority skill` (`actions.truth`)."""
    enough = models.FloatField(default=0.8, db_default=0.8)
    """Agreement, or support of a fused result (0 to 1), below which a person decides."""
    honeypot_share = models.FloatField(default=0, db_default=0)
    """How many of the items that a person is given are honeypots (0 to 0.5)."""
    pause_below = models.FloatField(null=True)
    """A person whose newest honeypots score below this is paused."""
    filled = models.PositiveIntegerField(default=0)
    fill_status = models.CharField(max_length=10, default="queued")
    fill_message = models.CharField(max_length=500, blank=True)
    announced_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "slug"], name="label_schema_slug_unique")]
        indexes = [models.Index(fields=["announced_at"], condition=Q(fill_status__in=["queued", "running"]), name="label_schema_waiting")]

    @property
    def blind(self) -> bool:
        return self.together == "blind"

    @property
    def shared(self) -> bool:
        return self.together == "shared"


class LabelSchemaVersion(models.Model):
    """One numbered wording; never changed. `config` is `workers.sdk.labels.config.LabelConfig` as JSON."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    schema = models.ForeignKey(LabelSchema, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    xml = models.TextField()
    config = models.JSONField()
    guidelines = models.TextField(blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["schema", "number"], name="label_schema_version_unique")]


class Assignment(models.Model):
    """A part of the queue that only these people are given. Items without one are for everybody who may annotate."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    schema = models.ForeignKey(LabelSchema, on_delete=models.CASCADE, related_name="assignments")
    name = models.CharField(max_length=120)
    people = models.ManyToManyField(User, related_name="+")
    due_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)


class QueueItem(models.Model):
    """One thing to label. `wanted` people shall; `done` have; `free` places are neither done nor leased: the queue gives out items with
    `free > 0` in the order of `rank`. `data` holds the variables that the schema shows (of tables), `truth` the accepted annotation.
    `pending`: in the queue before a frozen version holds it (tasks that a script imported)."""

    id = models.BigAutoField(primary_key=True)
    schema = models.ForeignKey(LabelSchema, on_delete=models.CASCADE, related_name="items")
    key = models.CharField(max_length=1000)
    digest = models.CharField(max_length=64)
    media_type = models.CharField(max_length=60)
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    data = models.JSONField(default=dict)
    position = models.BigIntegerField()
    rank = models.FloatField()
    wanted = models.PositiveSmallIntegerField(default=1)
    free = models.SmallIntegerField(default=1)
    done = models.PositiveSmallIntegerField(default=0)
    removed = models.BooleanField(default=False)
    pending = models.BooleanField(default=False, db_default=False)
    assignment = models.ForeignKey(Assignment, null=True, on_delete=models.SET_NULL, related_name="items")
    truth = models.ForeignKey("Annotation", null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["schema", "key", "digest"], name="queue_item_unique")]
        indexes = [
            models.Index(fields=["schema", "rank", "id"], condition=Q(free__gt=0, removed=False), name="queue_item_open"),
            models.Index(fields=["schema", "position"], name="queue_item_position"),
        ]


class Lease(models.Model):
    """A place of an item held by a person until a moment."""

    id = models.BigAutoField(primary_key=True)
    item = models.ForeignKey(QueueItem, on_delete=models.CASCADE, related_name="leases")
    schema = models.ForeignKey(LabelSchema, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    until = models.DateTimeField()
    honeypot = models.BooleanField(default=False, db_default=False)
    """Beyond the places of the item: it counts nowhere and does not run out."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "user"], name="lease_unique")]
        indexes = [models.Index(fields=["schema", "until"], name="lease_until"), models.Index(fields=["user", "schema"], name="lease_user")]


class Skip(models.Model):
    """A person who will not be given an item (again), and why."""

    id = models.BigAutoField(primary_key=True)
    item = models.ForeignKey(QueueItem, on_delete=models.CASCADE, related_name="skips")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "user"], name="skip_unique")]


class Cursor(models.Model):
    """How far a person has come in the queue: the search for the next item begins there."""

    id = models.BigAutoField(primary_key=True)
    schema = models.ForeignKey(LabelSchema, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    rank = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["schema", "user"], name="cursor_unique")]


class Draft(models.Model):
    """What a person has of an item so far. `number` grows with every save, so that a late one does not undo a newer one."""

    id = models.BigAutoField(primary_key=True)
    item = models.ForeignKey(QueueItem, on_delete=models.CASCADE, related_name="drafts")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    result = models.JSONField(default=list)
    number = models.BigIntegerField(default=1)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "user"], name="draft_unique")]


class SharedDraft(models.Model):
    """The one draft of an item that everybody who opened it edits: a Yjs document (`document.py`). `people` have changed something."""

    item = models.OneToOneField(QueueItem, primary_key=True, on_delete=models.CASCADE, related_name="shared_draft")
    people = models.ManyToManyField(User, related_name="+")


class SharedUpdate(models.Model):
    """The append-only log of a shared draft; compaction replaces a prefix by one merged update."""

    id = models.BigAutoField(primary_key=True)
    draft = models.ForeignKey(SharedDraft, on_delete=models.CASCADE, related_name="updates")
    update = models.BinaryField()
    at = models.DateTimeField(default=timezone.now)


class Annotation(models.Model):
    """What one person said of one item, or several together: then `author` submitted it, and `coauthors` are the others. `status` is one of
    `submitted accepted rejected`; `to_review` those that a reviewer shall see. `version` grows with every change, `seconds` is the time
    spent on it in all. One that no person said has no author; `how` names the way (fused by `majority` or `skill`, or a `model`'s
    suggestion), `support` is as in `workers.sdk.labels.consensus`, or the suggestion's score. `honeypot`: given beyond the places of its
    item."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    item = models.ForeignKey(QueueItem, on_delete=models.CASCADE, related_name="annotations")
    schema = models.ForeignKey(LabelSchema, on_delete=models.CASCADE, related_name="+")
    schema_version = models.ForeignKey(LabelSchemaVersion, on_delete=models.PROTECT, related_name="+")
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    author_name = models.CharField(max_length=200, blank=True, db_default="")
    """Of a person who has no account here: what another tool calls them."""
    coauthors = models.ManyToManyField(User, related_name="+")
    result = models.JSONField()
    seconds = models.FloatField(default=0)
    status = models.CharField(max_length=10, default="submitted")
    to_review = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)
    held_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    held_until = models.DateTimeField(null=True)
    how = models.CharField(max_length=10, default="", db_default="")
    support = models.FloatField(null=True)
    honeypot = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "author"], name="annotation_unique"),
            models.UniqueConstraint(fields=["item"], condition=~Q(how=""), name="annotation_fused_once"),
        ]
        indexes = [
            models.Index(
                fields=["schema", "created_at", "id"], condition=Q(to_review=True, status="submitted"), name="annotation_to_review"
            ),
            models.Index(fields=["author", "schema"], condition=Q(status="rejected"), name="annotation_rejected"),
            models.Index(fields=["schema", "-created_at"], name="annotation_newest"),
        ]


class Suggestion(models.Model):
    """A model's pre-label of an item: shown beside what a person says, never counted as it. `result` fits the schema as an annotation's
    does, without what is required."""

    id = models.BigAutoField(primary_key=True)
    item = models.ForeignKey(QueueItem, on_delete=models.CASCADE, related_name="suggestions")
    model_version = models.CharField(max_length=256, blank=True)
    score = models.FloatField(null=True)
    result = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["item", "-id"], name="suggestion_item")]


class Review(models.Model):
    """A reviewer's word on an annotation: `accepted`, `fixed` (accepted with changes; `before` is what was submitted) or `rejected`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    annotation = models.ForeignKey(Annotation, on_delete=models.CASCADE, related_name="reviews")
    reviewer = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    verdict = models.CharField(max_length=12)
    comment = models.TextField(blank=True)
    before = models.JSONField(null=True)
    version = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=timezone.now)


class Honeypot(models.Model):
    """An item whose answer is known, mixed into what people are given. `source` is one of `truth` (a person decided it) and `given`."""

    id = models.BigAutoField(primary_key=True)
    item = models.OneToOneField(QueueItem, on_delete=models.CASCADE, related_name="honeypot")
    schema = models.ForeignKey(LabelSchema, on_delete=models.CASCADE, related_name="honeypots")
    answer = models.JSONField()
    source = models.CharField(max_length=10)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)


class HoneypotScore(models.Model):
    """How far somebody's first answer to a honeypot agrees with the known one (0 to 1)."""

    id = models.BigAutoField(primary_key=True)
    honeypot = models.ForeignKey(Honeypot, on_delete=models.CASCADE, related_name="scores")
    schema = models.ForeignKey(LabelSchema, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    score = models.FloatField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["honeypot", "user"], name="honeypot_score_unique")]
        indexes = [models.Index(fields=["schema", "user", "-created_at"], name="honeypot_score_newest")]


class Pause(models.Model):
    """A person who is given nothing of a schema until somebody lifts it; what was scored before `lifted_at` counts no longer."""

    id = models.BigAutoField(primary_key=True)
    schema = models.ForeignKey(LabelSchema, on_delete=models.CASCADE, related_name="pauses")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=300)
    created_at = models.DateTimeField(default=timezone.now)
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["schema", "user"], condition=Q(lifted_at=None), name="pause_once")]


class Measurement(models.Model):
    """The figures of a schema's quality, as they were at `measured_at` with so many `annotations`; `status` is one of `queued running ready
    failed`. `priors` says how common each label of a single choice is: {control: {labels, shares}}. `settle`: decide every item anew."""

    schema = models.OneToOneField(LabelSchema, primary_key=True, on_delete=models.CASCADE, related_name="measurement")
    status = models.CharField(max_length=10, default="queued")
    message = models.CharField(max_length=500, blank=True)
    settle = models.BooleanField(default=False)
    figures = models.JSONField(default=dict)
    priors = models.JSONField(default=dict)
    annotations = models.BigIntegerField(default=0)
    measured_at = models.DateTimeField(null=True)
    announced_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)


class Skill(models.Model):
    """How well somebody answers one control, as last measured. `weight` is above 0; `confusion` of single choices: {labels, rows}."""

    id = models.BigAutoField(primary_key=True)
    schema = models.ForeignKey(LabelSchema, on_delete=models.CASCADE, related_name="skills")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    control = models.CharField(max_length=200)
    weight = models.FloatField()
    confusion = models.JSONField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["schema", "user", "control"], name="skill_unique")]


class Disagreement(models.Model):
    """Two people who said different things of an item, as last measured: a label each, or nothing, and their agreement on the control."""

    id = models.BigAutoField(primary_key=True)
    schema = models.ForeignKey(LabelSchema, on_delete=models.CASCADE, related_name="+")
    item = models.ForeignKey(QueueItem, on_delete=models.CASCADE, related_name="+")
    control = models.CharField(max_length=200)
    one = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    other = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    said_one = models.TextField()
    said_other = models.TextField()
    score = models.FloatField()

    class Meta:
        indexes = [models.Index(fields=["schema", "control", "id"], name="disagreement_control")]


class Comment(models.Model):
    """A remark on an item, with the people it names; `asks` a reviewer to look."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    item = models.ForeignKey(QueueItem, on_delete=models.CASCADE, related_name="comments")
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    text = models.TextField()
    asks = models.BooleanField(default=False)
    mentions = models.ManyToManyField(User, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["item", "created_at"], name="comment_item")]


class LabelledVersion(models.Model):
    """A data set version that was made from a schema's ground truth: whose labels, under which wording, decided how."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    schema = models.ForeignKey(LabelSchema, on_delete=models.CASCADE, related_name="labelled_versions")
    schema_version = models.ForeignKey(LabelSchemaVersion, on_delete=models.PROTECT, related_name="+")
    version = models.OneToOneField(DatasetVersion, null=True, on_delete=models.SET_NULL, related_name="+")
    status = models.CharField(max_length=10, default="queued")
    message = models.CharField(max_length=500, blank=True)
    note = models.TextField(blank=True)
    items = models.BigIntegerField(default=0)
    announced_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["announced_at"], condition=Q(status__in=["queued", "running"]), name="labelled_version_waiting")]


class LabelImport(models.Model):
    """A file with labels on its way into a schema, as annotations of whoever imports it. `status` is one of `receiving queued running
    checked applied failed cancelled`; queued and running to be checked (`applies` false) or applied. `report` says what it holds."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    schema = models.ForeignKey(LabelSchema, on_delete=models.CASCADE, related_name="imports")
    format = models.CharField(max_length=20)
    filename = models.CharField(max_length=255)
    size = models.BigIntegerField()
    received = models.BigIntegerField(default=0)
    status = models.CharField(max_length=10, default="receiving")
    applies = models.BooleanField(default=False)
    message = models.CharField(max_length=500, blank=True)
    problems = models.JSONField(default=list)
    report = models.JSONField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    announced_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["announced_at"], condition=Q(status__in=["queued", "running"]), name="label_import_waiting")]
