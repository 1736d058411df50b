"""The shapes of `labeling` that cross HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Field, Schema
from pydantic import AwareDatetime

from backend.artifacts.schemas import PyramidAtOut
from backend.core.schemas import WHOLE, Name, ProblemOut, Slug, UserOut
from backend.datasets.schemas import Modality

FirstOrder = Literal["sequential", "random", "uncertain"]
Order = Literal["sequential", "random", "uncertain", "diverse", "value"]
"""`uncertain`: the items first of whose suggestion a model is least sure; those without one come last. `diverse`: what differs most first,
by the embeddings of the data set. `value`: by a number (`PUT …/order` says which)."""
Together = Literal["apart", "blind", "shared"]
"""`blind`: nobody sees others' annotations before an item is complete. `shared`: all who opened an item edit one draft at once."""
FillStatus = Literal["queued", "running", "ready", "failed"]
State = Literal["open", "complete", "differing", "to_review", "rejected", "truth", "skipped", "commented", "removed"]
Xml = Annotated[str, Field(min_length=1, max_length=200_000)]
Guidelines = Annotated[str, Field(max_length=100_000)]
Overlap = Annotated[int, Field(ge=1, le=20), WHOLE]
Share = Annotated[float, Field(ge=0, le=1, strict=True)]
ItemId = Annotated[int, Field(ge=1, le=2**53), WHOLE]
Region = dict[str, Any]
Result = Annotated[list[Region], Field(max_length=10_000)]
"""Label Studio's list of regions and relations."""


class LabelOut(Schema):
    value: str
    color: str
    hotkey: str
    hint: str


class LabelObjectOut(Schema):
    name: str
    tag: Literal["Image", "Text", "Audio", "Video", "List", "Table", "Pdf"]
    value: str
    """The variable of an item's data that it shows."""
    frame_rate: float | None = None
    title: str = ""


class BucketOut(Schema):
    name: str
    title: str
    default: bool


class LabelControlOut(Schema):
    name: str
    to: str
    tag: str
    type: str
    labels: list[LabelOut]
    multiple: bool
    required: bool
    required_message: str
    per_region: bool
    can_rotate: bool
    minimum: float | None
    maximum: float | None
    step: float | None
    placeholder: str
    rows: int
    max_submissions: int | None
    stroke_width: float
    opacity: float
    wand: bool = False
    skeleton: list[list[str]] = []
    closable: bool = False
    to_more: list[str] = []
    buckets: list[BucketOut] = []


class LabelConfigOut(Schema):
    """What a label schema asks for. `layout` nests objects, controls, headers and views in the order in which they are shown."""

    objects: list[LabelObjectOut]
    controls: list[LabelControlOut]
    layout: list[dict[str, Any]]


class WordingCheckIn(Schema):
    xml: Annotated[str, Field(max_length=200_000)]
    dataset: Slug | None = None
    """Also check that the schema fits this data set."""
    schema_: Annotated[Slug | None, Field(alias="label_schema")] = None
    """Also say what of this schema's annotations the new wording would leave out."""


class TouchedOut(Schema):
    control: str
    label: str | None
    annotations: int


class WordingCheckOut(Schema):
    """`config` is null where the schema cannot be used."""

    config: LabelConfigOut | None
    problems: list[ProblemOut]
    touched: list[TouchedOut]


class LabelSchemaIn(Schema):
    name: Name
    dataset: Slug
    xml: Xml
    guidelines: Guidelines = ""
    overlap: Overlap = 1
    review_share: Share = 1.0
    together: Together | None = None
    blind: Annotated[bool, Field(strict=True)] | None = None
    """`true` is `together: blind`, which is also what neither of the two means; `false` is `together: apart`."""
    order: FirstOrder = "sequential"


class LabelSchemaPatch(Schema):
    name: Name | None = None
    overlap: Overlap | None = None
    review_share: Share | None = None
    together: Together | None = None
    blind: Annotated[bool, Field(strict=True)] | None = None
    """`true` is `together: blind`; `false` ends that."""
    order: Order | None = None


class WordingIn(Schema):
    xml: Xml
    guidelines: Guidelines = ""
    base: Annotated[int, Field(ge=0, le=2**31 - 1), WHOLE]
    """The version that was changed; a newer one is not overwritten."""
    mapping: Annotated[dict[str, dict[str, str]], Field(max_length=100)] = {}
    """{control: {label that goes: label that takes its place}}; annotations are changed in the same moment."""


class WordingOut(Schema):
    number: int
    xml: str
    config: LabelConfigOut
    guidelines: str
    created_by: UserOut | None
    created_at: datetime


class ProgressOut(Schema):
    items: int
    complete: int
    truths: int
    places: int
    """How many annotations are wanted in all."""
    done: int
    to_review: int


class LabelSchemaOut(Schema):
    """`filled` is the version of the data set that the queue shows, `newest_data` its newest frozen one."""

    id: UUID
    slug: str
    name: str
    dataset: str
    dataset_name: str
    modality: Modality
    version: int
    overlap: int
    review_share: float
    together: Together
    blind: bool
    order: Order
    filled: int
    newest_data: int
    fill_status: FillStatus
    fill_message: str
    progress: ProgressOut
    created_by: UserOut | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


class ReviewOut(Schema):
    id: UUID
    reviewer: UserOut | None
    verdict: Literal["accepted", "fixed", "rejected", "adjudicated"]
    comment: str
    before: list[Region] | None
    version: int
    created_at: datetime


class AnnotationOut(Schema):
    id: UUID
    item: int
    author: UserOut | None
    authors: list[UserOut]
    """All who took part; first whoever submitted it."""
    author_name: str
    """Of somebody who has no account here: what another tool calls them."""
    schema_version: int
    result: list[Region]
    seconds: float
    status: Literal["submitted", "accepted", "rejected"]
    to_review: bool
    version: int
    how: Literal["", "majority", "skill", "model"]
    """The way in which it was fused from others; empty of what a person said."""
    support: float | None
    """How far the annotators agree with the fused result, 0 to 1."""
    reviews: list[ReviewOut]
    created_at: datetime
    updated_at: datetime


class LeaseOut(Schema):
    user: UserOut
    until: datetime


class PresenceOut(Schema):
    """Somebody who has an item open now."""

    user: UserOut
    item: int
    doing: Literal["labelling", "reviewing", "looking"]


class QueueItemOut(Schema):
    id: int
    key: str
    media_type: str
    width: int | None
    height: int | None
    position: int
    wanted: int
    done: int
    removed: bool
    truth: UUID | None


class ListedItemOut(QueueItemOut):
    leases: list[LeaseOut]


class AnnotationDraftOut(Schema):
    result: list[Region]
    number: int
    updated_at: datetime


class AssignedOut(Schema):
    id: UUID
    name: str
    due_at: datetime | None


class SuggestionOut(Schema):
    """A model's pre-label: shown beside what a person says."""

    id: int
    model_version: str
    score: float | None
    result: list[Region]


class WorkOut(QueueItemOut):
    """An item as its annotator needs it. `data` has the variables of the schema, `urls` where each image object's bytes lie, `pyramids`
    where those that are too large for one piece lie in tiles."""

    data: dict[str, Any]
    urls: dict[str, str]
    pyramids: dict[str, PyramidAtOut]
    mine: AnnotationOut | None
    draft: AnnotationDraftOut | None
    leased_until: datetime | None
    assignment: AssignedOut | None
    comments: int
    suggestions: list[SuggestionOut]
    """The newest of each model's version, newest first."""


class NextIn(Schema):
    holding: Annotated[list[ItemId], Field(max_length=10)] = []
    """Items that the caller shows or keeps ready; the next is another."""


class NextOut(Schema):
    """`item` is null when there is none for the caller; then `waiting` says how many places others hold or have, which may come back."""

    item: WorkOut | None
    waiting: int


class AnnotationDraftIn(Schema):
    result: Result
    number: Annotated[int, Field(ge=1, le=2**53), WHOLE]


class DraftKeptOut(Schema):
    number: int


class SubmitIn(Schema):
    """`id` is chosen by the caller: sent again, it is answered the same. `version` is that of the annotation which this changes."""

    id: UUID
    schema_version: Annotated[int, Field(ge=1, le=2**31 - 1), WHOLE]
    result: Result
    seconds: Annotated[float, Field(ge=0, le=86_400, strict=True)] = 0.0
    version: Annotated[int, Field(ge=1, le=2**31 - 1), WHOLE] | None = None


class SubmittedOut(Schema):
    outcome: Literal["submitted", "changed", "repeated"]
    id: UUID
    version: int


class SkipIn(Schema):
    reason: Annotated[str, Field(max_length=500)] = ""


class NextReviewIn(Schema):
    holding: Annotated[list[UUID], Field(max_length=20)] = []


class ReviewWorkOut(Schema):
    annotation: AnnotationOut
    item: WorkOut


class NextReviewOut(Schema):
    """`work` is null when nothing waits for the caller; then `waiting` says how many annotations wait for other reviewers."""

    work: ReviewWorkOut | None
    waiting: int


class ReviewIn(Schema):
    verdict: Literal["accepted", "fixed", "rejected"]
    version: Annotated[int, Field(ge=1, le=2**31 - 1), WHOLE]
    comment: Annotated[str, Field(max_length=5_000)] = ""
    result: Result | None = None


class AdjudicateIn(Schema):
    annotation: UUID
    comment: Annotated[str, Field(max_length=5_000)] = ""


class CommentIn(Schema):
    text: Annotated[str, Field(min_length=1, max_length=5_000)]
    asks: Annotated[bool, Field(strict=True)] = False
    """Ask a reviewer to look."""
    mentions: Annotated[list[UUID], Field(max_length=50)] = []


class CommentOut(Schema):
    id: UUID
    author: UserOut | None
    text: str
    asks: bool
    mentions: list[UserOut]
    created_at: datetime
    resolved_at: datetime | None
    resolved_by: UserOut | None


class AssignmentIn(Schema):
    """What is set aside: `number` items, or a `share` of them, or all, of those free whose key contains `search`."""

    name: Name
    people: Annotated[list[UUID], Field(min_length=1, max_length=200)]
    number: Annotated[int, Field(ge=1, le=2**53), WHOLE] | None = None
    share: Annotated[float, Field(gt=0, le=1, strict=True)] | None = None
    search: Annotated[str, Field(max_length=200)] = ""
    items: Annotated[list[ItemId], Field(min_length=1, max_length=10_000)] | None = None
    """Only these of the queue, as far as they are free."""
    due_at: AwareDatetime | None = None


class AssignmentOut(Schema):
    id: UUID
    name: str
    people: list[UserOut]
    due_at: datetime | None
    items: int
    complete: int
    created_at: datetime


class PersonProgressOut(Schema):
    user: UserOut
    annotations: int
    accepted: int
    rejected: int
    skipped: int
    seconds: float
    """The median time of an annotation."""
    newest: datetime


class LabelledIn(Schema):
    note: Annotated[str, Field(max_length=2000)] = ""


class LabelledOut(Schema):
    """A data set version made from a schema's ground truth."""

    id: UUID
    status: Literal["queued", "running", "ready", "failed"]
    message: str
    note: str
    items: int
    schema_version: int
    dataset: str
    version: int | None
    created_by: UserOut | None
    created_at: datetime
