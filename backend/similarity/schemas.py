"""The shapes of `similarity` that cross HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Field, Schema

from backend.core.schemas import UserOut
from backend.labeling.schemas import ItemId, Order, Region, Result

SpaceStatus = Literal["queued", "running", "ready", "failed", "cancelled"]
WorkStatus = Literal["queued", "running", "ready", "failed"]
NearState = Literal["labelled", "unlabelled", "mine"]
Colouring = Literal["cluster", "label", "annotator", "suggested"]
Decision = Literal["kept", "relabelled", "review"]
Ids = Annotated[list[ItemId], Field(min_length=1, max_length=2_000)]
Checkpoint = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?$")]


class SpaceIn(Schema):
    """`embedder` as in the list; with a `model` (registered, `name@3`), a `checkpoint` or a `column`, as it needs."""

    embedder: Annotated[str, Field(min_length=1, max_length=30)]
    model: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    checkpoint: Checkpoint | None = None
    column: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class SpaceOut(Schema):
    """`version` of the data set is what it shows, `behind` whether there is a newer one. Of `total` items `done` are looked at, `fresh` of
    them computed now and `refused` not readable."""

    id: UUID
    title: str
    embedder: str
    parameters: dict[str, Any]
    dimension: int
    takes_text: bool
    why_no_text: str
    version: int
    behind: bool
    status: SpaceStatus
    stage: Literal["embed", "arrange", "index"]
    message: str
    total: int
    done: int
    fresh: int
    refused: int
    indexed: bool
    clusters: int
    created_by: UserOut | None
    created_at: datetime
    computed_at: datetime | None


class EmbedderOut(Schema):
    """`needs` names what must be given, `choices` what of it there is; `unavailable` says why it cannot be used here."""

    name: str
    title: str
    help: str
    needs: list[Literal["model", "checkpoint", "column"]]
    choices: dict[str, list[str]]
    unavailable: str


class SpacesOut(Schema):
    """`unavailable` says what is missing, if anything is."""

    spaces: list[SpaceOut]
    embedders: list[EmbedderOut]
    unavailable: str


class SpaceItemOut(Schema):
    """One content. `item` is its place in the queue of the schema that was named, `label` what the caller may know of it. `shown` tells it
    from others where there is no picture; `distance` is the cosine distance (0 the same, 1 nothing in common)."""

    id: int
    digest: str
    key: str
    shown: dict[str, Any]
    cluster: int | None
    distance: float | None
    item: int | None
    label: str | None
    labelled: bool
    mine: bool


class PointsOut(Schema):
    """The map in arrays of one length; `values` are places in `names`, -1 for none. `items` are those of the queue."""

    ids: list[int]
    x: list[float]
    y: list[float]
    items: list[int | None]
    values: list[int]
    names: list[str]


class ClusterOut(Schema):
    number: int
    size: int
    typical: list[SpaceItemOut]


class ChosenIn(Schema):
    """Points of a map: some by their ids, or a whole cluster."""

    ids: Annotated[list[ItemId], Field(max_length=2_000)] = []
    cluster: Annotated[int, Field(ge=0, le=1_000)] | None = None


class BulkIn(Schema):
    """The same `result` for all; it must fit the schema, as when one item is submitted. `seconds` is the time spent on all together."""

    items: Ids
    schema_version: Annotated[int, Field(ge=1, le=2**31 - 1)]
    result: Result
    seconds: Annotated[float, Field(ge=0, le=86_400, strict=True)] = 0.0


class RefusedOut(Schema):
    item: int
    why: str


class BulkMadeOut(Schema):
    id: UUID
    count: int
    refused: list[RefusedOut]


class BulkOut(Schema):
    id: UUID
    kind: Literal["label", "aside"]
    result: list[Region]
    count: int
    created_by: UserOut | None
    created_at: datetime
    undone_at: datetime | None


class UndoneOut(Schema):
    """`kept` is what somebody has gone on from since."""

    undone: int
    kept: int


class DuplicateItemOut(SpaceItemOut):
    item: int


class DuplicateGroupOut(Schema):
    """`distance` of the two that are least alike among the pairs that hold it together; `items` shows the first fifty."""

    distance: float
    count: int
    items: list[DuplicateItemOut]


class DuplicatesOut(Schema):
    """The hundred largest groups of `total`; `spare` items would go if each kept one."""

    groups: list[DuplicateGroupOut]
    total: int
    spare: int


class AsideIn(Schema):
    items: Annotated[list[ItemId], Field(min_length=1, max_length=10_000)]


class DoubtsIn(Schema):
    space: UUID | None = None
    """The one computed last, where none is named."""


class DoubtCheckOut(Schema):
    """`agree`: the share of the labels that a model of the others repeats; `expected`: how many are wrong, by its estimate."""

    status: WorkStatus
    message: str
    checked: int
    left_out: int
    agree: float | None
    expected: int
    checked_at: datetime | None


class DoubtsNowOut(Schema):
    """`question` is null where the schema asks none with one choice: label errors are not offered there."""

    check: DoubtCheckOut | None
    question: str | None
    choices: list[str]
    open: int
    kept: int
    relabelled: int
    review: int


class DoubtOut(Schema):
    """`score` from 0 (surely wrong) to 0.5."""

    id: int
    item: int
    key: str
    position: int
    digest: str
    media_type: str
    data: dict[str, Any]
    annotation: UUID
    author: UserOut | None
    author_name: str
    """Of somebody who has no account here."""
    given: str
    suggested: str
    score: float
    decision: Literal["", "kept", "relabelled", "review"]
    label: str
    decided_by: UserOut | None
    decided_at: datetime | None


class DecideDoubtIn(Schema):
    decision: Decision
    label: Annotated[str, Field(min_length=1, max_length=1_000)] | None = None
    """Of `relabelled`: what is right, where it is not what was suggested."""


class OrderIn(Schema):
    """`column` belongs to `value`: a column of numbers, or width, height or size of pictures."""

    order: Order
    column: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    descending: bool = True


class OrderOut(Schema):
    """`columns`: by which numbers it can be worked. `status` of making it: null where there is nothing to make. `embedded`: whether
    “diverse” can be chosen."""

    order: Order
    column: str | None
    descending: bool
    columns: list[str]
    embedded: bool
    status: WorkStatus | None
    message: str
