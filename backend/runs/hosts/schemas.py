"""The shapes of hosts that cross HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Field, Schema

from backend.core.schemas import WHOLE, Name, UserOut
from backend.pipelines.schemas import LabelName, LabelValue, _only_such_keys

Wanted = Literal["running", "paused", "draining", "stopped"]
State = Literal["starting", "running", "paused", "draining", "drained", "stopping", "stopped", "away"]


class CurrentStepOut(Schema):
    """What a process does now. Of projects that are not the caller's it says only that it is one."""

    step: str
    project: str | None
    project_name: str
    run: UUID | None
    run_number: int | None
    since: datetime | None
    progress: float


class ProcessOut(Schema):
    worker: str
    pid: int
    group: str
    queues: list[str]
    memory: int
    step: CurrentStepOut | None


class DeviceOut(Schema):
    number: int
    name: str
    memory: int
    """Bytes; 0 where the driver does not say."""
    taken: int
    """How many of the host's shares of it steps hold now."""


class HostOut(Schema):
    """`state` is what it does, `wanted` what an administrator asked of it. `away`: not heard of for a quarter of a minute."""

    id: UUID
    name: str
    studio: bool
    """Started by the studio itself; others have joined."""
    state: State
    wanted: Wanted
    labels: dict[str, str]
    queues: list[str]
    memory_bytes: int
    memory_free: int
    devices: list[DeviceOut]
    share: int
    versions: dict[str, Any]
    processes: list[ProcessOut]
    beat_at: datetime | None
    joined_at: datetime
    joined_with: str | None
    """Name of the token with which it joined."""


class HostPatch(Schema):
    """running: take steps; paused: take none, keep what runs; draining: the same, until nothing runs; stopped: then end the processes."""

    wanted: Wanted


class JoinTokenIn(Schema):
    name: Name
    hours: Annotated[int, Field(ge=1, le=24 * 90), WHOLE] = 24


class JoinTokenOut(Schema):
    id: UUID
    name: str
    prefix: str
    created_by: UserOut | None
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    hosts: int
    """How many hosts have joined with it."""
    secret: str | None = None
    """Only in the answer to its making."""


class JoinIn(Schema):
    """`id` is the host's own, so that one that joins again is the same host."""

    token: Annotated[str, Field(min_length=1, max_length=200)]
    id: UUID
    name: Name
    labels: Annotated[dict[LabelName, LabelValue], Field(max_length=20, json_schema_extra=_only_such_keys)] = {}


class JoinOut(Schema):
    """How a host reaches the studio's parts; empty: through the studio itself (`/ws/v1/hosts/…`, `/hosts/v1/blobs/…`) with its token."""

    host: UUID
    token: str
    studio: str
    database: str
    broker: str
    artifacts: str
