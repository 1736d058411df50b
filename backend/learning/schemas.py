"""The shapes of `learning` that cross HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from ninja import Field, Schema
from pydantic import model_validator

from backend.core.schemas import WHOLE, Slug, UserOut

Status = Literal["running", "succeeded", "failed", "cancelled"]


class LoopIn(Schema):
    """One of `pipeline` (its slug) and `template` (a pipeline is made of it)."""

    pipeline: Slug | None = None
    template: Annotated[str, Field(min_length=1, max_length=60)] | None = None
    every: Annotated[int, Field(ge=1, le=100_000), WHOLE] = 50
    """A round begins after so many new labels."""
    test_size: Annotated[int, Field(ge=1, le=100_000), WHOLE] = 100
    """Items held out at random, to measure each model on."""
    draws: Annotated[int, Field(ge=0, le=10), WHOLE] = 3
    """Models trained on random items for each size of a round; 0 for no comparison."""

    @model_validator(mode="after")
    def _one(self) -> LoopIn:
        if (self.pipeline is None) == (self.template is None):
            raise ValueError("Name a pipeline or a template, and not both.")
        return self


class RoundOut(Schema):
    """`accuracy` is measured on `tested` held-out items, `low` to `high` is its 95 % interval (Wilson). Of a loop that learns boxes it is
    their mAP@0.5, with the interval of pictures drawn again; of one that learns spans their F1, and `tested` counts those that were said
    and those that there are. `suggested` open items got a suggestion."""

    number: int
    labels: int
    stage: Literal["freeze", "train", "measure", "suggest"]
    status: Status
    message: str
    accuracy: float | None
    low: float | None
    high: float | None
    tested: int
    suggested: int
    dataset_version: str | None
    run: UUID | None
    run_number: int | None
    model: str | None
    model_version: int | None
    started_at: datetime
    finished_at: datetime | None


class RandomPointOut(Schema):
    """The mean accuracy (of boxes, the mean mAP@0.5) of `draws` models that learned from `labels` items in random order; `low`
    and `high` are the least and the most."""

    labels: int
    accuracy: float
    low: float
    high: float
    draws: int
    tested: int


class LoopOut(Schema):
    pipeline: str
    pipeline_name: str
    dataset: str | None
    """Where the versions lie that models learn from."""
    control: str
    measure: Literal["accuracy", "map_50", "f1"]
    """What `accuracy` of rounds and draws is: the share of right answers, the mean average precision of boxes at an overlap of 0.5, or
    the F1 of spans (exactly found, with their label)."""
    every: int
    test_size: int
    draws: int
    active: bool
    message: str
    labels: int
    """Items that a round would learn from now."""
    next_at: int
    """Labels at which the next round begins."""
    test_items: int
    test_labelled: int
    rounds: list[RoundOut]
    random: list[RandomPointOut]
    reach: int
    """Up to so many labels random order can be compared with: so large is the random sample, less what it is tested on."""
    drawing: bool
    started_by: UserOut | None
    started_at: datetime
    stopped_at: datetime | None


class LoopPipelineOut(Schema):
    slug: str
    name: str


class LoopNowOut(Schema):
    """`loop` is null where none was begun. `candidates` are pipelines that could be a loop's, `template` one to make such a pipeline of."""

    loop: LoopOut | None
    candidates: list[LoopPipelineOut]
    template: str | None
