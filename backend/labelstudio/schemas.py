"""What the studio's own API says of links with Label Studio servers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import Field

EveryMinutes = Annotated[int, Field(ge=5, le=7 * 24 * 60)]


class LinkIn(Schema):
    """`remote` is the number of the project there; without it one is made. Without `token` the one that was given stays."""

    url: Annotated[str, Field(min_length=8, max_length=2000)]
    token: Annotated[str, Field(max_length=5000)] = ""
    remote: Annotated[int, Field(ge=1, le=2**53)] | None = None
    every_minutes: EveryMinutes | None = None


class ScheduleIn(Schema):
    """Null: only when somebody asks."""

    every_minutes: EveryMinutes | None


class SideOut(Schema):
    """What a side says, and who said it."""

    result: list[dict[str, Any]]
    by: str


class ConflictOut(Schema):
    """Where a person must choose; null: that side says nothing."""

    id: int
    task: int
    key: str
    kind: Literal["both", "here", "there", "gone_here", "gone_there", "refused"]
    """`both` changed an annotation; it was deleted `here` or `there` and changed on the other side; a whole task was deleted here
    (`gone_here`) or there; or a side does not take what the other says (`refused`)."""
    why: str
    ours: SideOut | None
    theirs: SideOut | None
    chosen: Literal["", "ours", "theirs"]


class DeletionOut(Schema):
    """What `side` deleted, and a synchronisation then on the other."""

    id: int
    task: int
    key: str
    what: Literal["annotation", "task"]
    side: Literal["ours", "theirs"]
    by: str
    result: list[dict[str, Any]] | None
    at: datetime
    undone_at: datetime | None


class LeftOutOut(Schema):
    where: str
    message: str


class LinkOut(Schema):
    url: str
    remote: int | None
    status: Literal["queued", "running", "ready", "failed", "cancelled"]
    message: str
    phase: str
    """What it does now; `done` of `total`, 0 where that is not known."""
    done: int
    total: int
    problems: list[LeftOutOut]
    every_minutes: int | None
    next_at: datetime | None
    synced_at: datetime | None
    tasks: int
    conflicts: list[ConflictOut]
    """The first 100."""
    conflict_count: int
    deletions: list[DeletionOut]
    """The newest 50."""


class FoundLinkOut(Schema):
    """Null: it is linked with no server."""

    link: LinkOut | None


class ChoiceIn(Schema):
    side: Literal["ours", "theirs"]
