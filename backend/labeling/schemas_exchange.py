"""The shapes of labels that go out and come in, as they cross HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from ninja import Field, Query, Schema

from backend.core.schemas import WHOLE, ProblemOut, UserOut

FormatName = Annotated[str, Field(pattern=r"^[a-z]{1,20}$")]
AskedFormat = Annotated[str, Query(alias="format", pattern=r"^[a-z]{1,20}$")]
AskedWhat = Annotated[Literal["annotations", "truth"], Query()]
"""All that was submitted and not rejected, as far as the caller may see it, or the ground truth."""


class LabelFormatOut(Schema):
    """`reads`: endings of files that it reads; `images`: whether pictures can go along."""

    name: str
    title: str
    about: str
    suffix: str
    reads: list[str]
    images: bool


class LossOut(Schema):
    message: str
    count: int


class ExportCheckOut(Schema):
    """What would go out. `lost`: what the format has no place for, counted in the first `tried` items."""

    items: int
    annotations: int
    tried: int
    lost: list[LossOut]


class LabelImportIn(Schema):
    filename: Annotated[str, Field(min_length=1, max_length=255)]
    size: Annotated[int, Field(ge=1, le=2**53), WHOLE]
    format: FormatName


class ImportReportOut(Schema):
    """Of the items that a file speaks of: how many annotations are `new`, `changed` or `unchanged`, how many items are not in the queue,
    how many annotations were refused; `more` are further annotations of the same items, which are not taken. `problems` are the first."""

    items: int
    new: int
    changed: int
    unchanged: int
    unmatched: int
    refused: int
    more: int
    problems: list[ProblemOut]


class LabelImportOut(Schema):
    """`applies`: it is being applied, or was; else it is only checked. `problems` say why the file as a whole cannot be read."""

    id: UUID
    format: str
    filename: str
    size: int
    received: int
    status: Literal["receiving", "queued", "running", "checked", "applied", "failed", "cancelled"]
    applies: bool
    message: str
    problems: list[ProblemOut]
    report: ImportReportOut | None
    created_by: UserOut | None
    created_at: datetime
