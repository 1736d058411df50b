"""The shapes of triggers that cross HTTP and the socket."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Field, Schema

from backend.core.schemas import WHOLE, Name, Number, UserOut

EventStatus = Literal["received", "coalesced", "limited", "started", "failed", "ignored"]
PerHour = Annotated[int, Field(ge=1, le=10_000), WHOLE]
AtOnce = Annotated[int, Field(ge=1, le=1000), WHOLE]
Window = Annotated[int, Field(ge=0, le=86_400), WHOLE]
Priority = Literal["low", "normal", "high", "urgent"]
"""Ready steps of a run with a higher priority are taken first, whichever worker frees up."""
Values = dict[str, dict[str, Any]]
Paths = dict[str, dict[str, str]]


class TriggerKindOut(Schema):
    """`config_schema` is the form's JSON Schema; `example` is an event of this kind, as `$event` sees it."""

    name: str
    title: str
    about: str
    listens: Literal["clock", "http", "studio", "topic"]
    config_schema: Annotated[dict[str, Any], Field(validation_alias="schema")]
    example: dict[str, Any]


class TriggerIn(Schema):
    """`version` null is the newest published one. `parameters` are constants; `mapping` takes values from the event,
    `{step: {parameter: "$event.data.version"}}`. With `coalesce_s`, events that come within that time start one run."""

    name: Name
    kind: Annotated[str, Field(max_length=40)]
    pipeline: str
    version: Number | None = None
    config: dict[str, Any] = {}
    parameters: Values = {}
    mapping: Paths = {}
    enabled: Annotated[bool, Field(strict=True)] = True
    priority: Priority = "normal"
    most_per_hour: PerHour = 60
    most_at_once: AtOnce = 1
    coalesce_s: Window = 0


class TriggerPatch(Schema):
    """What is given is changed; a secret in `config` that is not given stays. Whoever changes a trigger becomes its owner."""

    name: Name | None = None
    pipeline: str | None = None
    version: Number | None = None
    config: dict[str, Any] | None = None
    parameters: Values | None = None
    mapping: Paths | None = None
    priority: Priority | None = None
    most_per_hour: PerHour | None = None
    most_at_once: AtOnce | None = None
    coalesce_s: Window | None = None


class TriggerEventOut(Schema):
    """`reason` says why it started nothing, or what it waits for. `depth` counts the triggered runs that led to it."""

    id: UUID
    key: str
    received_at: datetime
    source: str
    status: EventStatus
    reason: str
    depth: int
    run: UUID | None
    run_number: int | None
    run_status: str | None
    replay_of: UUID | None


class TriggerEventDetail(TriggerEventOut):
    payload: dict[str, Any]


class ConnectionOut(Schema):
    state: Literal["connecting", "connected", "error"]
    message: str
    at: datetime | None


class TriggerOut(Schema):
    """`sentence` says when it starts a run. `secret` is filled only in the answer that made it; `secrets_set` names the fields of the
    form that hold one. `connection` is that of a listener on a topic."""

    id: UUID
    slug: str
    name: str
    kind: str
    kind_title: str
    sentence: str
    pipeline: str
    pipeline_name: str
    pipeline_deleted: bool
    version: int | None
    parameters: Values
    mapping: Paths
    config: dict[str, Any]
    secrets_set: list[str]
    enabled: bool
    priority: Priority
    most_per_hour: int
    most_at_once: int
    coalesce_s: int
    owner: UserOut | None
    url: str | None
    secret: str | None
    next_at: datetime | None
    last_event: TriggerEventOut | None
    connection: ConnectionOut | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


class FireIn(Schema):
    """`data` is what `$event.data` will be."""

    data: Any = {}


class CronTimes(Schema):
    times: list[datetime]


class HookOut(Schema):
    """The event that a request made, or that an earlier one with the same key had made."""

    event: UUID
    status: EventStatus


class StarterOut(Schema):
    """The trigger that started a run, and the event it did so for."""

    slug: str
    name: str
    kind: str
    source: str
    event: UUID


class TriggerChanged(Schema):
    type: Literal["trigger_changed"] = "trigger_changed"
    seq: int
    trigger: str
