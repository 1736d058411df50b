"""What the studio's own API says of links with Label Studio servers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import Field


class LinkIn(Schema):
    """`remote` is the number of the project there; without it one is made. Without `token` the one that was given stays."""

    url: Annotated[str, Field(min_length=8, max_length=2000)]
    token: Annotated[str, Field(max_length=5000)] = ""
    remote: Annotated[int, Field(ge=1, le=2**53)] | None = None


class ConflictOut(Schema):
    """A task whose answer both sides changed; null: that side says nothing of it."""

    task: int
    key: str
    why: str
    ours: list[dict[str, Any]] | None
    theirs: list[dict[str, Any]] | None
    chosen: Literal["ours", "theirs"] | None


class LinkOut(Schema):
    url: str
    remote: int | None
    status: Literal["queued", "running", "ready", "failed"]
    message: str
    synced_at: datetime | None
    tasks: int
    conflicts: list[ConflictOut]
    """At most 100."""


class FoundLinkOut(Schema):
    """Null: it is linked with no server."""

    link: LinkOut | None


class ChoiceIn(Schema):
    side: Literal["ours", "theirs"]
