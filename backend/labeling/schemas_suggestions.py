"""The shapes of what became of suggestions that cross HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from ninja import Field, Schema

from backend.core.schemas import UserOut


class SuggestionOutcomesOut(Schema):
    """What people made of the suggestions of one model version that they were shown: `rejected` are those of which nothing was kept."""

    model_version: str
    accepted: int
    adjusted: int
    rejected: int
    total: int


class AutoAcceptIn(Schema):
    enabled: Annotated[bool, Field(strict=True)]
    threshold: Annotated[float, Field(ge=0.5, le=1, strict=True)]
    """From this score of a suggestion on it becomes the label."""
    audit_share: Annotated[float, Field(ge=0.01, le=0.5, strict=True)]
    """How many of those items go to people instead, to measure how often it is wrong."""
    max_error: Annotated[float, Field(ge=0.001, le=0.5, strict=True)]
    """When people find more than this wrong, it stops."""


class LabelAuditOut(Schema):
    """`judged` items of the sample have a ground truth, `errors` of them another than the model said; `low` to `high` is the 95 % interval
    of that rate (Wilson)."""

    judged: int
    errors: int
    waiting: int
    rate: float | None
    low: float
    high: float


class AutoPassOut(Schema):
    """One time that suggestions became labels."""

    id: UUID
    threshold: float
    accepted: int
    audited: int
    created_by: UserOut | None
    created_at: datetime
    undone_at: datetime | None
    undone_by: UserOut | None


class AutoAcceptOut(Schema):
    enabled: bool
    threshold: float
    audit_share: float
    max_error: float
    stopped: str
    """Why it turned itself off; else empty."""
    status: Literal["queued", "running", "ready", "failed"]
    message: str
    audit: LabelAuditOut
    eligible: int
    """Open items whose suggestion is sure enough."""
    labels: int
    """Items whose label no person has said."""
    passes: list[AutoPassOut]
