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
    tell_truth: bool = False
    """Mark ground truth there even where this label schema has honeypots: people there can then tell of which tasks the answer is known."""


class ScheduleIn(Schema):
    """Null: only when somebody asks."""

    every_minutes: EveryMinutes | None


class SideOut(Schema):
    """What a side says, and who said it; or, where it is about a task's own words, its fields as far as they must be seen to choose."""

    result: list[dict[str, Any]] = []
    by: str = ""
    data: dict[str, str] | None = None


class ConflictOut(Schema):
    """Where a person must choose; null: that side says nothing."""

    id: int
    task: int
    key: str
    kind: Literal["both", "here", "there", "gone_here", "gone_there", "data", "file", "refused"]
    """`both` changed an annotation; it was deleted `here` or `there` and changed on the other side; a whole task was deleted here
    (`gone_here`) or there; a task says other things on each side (`data`) or shows another `file` there; or a side does not take what the
    other says (`refused`)."""
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


class SyncRunOut(Schema):
    """How a synchronisation ended. `counts` of what came here and went there: tasks `brought sent`, answers `taken told`, data
    `changed_here changed_there`, skips `skips_came skips_went`, ground truth `truths_came truths_went`, predictions `suggested predicted`;
    and what was `deleted`, predictions that were deleted (`unpredicted`), skips of unknown people (`skips_stay`), what was `left_out`."""

    id: int
    began_at: datetime
    ended_at: datetime
    status: Literal["ready", "failed", "cancelled"]
    message: str
    counts: dict[str, int]


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
    tell_truth: bool
    truth_hidden: bool
    """The label schema has honeypots, so that ground truth is not marked there."""
    runs: list[SyncRunOut]
    """The newest 10; of those with nothing to do the last only."""
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
