"""Live events of a project and of a run: a closed, typed union, in the OpenAPI document as what `GET …/events` answers."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from ninja import Field, Schema

from backend.runs.schemas import LogLine, MetricPoint, Status
from backend.runs.triggers.schemas import TriggerChanged


class RunChanged(Schema):
    type: Literal["run_changed"] = "run_changed"
    seq: int
    run: UUID
    status: Status
    steps_done: int
    progress: float


class StepRunChanged(Schema):
    type: Literal["step_run_changed"] = "step_run_changed"
    seq: int
    run: UUID
    step_run: UUID
    step: str
    status: Status
    attempt: int
    progress: float
    message: str


class MetricsLogged(Schema):
    type: Literal["metrics_logged"] = "metrics_logged"
    seq: int
    run: UUID
    points: list[MetricPoint]


class LinesLogged(Schema):
    type: Literal["lines_logged"] = "lines_logged"
    seq: int
    run: UUID
    lines: list[LogLine]


class UploadChanged(Schema):
    type: Literal["upload_changed"] = "upload_changed"
    seq: int
    upload: UUID
    status: str
    progress: float
    message: str


class DatasetChanged(Schema):
    type: Literal["dataset_changed"] = "dataset_changed"
    seq: int
    dataset: str


class LabelSchemaChanged(Schema):
    type: Literal["label_schema_changed"] = "label_schema_changed"
    seq: int
    label_schema: str


class PresenceChanged(Schema):
    """Somebody opened or left an item: ask for `…/presence` again. Of the topic `label_schema:<id>`; not numbered, and nobody keeps it."""

    type: Literal["presence_changed"] = "presence_changed"
    seq: int
    schema_id: UUID


class EndpointChanged(Schema):
    type: Literal["endpoint_changed"] = "endpoint_changed"
    seq: int
    endpoint: str


class ModelChanged(Schema):
    type: Literal["model_changed"] = "model_changed"
    seq: int
    model: str


class HostsChanged(Schema):
    """A host came, went or changed: ask for the list again. Of the topic `studio`; not numbered, and nobody keeps it."""

    type: Literal["hosts_changed"] = "hosts_changed"
    seq: int
    host: UUID


LiveEvent = Annotated[
    RunChanged
    | StepRunChanged
    | MetricsLogged
    | LinesLogged
    | UploadChanged
    | DatasetChanged
    | LabelSchemaChanged
    | EndpointChanged
    | ModelChanged
    | TriggerChanged
    | PresenceChanged
    | HostsChanged,
    Field(discriminator="type"),
]


class EventsOut(Schema):
    events: list[LiveEvent]
    last: int
