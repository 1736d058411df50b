"""HTTP of `deployments`: routes, schemas, permission; nothing else."""

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpResponseBase
from ninja import Query, Router, Status

from backend.artifacts.responses import bytes_of, small_response
from backend.artifacts.thumbnails import thumbnail
from backend.core.http import ApiRequest, allow
from backend.core.idempotency import idempotent
from backend.core.schemas import Limit, Moment, Page
from backend.deployments import actions, opening, passing, queries, suggesting
from backend.deployments.schemas import (
    AskOnOpeningNowOut,
    DeployIn,
    EndpointDetail,
    EndpointOut,
    LivePeriodOut,
    OpenedOut,
    PredictIn,
    PredictionsOut,
    PredictOut,
    PrelabelIn,
    PrelabellingNowOut,
    RollbackIn,
    TrafficOut,
)
from backend.labeling.queries.items import item_at
from backend.labeling.queries.schemas import find_schema

router = Router(tags=["deployments"])
Minutes = Annotated[int, Query(ge=1, le=1440)]


@router.get("/projects/{project}/endpoints", response=list[EndpointOut])
@allow("endpoint.read")
def list_endpoints(request: ApiRequest, project: str) -> Any:
    """Endpoints with their live numbers."""
    return queries.list_endpoints(request.project)


@router.post("/projects/{project}/endpoints", response={201: EndpointDetail})
@allow("endpoint.deploy")
@idempotent(atomic=False)
def deploy(request: ApiRequest, project: str, payload: DeployIn) -> Any:
    """Deploy a model version: one click."""
    step_run = request.token.step_run if request.token else None
    made = actions.deploy(request.project, request.user, payload.model, payload.endpoint, payload.name, step_run=step_run)
    return Status(201, queries.get_endpoint(request.project, made.slug))


@router.get("/projects/{project}/endpoints/{endpoint}", response=EndpointDetail)
@allow("endpoint.read")
def get_endpoint(request: ApiRequest, project: str, endpoint: str) -> Any:
    """One endpoint and its history."""
    return queries.get_endpoint(request.project, endpoint)


@router.delete("/projects/{project}/endpoints/{endpoint}", response={204: None})
@allow("endpoint.delete")
def delete_endpoint(request: ApiRequest, project: str, endpoint: str) -> Any:
    """Stop answering; the history stays."""
    actions.delete_endpoint(queries.find(request.project, endpoint, deleted=True), request.user)
    return Status(204, None)


@router.post("/projects/{project}/endpoints/{endpoint}/restore", response=EndpointDetail)
@allow("endpoint.delete")
def restore_endpoint(request: ApiRequest, project: str, endpoint: str) -> Any:
    """Undo a delete."""
    actions.restore_endpoint(queries.find(request.project, endpoint, deleted=True), request.user)
    return queries.get_endpoint(request.project, endpoint)


@router.post("/projects/{project}/endpoints/{endpoint}/rollback", response=EndpointDetail)
@allow("endpoint.deploy")
def rollback(request: ApiRequest, project: str, endpoint: str, payload: RollbackIn) -> Any:
    """Give the traffic back to an earlier deployment."""
    actions.rollback(queries.find(request.project, endpoint), request.user, payload.deployment)
    return queries.get_endpoint(request.project, endpoint)


@router.post("/projects/{project}/endpoints/{endpoint}/predict", response=PredictOut)
@allow("endpoint.predict")
def predict(request: ApiRequest, project: str, endpoint: str, payload: PredictIn) -> Any:
    """From the page: passed on to the predictor."""
    return passing.predict(queries.find(request.project, endpoint), request.user, request.body, getattr(request, "id", ""))


@router.get("/projects/{project}/endpoints/{endpoint}/live-history", response=Page[LivePeriodOut])
@allow("endpoint.read")
def live_history(
    request: ApiRequest, project: str, endpoint: str, at: Moment | None = None, cursor: str | None = None, limit: Limit = 50
) -> Any:
    """What answered from when to when, newest first; with `at` only what answered at that moment."""
    return queries.live_history(queries.find(request.project, endpoint, deleted=True), at, cursor, limit)


@router.get("/projects/{project}/endpoints/{endpoint}/predictions", response=PredictionsOut)
@allow("endpoint.read")
def list_predictions(request: ApiRequest, project: str, endpoint: str, cursor: str | None = None, limit: Limit = 50) -> Any:
    """Recent predictions, newest first."""
    return queries.list_predictions(queries.find(request.project, endpoint, deleted=True), cursor, limit)


@router.get(
    "/projects/{project}/endpoints/{endpoint}/predictions/{uuid:prediction_id}/images/{int:index}",
    summary="A thumbnail of an image that was asked about",
    openapi_extra=bytes_of("image/webp"),
)
@allow("endpoint.read")
def prediction_image(request: ApiRequest, project: str, endpoint: str, prediction_id: UUID, index: int) -> HttpResponseBase:
    """A thumbnail of the image that was asked about, by its place in the request."""
    digest = queries.prediction_image(queries.find(request.project, endpoint, deleted=True), prediction_id, index)
    return small_response(request, thumbnail(digest), filename=f"{prediction_id}.webp", media_type="image/webp", digest=f"{digest}.t")


@router.get("/projects/{project}/endpoints/{endpoint}/traffic", response=TrafficOut)
@allow("endpoint.read")
def get_traffic(request: ApiRequest, project: str, endpoint: str, minutes: Minutes = 15) -> Any:
    """Requests, errors and latency over time."""
    return queries.get_traffic(queries.find(request.project, endpoint, deleted=True), minutes)


SUGGESTIONS = "/projects/{project}/label-schemas/{label_schema}/suggestions"


@router.get(SUGGESTIONS, response=PrelabellingNowOut)
@allow("label.read")
def get_prelabelling(request: ApiRequest, project: str, label_schema: str) -> Any:
    """How far an endpoint's suggestions for the open items have come."""
    suggesting.announce_waiting()
    return {"prelabelling": suggesting.out(find_schema(request.project, label_schema))}


@router.post(SUGGESTIONS, response={202: PrelabellingNowOut})
@allow("label.manage")
def start_prelabelling(request: ApiRequest, project: str, label_schema: str, payload: PrelabelIn) -> Any:
    """Have a deployed or a registered model suggest labels for all open items."""
    schema = find_schema(request.project, label_schema)
    suggesting.start(request, request.project, schema, request.user, payload.endpoint, payload.model)
    return Status(202, {"prelabelling": suggesting.out(schema)})


@router.delete(SUGGESTIONS, response={204: None})
@allow("label.manage")
def cancel_prelabelling(request: ApiRequest, project: str, label_schema: str) -> Any:
    """Stop asking; what is suggested stays."""
    suggesting.cancel(request, find_schema(request.project, label_schema))
    return Status(204, None)


@router.get(SUGGESTIONS + "/on-opening", response=AskOnOpeningNowOut)
@allow("label.read")
def get_ask_on_opening(request: ApiRequest, project: str, label_schema: str) -> Any:
    """Which model is asked when somebody opens an item, and what would answer now."""
    return {"on_opening": opening.out(find_schema(request.project, label_schema))}


@router.put(SUGGESTIONS + "/on-opening", response=AskOnOpeningNowOut)
@allow("label.manage")
def set_ask_on_opening(request: ApiRequest, project: str, label_schema: str, payload: PrelabelIn) -> Any:
    """Have a deployed or a registered model asked about each item that somebody opens. An endpoint, an alias (`name@champion`) or a
    name alone is looked up each time: its newest version answers."""
    schema = find_schema(request.project, label_schema)
    opening.set_on_opening(request, request.project, schema, request.user, payload.endpoint, payload.model)
    return {"on_opening": opening.out(schema)}


@router.delete(SUGGESTIONS + "/on-opening", response={204: None})
@allow("label.manage")
def stop_ask_on_opening(request: ApiRequest, project: str, label_schema: str) -> Any:
    """Ask no model any more; what is suggested stays."""
    opening.stop(request, find_schema(request.project, label_schema))
    return Status(204, None)


@router.post("/projects/{project}/label-schemas/{label_schema}/items/{int:item}/suggestions", response=OpenedOut)
@allow("label.annotate")
def ask_about_item(request: ApiRequest, project: str, label_schema: str, item: int) -> Any:
    """What is suggested for an item that the caller opens: the model that is set is asked where the version that would answer now has not
    yet been. It is waited for; a page asks beside showing the item. Only who may label the item now may ask."""
    return {"suggestions": opening.suggest(item_at(request.project, label_schema, item), request.user)}
