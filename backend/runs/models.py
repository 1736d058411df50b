"""The run ledger's tables. Rows of Run and StepRun are changed by the SQL functions in `sql/` alone.

Inside the ledger foreign keys are without a database constraint where the function that writes the row holds the lock of what
it points to: the check would find what is known, once per row. What leaves the ledger (an artifact) is constrained. For the same
reason most of its counts are plain integers: a dozen checks for being positive, made ready anew for every write, took a twentieth of a
step.
"""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from backend.artifacts.models import Artifact
from backend.core.ids import new_id
from backend.core.models import Project, User
from backend.datasets.models import Dataset
from backend.pipelines.models import Pipeline, PipelineVersion
from backend.runs.hosts.models import DeviceLease, Host, JoinToken
from backend.runs.triggers.models import PRIORITIES, Trigger, TriggerEvent

__all__ = [
    "PRIORITIES", "Attempt", "Demo", "DeviceLease", "Host", "JoinToken", "LogLine", "MetricPoint", "ProjectLimits", "ProjectSecret", "Run",
    "RunEvent", "StepInput", "StepOutput", "StepRun", "Trigger", "TriggerEvent",
]  # fmt: skip


class Run(models.Model):
    """`graph` is the snapshot that runs: overrides applied, data set versions pinned (`slug@3#digest`), the pipelines that are
    steps of it under `pipelines`, where its own parameters were put in under `bound`. `parameters` are the overrides by step, `values`
    the pipeline's own parameters.

    `dynamic` is set where steps may make others, leave outputs out or wait: only then does the ledger look for these.
    `undoing`: it failed or was cancelled, and compensations run now. `limited`: its project has limits, so places are counted. `sample`: it
    is a dry run, on these rows (`workers.sdk.sample`)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="runs")
    number = models.IntegerField()
    name = models.CharField(max_length=120, blank=True)
    pipeline_version = models.ForeignKey(PipelineVersion, on_delete=models.PROTECT, related_name="runs")
    graph = models.JSONField()
    parameters = models.JSONField(default=dict)
    values = models.JSONField(default=dict, db_default={})
    status = models.CharField(max_length=10, default="queued")
    steps_total = models.IntegerField(default=0)
    steps_done = models.IntegerField(default=0)
    cancel_requested = models.BooleanField(default=False)
    use_cache = models.BooleanField(default=True)
    dynamic = models.BooleanField(default=False, db_default=False)
    undoing = models.BooleanField(default=False, db_default=False)
    priority = models.SmallIntegerField(default=1, db_default=1)
    limited = models.BooleanField(default=False, db_default=False)
    sample = models.JSONField(null=True)
    error = models.JSONField(null=True)
    metrics = models.JSONField(default=dict)
    rerun_of = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="reruns")
    started_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="run_number_unique")]
        indexes = [
            models.Index(fields=["project", "-created_at"], name="run_list"),
            models.Index(fields=["priority", "project"], condition=models.Q(status__in=["queued", "running", "waiting"]), name="run_alive"),
        ]


class StepRun(models.Model):
    """One step of one run. `attempt` fences every write: a claim raises it, older attempts can change nothing.

    `blocked_by` counts the steps it still waits for: a queued step with 0 is ready from `ready_at` on. `failures` counts
    attempts that failed by themselves (bounded by `max_attempts`), `losses` those whose worker vanished.
    `cache_key` is known before anything runs (component, parameters, keys of the inputs), `content_key` once the
    inputs are there (component, parameters, digests of the inputs).

    `step` is the path in the run: the step's key, and below a step that made others `parent.key` (of a pipeline), `parent[7]`
    (shard 7 of a mapped step, or round 7 of a repeated one) or `step~undo` (its compensation, `undoes`). A step that has handed
    its work to others keeps `state` and holds no worker until `children_open` is 0; a shard or round takes its parent's inputs, but for
    what is `given`. `held`: a shard that waits for its turn. `flow`: how it is run (`workers.sdk.graph.flow`), `needs`: what a host must
    have to be given it (`workers.sdk.graph.needs`); null where any will do. `ahead`: its worker may go on from it by `Note`s."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="step_runs", db_index=False, db_constraint=False)
    parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="children", db_index=False, db_constraint=False)
    undoes = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    shard = models.IntegerField(null=True)
    step = models.CharField(max_length=300)
    position = models.IntegerField(default=0)
    component = models.CharField(max_length=80)
    component_version = models.CharField(max_length=64)
    queue = models.CharField(max_length=10)
    parameters = models.JSONField(default=dict)
    status = models.CharField(max_length=10, default="queued")
    skip_reason = models.CharField(max_length=120, blank=True)
    blocked_by = models.PositiveIntegerField(default=0)
    attempt = models.IntegerField(default=0)
    failures = models.IntegerField(default=0)
    losses = models.IntegerField(default=0)
    max_attempts = models.IntegerField(default=1)
    timeout_s = models.IntegerField(null=True)
    flow = models.JSONField(null=True)
    needs = models.JSONField(null=True)
    given = models.JSONField(null=True)
    state = models.JSONField(null=True)
    held = models.BooleanField(default=False, db_default=False)
    children_open = models.PositiveIntegerField(default=0, db_default=0)
    children_total = models.IntegerField(default=0, db_default=0)
    children_failed = models.IntegerField(default=0, db_default=0)
    wait_until = models.DateTimeField(null=True)
    fresh = models.BooleanField(default=False, db_default=False)
    cacheable = models.BooleanField(default=True)
    cache_key = models.CharField(max_length=64, blank=True)
    content_key = models.CharField(max_length=64, blank=True)
    progress = models.FloatField(default=0)
    message = models.CharField(max_length=500, blank=True)
    batch = models.IntegerField(default=0)
    error = models.JSONField(null=True)
    worker = models.CharField(max_length=200, blank=True)
    ahead = models.BooleanField(default=False, db_default=False)
    announced_at = models.DateTimeField(null=True)
    ready_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "step"], name="step_run_unique")]
        # No index holds a column that a heartbeat writes, so a heartbeat stays a heap-only update. The two by key hold
        # only rows that have it: where either would do, the planner, on a young table, takes one for the other and reads all of it.
        indexes = [
            models.Index(fields=["run", "queue", "ready_at"], condition=models.Q(status="queued", blocked_by=0), name="step_run_ready"),
            models.Index(fields=["run"], condition=models.Q(status="running"), name="step_run_running"),
            models.Index(fields=["run"], condition=models.Q(ahead=True), name="step_run_ahead"),
            models.Index(fields=["parent", "shard"], condition=models.Q(parent__isnull=False), name="step_run_children"),
            models.Index(fields=["project", "wait_until"], condition=models.Q(status="waiting"), name="step_run_waiting"),
            models.Index(
                fields=["cache_key", "project"],
                condition=models.Q(status="succeeded", cacheable=True, cache_key__gt=""),
                name="step_run_cache",
            ),
            models.Index(
                fields=["content_key", "project"],
                condition=models.Q(status="succeeded", cacheable=True, content_key__gt=""),
                name="step_run_content",
            ),
        ]


class StepInput(models.Model):
    """One wire of one run: `output` of the step run `source` feeds `port` of `step_run`; `position` orders many wires.
    `need` says what becomes of `step_run` when nothing comes through (`workers.sdk.graph.plan.Need`); `after` is only an order."""

    id = models.BigAutoField(primary_key=True)
    step_run = models.ForeignKey(StepRun, on_delete=models.CASCADE, related_name="inputs", db_index=False, db_constraint=False)
    port = models.CharField(max_length=60)
    position = models.IntegerField(default=0)
    source = models.ForeignKey(StepRun, on_delete=models.CASCADE, related_name="dependants", db_constraint=False)
    output = models.CharField(max_length=60)
    need = models.CharField(max_length=5, default="all", db_default="all")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["step_run", "port", "position"], name="step_input_unique")]


class StepOutput(models.Model):
    """`metadata` is what this step said of the artifact: equal bytes may mean different things (which column is the
    label), so it is kept per output and not taken from whoever stored the bytes first."""

    step_run = models.ForeignKey(StepRun, on_delete=models.CASCADE, related_name="outputs", db_index=False, db_constraint=False)
    port = models.CharField(max_length=60)
    artifact = models.ForeignKey(Artifact, on_delete=models.PROTECT, related_name="+")
    metadata = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["step_run", "port"], name="step_output_unique")]


class Attempt(models.Model):
    """`peak_memory` is the most that its process held, in bytes; `rows` what came in (of a source: what it gave), where that can be
    counted."""

    step_run = models.ForeignKey(StepRun, on_delete=models.CASCADE, related_name="attempts", db_index=False, db_constraint=False)
    number = models.IntegerField()
    status = models.CharField(max_length=10, default="running")
    worker = models.CharField(max_length=200, blank=True)
    error = models.JSONField(null=True)
    peak_memory = models.BigIntegerField(null=True)
    rows = models.BigIntegerField(null=True)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["step_run", "number"], name="attempt_unique")]


class Note(models.Model):
    """What a worker says of quick steps that it runs one after another: `step_run` succeeded with `outputs`, and `next` began (null: what
    is next was the worker's already). Brought into the step runs, and deleted, within a moment (`backend/runs/sql/19_ahead.sql`); until
    then it is the truth of both steps."""

    pk = models.CompositePrimaryKey("run_id", "step_run_id", "attempt")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    step_run = models.ForeignKey(StepRun, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    attempt = models.IntegerField()
    worker = models.CharField(max_length=200)
    outputs = models.JSONField()
    used = models.JSONField(null=True)
    next = models.ForeignKey(StepRun, null=True, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    next_attempt = models.IntegerField(null=True)
    next_key = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField()


class ProjectLimits(models.Model):
    """How much of the studio a project may take at a time; a project without a row takes what there is. Written by `ledger_limit` alone:
    its runs must know that they are counted."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, primary_key=True, related_name="+")
    steps_at_once = models.PositiveIntegerField(null=True)
    runs_at_once = models.PositiveIntegerField(null=True)


class RunEvent(models.Model):
    """Numbered status changes of a run (`runs.schemas.LiveEvent` payloads): what a client that was away asks for.

    Numbers of one run are given under the run's row lock, so they appear in order and none is seen late."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="events", db_index=False, db_constraint=False)
    payload = models.JSONField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["run", "id"], name="run_event_run")]


class LogLine(models.Model):
    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    step_run = models.ForeignKey(StepRun, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    attempt = models.PositiveIntegerField()
    at = models.DateTimeField()
    stream = models.CharField(max_length=6)
    level = models.CharField(max_length=10, blank=True)
    text = models.TextField()

    class Meta:
        indexes = [
            models.Index(fields=["run", "id"], name="log_line_run"),
            models.Index(fields=["step_run", "attempt", "id"], name="log_line_step_run"),
        ]


class MetricPoint(models.Model):
    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    step_run = models.ForeignKey(StepRun, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    attempt = models.PositiveIntegerField()
    name = models.CharField(max_length=120)
    index = models.FloatField()
    value = models.FloatField(null=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["run", "id"], name="metric_point_run"),
            models.Index(fields=["step_run", "attempt", "id"], name="metric_point_step_run"),
        ]


class Demo(models.Model):
    """A demo on its way: its data are brought, its pipeline made, its run started. The platform worker moves it on."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    slug = models.SlugField(max_length=60)
    status = models.CharField(max_length=10, default="queued")
    progress = models.FloatField(default=0)
    message = models.CharField(max_length=500, blank=True)
    dataset = models.ForeignKey(Dataset, null=True, on_delete=models.SET_NULL, related_name="+")
    pipeline = models.ForeignKey(Pipeline, null=True, on_delete=models.SET_NULL, related_name="+")
    run = models.ForeignKey(Run, null=True, on_delete=models.SET_NULL, related_name="+")
    started_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    announced_at = models.DateTimeField(default=timezone.now)


class ProjectSecret(models.Model):
    """A value that steps name as `{"$secret": name}`: encrypted, read by nobody but the step that names it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="secrets")
    name = models.CharField(max_length=60)
    ciphertext = models.TextField()
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="project_secret_unique")]
