"""HTTP of `runs`: routes, schemas, permission; nothing else."""

from typing import Any
from uuid import UUID

from ninja import Router

from backend.core.http import ApiRequest, allow
from backend.core.schemas import Page
from backend.runs.schemas import (
    AttemptOut,
    EventsOut,
    LogsOut,
    MetricsOut,
    RerunIn,
    RunComparison,
    RunIn,
    RunOut,
    RunSummary,
    Status,
)

router = Router(tags=["runs"])


@router.get("/projects/{project}/runs", response=Page[RunSummary])
@allow("run.read")
def list_runs(request: ApiRequest, project: str, status: Status | None = None, pipeline: str | None = None, search: str | None = None, sort: str = "-created", cursor: str | None = None, limit: int = 50) -> Any:
    """Runs; sort by created, duration, number or metric:NAME, `-` for descending."""
    raise NotImplementedError


@router.post("/projects/{project}/runs", response={201: RunOut})
@allow("run.start")
def start_run(request: ApiRequest, project: str, payload: RunIn) -> Any:
    """Start a run."""
    raise NotImplementedError


@router.get("/projects/{project}/runs/compare", response=RunComparison)
@allow("run.read")
def compare_runs(request: ApiRequest, project: str, ids: str) -> Any:
    """Two or more runs side by side; ids separated by commas."""
    raise NotImplementedError


@router.get("/projects/{project}/runs/{uuid:run_id}", response=RunOut)
@allow("run.read")
def get_run(request: ApiRequest, project: str, run_id: UUID) -> Any:
    """One run with its step runs."""
    raise NotImplementedError


@router.post("/projects/{project}/runs/{uuid:run_id}/cancel", response={202: RunOut})
@allow("run.cancel")
def cancel_run(request: ApiRequest, project: str, run_id: UUID) -> Any:
    """Cancel."""
    raise NotImplementedError


@router.post("/projects/{project}/runs/{uuid:run_id}/rerun", response={201: RunOut})
@allow("run.start")
def rerun(request: ApiRequest, project: str, run_id: UUID, payload: RerunIn) -> Any:
    """The same graph again, with changed parameters."""
    raise NotImplementedError


@router.get("/projects/{project}/runs/{uuid:run_id}/events", response=EventsOut)
@allow("run.read")
def run_events(request: ApiRequest, project: str, run_id: UUID, after: int = 0) -> Any:
    """What a client missed."""
    raise NotImplementedError


@router.get("/projects/{project}/runs/{uuid:run_id}/logs", response=LogsOut)
@allow("run.read")
def run_logs(request: ApiRequest, project: str, run_id: UUID, step: str | None = None, attempt: int | None = None, after: int = 0, limit: int = 1000, search: str | None = None) -> Any:
    """Log lines after a number."""
    raise NotImplementedError


@router.get("/projects/{project}/runs/{uuid:run_id}/metrics", response=MetricsOut)
@allow("run.read")
def run_metrics(request: ApiRequest, project: str, run_id: UUID, after: int = 0, step: str | None = None, max_points: int = 1000) -> Any:
    """Metric points."""
    raise NotImplementedError


@router.get("/projects/{project}/runs/{uuid:run_id}/steps/{step}/attempts", response=list[AttemptOut])
@allow("run.read")
def step_attempts(request: ApiRequest, project: str, run_id: UUID, step: str) -> Any:
    """Attempts of a step."""
    raise NotImplementedError
