"""The shapes of `deployments` that cross HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Field, Schema
from pydantic import model_validator

from backend.core.schemas import Name, Slug, UserOut
from backend.labeling.schemas import SuggestionOut

DeploymentStatus = Literal["starting", "live", "stopped", "failed"]


class DeployIn(Schema):
    """Put a model version behind an endpoint (made when missing, named after the model), taking all traffic.
    `model` is `name`, `name@3` or `name@champion`."""

    model: Annotated[str, Field(min_length=1, max_length=200)]
    endpoint: Slug | None = None
    name: Name | None = None


class DeploymentOut(Schema):
    id: UUID
    model: str
    model_version: int
    status: DeploymentStatus
    message: str
    weight: int
    """Share of the traffic now, in per cent."""
    created_by: UserOut | None
    created_at: datetime
    live_at: datetime | None
    """The last time it began to answer; all times are the endpoint's live history."""
    stopped_at: datetime | None


class LivePeriodOut(Schema):
    """A deployment that answered from `since` to `until` (null: it still does)."""

    deployment: UUID
    model: str
    model_version: int
    deployed_by: UserOut | None
    since: datetime
    until: datetime | None


class EndpointOut(Schema):
    id: UUID
    slug: str
    name: str
    url: str
    """Where programs send `POST` (plain JSON predict) with an API token."""
    oip_url: str
    status: DeploymentStatus
    current: DeploymentOut | None
    manifest: dict[str, Any]
    """Of the model version that answers now: the page's form comes from its input schema."""
    requests_per_minute: float
    """In the last minute."""
    latency_ms_p50: float | None
    """Of the newest requests of the last five minutes, as the error rate; null where there were none."""
    latency_ms_p95: float | None
    error_rate: float
    predictions: int
    """Requests in the last 24 hours; 10,000 means that or more."""
    created_at: datetime


class EndpointDetail(EndpointOut):
    deployments: list[DeploymentOut]
    """Newest first: the history that roll back chooses from."""


class RollbackIn(Schema):
    deployment: UUID | None = None
    """Which earlier deployment takes the traffic again; the one before the current where null."""


class PredictIn(Schema):
    """`instances`: rows as objects by column name; for images `{"image": "<base64 of the file>"}`."""

    instances: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=1000)]


class FoundBox(Schema):
    """A box in percent of the picture's width and height, from its upper left corner. `score` is how sure the model is, 0 to 1."""

    label: str
    score: float
    x: float
    y: float
    width: float
    height: float


class PredictedSpan(Schema):
    """`text` is what stands from `start` up to `end`, counted in characters (code points, as Python does)."""

    start: int
    end: int
    label: str
    score: float
    """The chance that exactly this is a span of that label."""
    text: str


class PredictionItem(Schema):
    """Classification: `label`, `probabilities` by label. Regression: `value`. Detection: `boxes` from the model's threshold on, `unsure`
    those below it, and `certainty`, how sure the model is of the whole picture, 0 to 1. Spans: `spans` in the order of the text, and
    `score`, the chance of the least sure of all that was decided; `unread` where the text is longer than what is read."""

    label: str | None = None
    probabilities: dict[str, float] | None = None
    value: float | None = None
    boxes: list[FoundBox] | None = None
    unsure: list[FoundBox] | None = None
    certainty: float | None = None
    spans: list[PredictedSpan] | None = None
    score: float | None = None
    unread: bool | None = None


class PredictOut(Schema):
    predictions: list[PredictionItem]
    model_version: str
    request_id: str


class PredictionRow(Schema):
    id: UUID
    at: datetime
    deployment: UUID | None
    model_version: str
    status: int
    latency_ms: float
    input: Any
    output: Any


class PredictionsOut(Schema):
    items: list[PredictionRow]
    next: str | None


class TrafficPoint(Schema):
    at: datetime
    requests: int
    errors: int
    latency_ms_p50: float | None
    latency_ms_p95: float | None


class TrafficOut(Schema):
    """One point per bucket (`bucket_s` seconds), oldest first."""

    bucket_s: int
    points: list[TrafficPoint]


class PrelabelIn(Schema):
    """One of the two: an endpoint, or a registered model as `name`, `name@3` or `name@champion`."""

    endpoint: Slug | None = None
    model: Annotated[str, Field(min_length=1, max_length=200)] | None = None

    @model_validator(mode="after")
    def _one(self) -> PrelabelIn:
        if (self.endpoint is None) == (self.model is None):
            raise ValueError("Name an endpoint or a model, and not both.")
        return self


class PrelabellingOut(Schema):
    """`done` items of `total` have been asked about; `refused` ones the model could not answer."""

    endpoint: str | None
    model: str | None
    by: str
    """What suggests, as people call it."""
    control: str
    status: Literal["queued", "running", "done", "failed", "cancelled"]
    message: str
    total: int
    done: int
    refused: int
    created_by: UserOut | None
    created_at: datetime


class PrelabellingNowOut(Schema):
    """`prelabelling` is null where nobody has asked for suggestions."""

    prelabelling: PrelabellingOut | None


class AskOnOpeningOut(Schema):
    """Who is asked when an item is opened: one of `endpoint` and `model` (as it was named)."""

    endpoint: str | None
    model: str | None
    by: str
    """What suggests, as people call it."""
    answers: str | None
    """The model version that would answer now; null where none would, and then `problem` says why."""
    problem: str
    set_by: UserOut | None
    set_at: datetime


class AskOnOpeningNowOut(Schema):
    """`on_opening` is null where no model is asked."""

    on_opening: AskOnOpeningOut | None


class OpenedOut(Schema):
    suggestions: list[SuggestionOut]
    """As in the item itself: the newest of each model's version, newest first; empty where there is none to be shown."""
