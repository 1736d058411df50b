"""The shapes of `runs` that cross HTTP and the socket."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Field, Path, Schema

from backend.artifacts.schemas import ArtifactOut
from backend.core.schemas import WHOLE, Number, Plain, UserOut
from backend.pipelines.schemas import Graph, StepKey
from backend.runs.triggers.schemas import Priority, StarterOut
from workers.sdk.sample import MOST_ROWS

Status = Literal["queued", "running", "succeeded", "failed", "cancelled", "skipped", "waiting"]


class Sample(Schema):
    """A dry run's part of the data: what a source gives is cut to so many rows (or pictures). `stratified`: each label has its share."""

    rows: Annotated[int, Field(ge=1, le=MOST_ROWS), WHOLE] = 500
    how: Literal["stratified", "random", "head"] = "stratified"
    seed: Annotated[int, Field(ge=0, le=2**31 - 1), WHOLE] = 0


class RunIn(Schema):
    """Start a run of a pipeline: its draft (`version` null: the draft is published first when it changed) or a version.
    `parameters` are overrides, `{step: {parameter: value}}`; `values` are the pipeline's own parameters. `until`: run only these steps and
    what they need; `fresh`: run these in any case, cached or not."""

    pipeline: str
    version: Number | None = None
    parameters: dict[str, dict[str, Any]] = {}
    values: dict[str, Any] = {}
    name: Annotated[str, Field(max_length=120)] = ""
    use_cache: Annotated[bool, Field(strict=True)] = True
    until: Annotated[list[StepKey], Field(max_length=2000)] = []
    fresh: Annotated[list[StepKey], Field(max_length=2000)] = []
    priority: Priority = "normal"
    sample: Sample | None = None
    """A dry run: on a part of the data, and without the steps that change the platform."""


class RerunIn(Schema):
    """`version`: of the same pipeline, edited since. `reuse`: continue, taking over whatever a change does not affect."""

    parameters: dict[str, dict[str, Any]] = {}
    values: dict[str, Any] = {}
    use_cache: Annotated[bool, Field(strict=True)] = True
    name: Annotated[str, Field(max_length=120)] = ""
    version: Number | None = None
    until: Annotated[list[StepKey], Field(max_length=2000)] = []
    fresh: Annotated[list[StepKey], Field(max_length=2000)] = []
    reuse: Annotated[bool, Field(strict=True)] = False
    priority: Priority | None = None
    """null: that of the run before."""
    sample: Sample | None = None
    """Of a dry run null means the same rows again; it never becomes a full one."""


class StepError(Schema):
    """`message` is for people, `traceback` for the log panel."""

    code: str
    message: str
    hint: str = ""
    traceback: str = ""


class RunSummary(Plain):
    id: UUID
    number: int
    name: str
    pipeline: str
    pipeline_name: str
    pipeline_version: int
    status: Status
    priority: Priority
    sample: Sample | None
    """Set: a dry run, on these rows."""
    steps_total: int
    steps_done: int
    progress: float
    started_by: UserOut | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: StepError | None
    metrics: dict[str, float]
    """Headline metrics of the run's evaluations."""


class OutputOut(Plain):
    port: str
    artifact: ArtifactOut


class ShardsOut(Schema):
    total: int
    open: int
    failed: int


class AskedOut(Schema):
    name: str
    type: Literal["number", "text", "yes or no"]
    value: str


class QuestionOut(Schema):
    question: str
    role: str
    people: list[str] = []
    fields: list[AskedOut] = []
    at_deadline: str = ""
    until: datetime | None = None
    metrics: dict[str, Any] | None = None


class DecisionOut(Schema):
    answer: Literal["approve", "reject"] | None = None
    name: str = ""
    comment: str = ""
    values: dict[str, Any] = {}
    at: datetime | None = None
    late: bool = False


class DecideIn(Schema):
    answer: Literal["approve", "reject"]
    values: dict[str, str | float | bool] = {}
    comment: Annotated[str, Field(max_length=2000)] = ""


class StepRunOut(Plain):
    id: UUID
    step: str
    name: str
    component: str
    title: str
    queue: str
    status: Status
    skip_reason: str
    """cached, branch not taken, upstream failed … ; empty unless skipped. A cached step has its outputs."""
    attempt: int
    max_attempts: int
    progress: float
    message: str
    parameters: dict[str, Any]
    outputs: list[OutputOut]
    parent: UUID | None
    """The step that made this one: of a shard, a round, or a step inside a pipeline."""
    undoes: UUID | None
    """Of a compensation: the step it undoes."""
    shard: int | None
    shards: ShardsOut | None
    """Of a step that made others: what became of them so far."""
    question: QuestionOut | None
    """Of a step that waits for a person: what is asked."""
    decision: DecisionOut | None
    ready_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    error: StepError | None


class AttemptOut(Schema):
    number: int
    status: Status
    worker: str
    started_at: datetime
    finished_at: datetime | None
    error: StepError | None
    peak_memory: int | None
    """Bytes; null where it was not measured."""
    rows: int | None


class ShardOut(Schema):
    """One square of a heat strip."""

    shard: int
    step: str
    status: Status
    skip_reason: str
    attempt: int
    seconds: float | None
    error: str


class ApprovalOut(Schema):
    """A step that waits for the person who asks."""

    run: UUID
    run_number: int
    pipeline: str
    pipeline_name: str
    step: str
    since: datetime | None
    question: QuestionOut


class RunHead(RunSummary):
    parameters: dict[str, dict[str, Any]]
    values: dict[str, Any]
    undoing: bool
    rerun_of: UUID | None
    trigger: StarterOut | None
    last_event: int
    """Number of the newest event this answer includes: follow from here."""


class RunOut(RunHead):
    graph: Graph
    step_runs: list[StepRunOut]


class LogLine(Schema):
    id: int
    step: str
    attempt: int
    at: datetime
    stream: Literal["stdout", "stderr", "log"]
    level: str
    text: str


class LogsOut(Schema):
    lines: list[LogLine]
    last: int


class MetricPoint(Schema):
    id: int
    step: str
    attempt: int
    name: str
    index: float
    value: float | None
    """null: not a number at that index."""
    at: datetime


class MetricsOut(Schema):
    """`names`: every series with points after that number; long ones are thinned to `max_points` (lowest and highest kept)."""

    points: list[MetricPoint]
    names: list[str]
    last: int


class RunComparison(Schema):
    runs: list[RunOut]
    parameters: list[dict[str, Any]]
    """Rows `{step, parameter, values: […one per run…], differs}`."""
    metrics: list[dict[str, Any]]


class PriorityIn(Schema):
    priority: Priority


class WaitOut(Schema):
    """Why a step waits, as the end of a sentence that begins with the step."""

    step_run: UUID
    step: str
    why: str


AtOnce = Annotated[int, Field(ge=1, le=10_000), WHOLE]


class LimitsIn(Schema):
    """How many steps and runs of the project may run at a time; null: as many as there is room for."""

    steps_at_once: AtOnce | None = None
    runs_at_once: AtOnce | None = None


class LimitsOut(Schema):
    """Beside the limits, how much of the studio the project takes now."""

    steps_at_once: int | None
    runs_at_once: int | None
    steps_running: int
    runs_running: int


class SpanOut(Schema):
    """A number that is not known exactly: the likely one, and between which it lies by what was seen."""

    low: float
    likely: float
    high: float


class StepForecastOut(Schema):
    """`rows`: how many would come in; `runs` past ones this is from, with `least` to `most` rows. `settings`: whether they had the same
    parameters. `time` (seconds) and `memory` (bytes) are null where no past run tells. `skipped`: does not run, for this reason."""

    step: str
    name: str
    skipped: str
    rows: int | None
    runs: int
    least: int | None
    most: int | None
    settings: Literal["same", "other"]
    time: SpanOut | None
    memory: SpanOut | None


class ForecastOut(Schema):
    """`time` adds up all steps with a forecast, one after the other; `memory` is the largest. `known` of `total` steps have one."""

    steps: list[StepForecastOut]
    known: int
    total: int
    time: SpanOut | None
    memory: SpanOut | None


class DemoOut(Schema):
    """Where a demo stands; `run` is set once it has been started."""

    id: UUID
    slug: str
    status: Literal["queued", "running", "succeeded", "failed"]
    progress: float
    message: str
    dataset: str | None
    pipeline: str | None
    run: UUID | None


SecretName = Annotated[str, Path(pattern=r"^[A-Z][A-Z0-9_]*$", max_length=60)]


class SecretIn(Schema):
    """At least 8 characters: what is shorter cannot be blacked out of a log without making it unreadable."""

    value: Annotated[str, Field(min_length=8, max_length=20_000)]


class SecretOut(Schema):
    """Never its value."""

    name: str
    created_by: UserOut | None
    created_at: datetime
    updated_at: datetime


class SecretValueOut(Schema):
    value: str
