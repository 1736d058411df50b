"""The shapes of a schema's quality that cross HTTP."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from ninja import Field, Schema
from pydantic import model_validator

from backend.core.schemas import WHOLE, Inner, UserOut
from backend.labeling.schemas import ItemId, Result, Share

TruthBy = Literal["agree", "majority", "skill"]


class QualitySettings(Schema):
    truth_by: TruthBy
    """How the ground truth of several annotators comes about: the annotation that agrees best, a fused one by majority, or by skill."""
    enough: Share
    """Agreement, or support of a fused result, below which a person decides."""
    honeypot_share: Annotated[float, Field(ge=0, le=0.5, strict=True)]
    """How many of the items that a person is given are honeypots."""
    pause_below: Share | None
    """A person whose newest honeypots score below this is paused; null for never."""


class QualityPeopleOut(Schema):
    """Figures of one person. `per_day` counts days on which they labelled, `seconds` is the median; `right` the mean of the `judged`."""

    person: UUID
    annotations: int
    seconds: float
    per_day: float
    newest: str
    reviewed: int
    sent_back: int
    honeypots: int
    honeypot_score: float | None
    agreement: float | None
    right: float | None
    judged: int
    drift: DriftOut | None
    skills: dict[str, float]
    """Of single choices, by Dawid and Skene's method: how often they are right."""


class DriftOut(Schema):
    """The newest judged annotations of a person against all before them (`z` of the two-proportion test)."""

    before: float
    now: float
    z: float
    worse: bool


class QualityControlOut(Schema):
    """`alpha` is Krippendorff's (nominal), `fleiss` Fleiss' κ, both of single choices."""

    control: str
    type: str
    agreement: float | None
    pairs: int
    alpha: float | None
    fleiss: float | None


class QualityLabelOut(Schema):
    """`agreement`: of the times it was `said`, the share in which the other said it too."""

    control: str
    label: str
    said: int
    agreement: float


class QualityPairOut(Schema):
    one: UUID
    other: UUID
    items: int
    agreement: float | None
    kappa: dict[str, float | None]
    """Cohen's κ of each control with single choices."""


class ConfusedOut(Schema):
    """How often `person` said one thing where another said the `other`; an empty label is nothing."""

    control: str
    person: UUID
    said: str
    other: str
    count: int


class WeekOut(Schema):
    person: UUID
    week: date
    """Its Monday."""
    annotations: int
    judged: int
    right: float | None


class PauseOut(Schema):
    user: UserOut
    reason: str
    created_at: datetime


class QualityOut(Schema):
    """As measured at `measured_at`, of so many `annotations`; there are `now` so many. `own`: the caller sees their own figures only."""

    status: Literal["queued", "running", "ready", "failed"]
    message: str
    measured_at: datetime | None
    annotations: int
    now: int
    own: bool
    items: int
    """Complete items that several people labelled."""
    agreement: float | None
    controls: list[QualityControlOut]
    labels: list[QualityLabelOut]
    pairs: list[QualityPairOut]
    confusions: list[ConfusedOut]
    people: list[QualityPeopleOut]
    timeline: list[WeekOut]
    users: list[UserOut]
    pauses: list[PauseOut]


class DisagreementOut(Schema):
    id: int
    item: int
    key: str
    position: int
    control: str
    one: UserOut
    other: UserOut
    said_one: str
    said_other: str
    score: float


class HoneypotOut(Schema):
    """`answers`: how many people answered it, `score` how well on average."""

    item: int
    key: str
    position: int
    source: Literal["truth", "given"]
    answers: int
    score: float | None
    created_by: UserOut | None
    created_at: datetime


class HoneypotIn(Inner):
    """One item, by its id or its key; without a `result` its ground truth is the answer."""

    item: ItemId | None = None
    key: Annotated[str, Field(max_length=1000)] | None = None
    result: Result | None = None


class HoneypotsIn(Schema):
    """Either `number` of items drawn from those whose ground truth a person decided, or `items`."""

    number: Annotated[int, Field(ge=1, le=10_000), WHOLE] | None = None
    items: list[HoneypotIn] = Field(default_factory=list, max_length=10_000)

    @model_validator(mode="after")
    def _one_of_both(self) -> HoneypotsIn:
        if (self.number is None) == (not self.items):
            raise ValueError("send either `number` or `items`")
        return self


class HoneypotsAddedOut(Schema):
    added: int


QualityPeopleOut.model_rebuild()
