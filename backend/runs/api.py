"""HTTP of `runs`: routes, schemas, permission; nothing else."""

from typing import Annotated, Any
from uuid import UUID

from ninja import Query, Router, Status

from backend.core.http import ApiRequest, allow
from backend.core.idempotency import idempotent
from backend.core.renderer import as_json
from backend.core.schemas import Limit, Page
from backend.runs import actions, queries, secrets
from backend.runs import forecast as forecasts
from backend.runs import why as waiting
from backend.runs.live import EventsOut
from backend.runs.schemas import (
    ApprovalOut,
    AttemptOut,
    DecideIn,
    DemoOut,
    ForecastOut,
    LimitsIn,
    LimitsOut,
    LogsOut,
    MetricsOut,
    PriorityIn,
    RerunIn,
    RunComparison,
    RunIn,
    RunOut,
    RunSummary,
    SecretIn,
    SecretName,
    SecretOut,
    SecretValueOut,
    ShardOut,
    StepRunOut,
    WaitOut,
)
from backend.runs.schemas import Status as RunStatus
from backend.runs.whole import whole

router = Router(tags=["runs"])
After = Annotated[int, Query(ge=0, le=2**63 - 1)]
Number = Annotated[int, Query(ge=1, le=2**31 - 1)]
Lines = Annotated[int, Query(ge=1, le=queries.MOST_LINES)]
Shard = Annotated[int, Query(ge=-1, le=2**31 - 1)]
Shards = Annotated[int, Query(ge=1, le=10_000)]
Points = Annotated[int, Query(ge=10, le=100_000)]


@router.get("/projects/{project}/runs", response=Page[RunSummary])
@allow("run.read")
def list_runs(
    request: ApiRequest,
    project: str,
    status: RunStatus | None = None,
    pipeline: str | None = None,
    dry_run: bool | None = None,
    search: str | None = None,
    sort: str = "-created",
    cursor: str | None = None,
    limit: Limit = 50,
) -> Any:
    """Runs; sort by created, duration, number or metric:NAME, `-` for descending."""
    return queries.list_runs(
        request.project, status=status, pipeline=pipeline, dry_run=dry_run, search=search, sort=sort, cursor=cursor, limit=limit
    )


@router.post("/projects/{project}/runs", response={201: RunOut})
@allow("run.start")
@idempotent()
def start_run(request: ApiRequest, project: str, payload: RunIn) -> Any:
    """Start a run."""
    wish = actions.Wish(**payload.model_dump(exclude={"pipeline", "version"}))
    return as_json(whole(request.project, actions.begin_run(request.project, request.user, payload.pipeline, payload.version, wish)), 201)


@router.get("/projects/{project}/runs/compare", response=RunComparison)
@allow("run.read")
def compare_runs(request: ApiRequest, project: str, ids: str) -> Any:
    """Two or more runs side by side; ids separated by commas."""
    return queries.compare(request.project, ids)


@router.get("/projects/{project}/runs/{uuid:run_id}", response=RunOut)
@allow("run.read")
def get_run(request: ApiRequest, project: str, run_id: UUID) -> Any:
    """One run with its step runs."""
    return as_json(whole(request.project, run_id))


@router.post("/projects/{project}/runs/{uuid:run_id}/cancel", response={202: RunOut})
@allow("run.cancel")
def cancel_run(request: ApiRequest, project: str, run_id: UUID) -> Any:
    """Cancel."""
    return Status(202, queries.details([actions.cancel_run(queries.find(request.project, run_id), request.user)])[0])


@router.put("/projects/{project}/runs/{uuid:run_id}/priority", response=RunOut)
@allow("run.priority")
def set_priority(request: ApiRequest, project: str, run_id: UUID, payload: PriorityIn) -> Any:
    """Let a run that is under way go before others, or after them."""
    return queries.details([actions.set_priority(queries.find(request.project, run_id), request.user, payload.priority)])[0]


@router.get("/projects/{project}/runs/{uuid:run_id}/waits", response=list[WaitOut])
@allow("run.read")
def run_waits(request: ApiRequest, project: str, run_id: UUID, step: str | None = None) -> Any:
    """Why steps of the run wait, each in a sentence; of one step by its path, or of all but shards."""
    return waiting.why(queries.find(request.project, run_id), step)


@router.get("/projects/{project}/runs/{uuid:run_id}/forecast", response=ForecastOut)
@allow("run.read")
def run_forecast(request: ApiRequest, project: str, run_id: UUID) -> Any:
    """What the run's pipeline would take on all of its data, from past runs and (of a dry run) from this one."""
    return forecasts.of_run(queries.find(request.project, run_id))


@router.get("/projects/{project}/pipelines/{pipeline}/forecast", response=ForecastOut)
@allow("run.read")
def pipeline_forecast(request: ApiRequest, project: str, pipeline: str, version: Number | None = None) -> Any:
    """What a run of the draft (or of a version) would take, from past runs."""
    return forecasts.of_pipeline(request.project, pipeline, version)


@router.post("/projects/{project}/runs/{uuid:run_id}/rerun", response={201: RunOut})
@allow("run.start")
@idempotent()
def rerun(request: ApiRequest, project: str, run_id: UUID, payload: RerunIn) -> Any:
    """The same graph again, or another version of its pipeline, with changed parameters; `reuse` continues the run."""
    run = queries.find(request.project, run_id)
    version = queries.version_of(run, payload.version) if payload.version is not None else None
    run = actions.rerun(run, request.user, actions.Wish(**payload.model_dump(exclude={"version"})), version)
    return as_json(whole(request.project, run.pk), 201)


@router.get("/projects/{project}/runs/{uuid:run_id}/events", response=EventsOut)
@allow("run.read")
def run_events(request: ApiRequest, project: str, run_id: UUID, after: After = 0) -> Any:
    """What a client missed."""
    return queries.events(queries.find(request.project, run_id), after)


@router.get("/projects/{project}/runs/{uuid:run_id}/logs", response=LogsOut)
@allow("run.read")
def run_logs(
    request: ApiRequest,
    project: str,
    run_id: UUID,
    step: str | None = None,
    attempt: Number | None = None,
    after: After = 0,
    limit: Lines = 1000,
    search: str | None = None,
) -> Any:
    """Log lines after a number."""
    return queries.logs(queries.find(request.project, run_id), step=step, attempt=attempt, after=after, limit=limit, search=search)


@router.get("/projects/{project}/runs/{uuid:run_id}/metrics", response=MetricsOut)
@allow("run.read")
def run_metrics(
    request: ApiRequest,
    project: str,
    run_id: UUID,
    after: After = 0,
    step: str | None = None,
    max_points: Points = 1000,
) -> Any:
    """Metric points."""
    return queries.metrics(queries.find(request.project, run_id), after=after, step=step, max_points=max_points)


@router.get("/projects/{project}/runs/{uuid:run_id}/steps/{step}/attempts", response=list[AttemptOut])
@allow("run.read")
def step_attempts(request: ApiRequest, project: str, run_id: UUID, step: str) -> Any:
    """Attempts of a step."""
    return queries.attempts(queries.find(request.project, run_id), step)


@router.get("/projects/{project}/runs/{uuid:run_id}/steps/{step}", response=StepRunOut)
@allow("run.read")
def get_step(request: ApiRequest, project: str, run_id: UUID, step: str) -> Any:
    """One step of a run by its path: `train`, `train[7]` (shard or round 7), `prepare.clean` (inside a pipeline)."""
    return queries.shard(queries.find(request.project, run_id), step)


@router.get("/projects/{project}/runs/{uuid:run_id}/steps/{step}/shards", response=list[ShardOut])
@allow("run.read")
def list_shards(request: ApiRequest, project: str, run_id: UUID, step: str, after: Shard = -1, limit: Shards = 10_000) -> Any:
    """Shards of a mapped step, or rounds of a repeated one, in order."""
    return queries.shards(queries.find(request.project, run_id), step, after, limit)


@router.post("/projects/{project}/runs/{uuid:run_id}/steps/{step}/decision", response=StepRunOut)
@allow("run.decide")
def decide(request: ApiRequest, project: str, run_id: UUID, step: str, payload: DecideIn) -> Any:
    """Answer a step that waits for a person."""
    run = queries.find(request.project, run_id)
    actions.decide(queries.waiting_step(run, step), request.user, request.role, payload.answer, payload.values, payload.comment)
    return queries.shard(run, step)


@router.get("/projects/{project}/approvals", response=list[ApprovalOut])
@allow("run.read")
def list_approvals(request: ApiRequest, project: str) -> Any:
    """The inbox: what waits for the person who asks."""
    return queries.approvals(request.project, request.user.email, request.role, actions.may_decide)


# Before the route below: Django takes the first address that fits, and a UUID fits `{slug}` too.
@router.get("/projects/{project}/demos/{uuid:demo_id}", response=DemoOut)
@allow("run.read")
def get_demo(request: ApiRequest, project: str, demo_id: UUID) -> Any:
    """Where a demo stands."""
    found = queries.find_demo(request.project, demo_id)
    actions.wake_demo(found)
    return queries.demo(found)


@router.post("/projects/{project}/demos/{slug}", response={202: DemoOut})
@allow("demo.start")
def start_demo(request: ApiRequest, project: str, slug: str) -> Any:
    """Bring a demo's real data, make its pipeline from the template and run it."""
    return Status(202, queries.demo(actions.start_demo(request.project, request.user, slug)))


@router.get("/projects/{project}/limits", response=LimitsOut)
@allow("project.read")
def get_limits(request: ApiRequest, project: str) -> Any:
    """How many steps and runs of the project may run at a time, and how many do."""
    return queries.limits(request.project)


@router.put("/projects/{project}/limits", response=LimitsOut)
@allow("project.update")
def set_limits(request: ApiRequest, project: str, payload: LimitsIn) -> Any:
    """Bound what the project takes of the studio; null lifts a limit."""
    actions.set_limits(request.project, request.user, payload.steps_at_once, payload.runs_at_once)
    return queries.limits(request.project)


@router.get("/projects/{project}/secrets", response=list[SecretOut])
@allow("secret.read")
def list_secrets(request: ApiRequest, project: str) -> Any:
    """Names of the secrets that steps may refer to as `{"$secret": NAME}`."""
    return secrets.list_secrets(request.project)


@router.put("/projects/{project}/secrets/{name}", response=SecretOut)
@allow("secret.write")
def set_secret(request: ApiRequest, project: str, name: SecretName, payload: SecretIn) -> Any:
    """A new secret, or another value. It is never shown again."""
    actions.set_secret(request.project, request.user, name, payload.value)
    return secrets.find_secret(request.project, name)


@router.delete("/projects/{project}/secrets/{name}", response={204: None})
@allow("secret.write")
def delete_secret(request: ApiRequest, project: str, name: str) -> Any:
    """Gone at once and for good; steps that refer to it fail."""
    actions.delete_secret(request.project, request.user, name)
    return Status(204, None)


@router.get("/projects/{project}/secrets/{name}/value", response=SecretValueOut)
@allow("secret.use")
def use_secret(request: ApiRequest, project: str, name: str) -> Any:
    """The value, for the token of a running step one of whose parameters names it; for everybody else there is none."""
    return {"value": secrets.value_for(request.project, request.token.step_run if request.token is not None else None, name)}
