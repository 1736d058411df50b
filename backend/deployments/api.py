"""HTTP of `deployments`: routes, schemas, permission; nothing else."""

from typing import Any

from ninja import Router

from backend.core.http import ApiRequest, allow
from backend.deployments.schemas import (
    DeployIn,
    EndpointDetail,
    EndpointOut,
    PredictIn,
    PredictOut,
    PredictionsOut,
    RollbackIn,
    TrafficOut,
)

router = Router(tags=["deployments"])


@router.get("/projects/{project}/endpoints", response=list[EndpointOut])
@allow("endpoint.read")
def list_endpoints(request: ApiRequest, project: str) -> Any:
    """Endpoints with their live numbers."""
    raise NotImplementedError


@router.post("/projects/{project}/endpoints", response={201: EndpointDetail})
@allow("endpoint.deploy")
def deploy(request: ApiRequest, project: str, payload: DeployIn) -> Any:
    """Deploy a model version: one click."""
    raise NotImplementedError


@router.get("/projects/{project}/endpoints/{endpoint}", response=EndpointDetail)
@allow("endpoint.read")
def get_endpoint(request: ApiRequest, project: str, endpoint: str) -> Any:
    """One endpoint and its history."""
    raise NotImplementedError


@router.delete("/projects/{project}/endpoints/{endpoint}", response={204: None})
@allow("endpoint.delete")
def delete_endpoint(request: ApiRequest, project: str, endpoint: str) -> Any:
    """Stop answering; the history stays."""
    raise NotImplementedError


@router.post("/projects/{project}/endpoints/{endpoint}/restore", response=EndpointDetail)
@allow("endpoint.delete")
def restore_endpoint(request: ApiRequest, project: str, endpoint: str) -> Any:
    """Undo a delete."""
    raise NotImplementedError


@router.post("/projects/{project}/endpoints/{endpoint}/rollback", response=EndpointDetail)
@allow("endpoint.deploy")
def rollback(request: ApiRequest, project: str, endpoint: str, payload: RollbackIn) -> Any:
    """Give the traffic back to an earlier deployment."""
    raise NotImplementedError


@router.post("/projects/{project}/endpoints/{endpoint}/predict", response=PredictOut)
@allow("endpoint.predict")
def predict(request: ApiRequest, project: str, endpoint: str, payload: PredictIn) -> Any:
    """From the page: passed on to the predictor."""
    raise NotImplementedError


@router.get("/projects/{project}/endpoints/{endpoint}/predictions", response=PredictionsOut)
@allow("endpoint.read")
def list_predictions(request: ApiRequest, project: str, endpoint: str, cursor: str | None = None, limit: int = 50) -> Any:
    """Recent predictions, newest first."""
    raise NotImplementedError


@router.get("/projects/{project}/endpoints/{endpoint}/traffic", response=TrafficOut)
@allow("endpoint.read")
def get_traffic(request: ApiRequest, project: str, endpoint: str, minutes: int = 15) -> Any:
    """Requests, errors and latency over time."""
    raise NotImplementedError
