"""The shapes of `datasets` that cross HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Field, Query, Schema
from pydantic import ConfigDict

from backend.core.schemas import WHOLE, Inner, Name, ProblemOut, Slug, UserOut

Modality = Literal["table", "images", "text", "audio", "video", "document"]
"""`document`: PDF files."""
ColumnType = Literal["integer", "number", "boolean", "category", "text", "datetime", "image", "json"]
UploadStatus = Literal["receiving", "processing", "ready", "failed", "cancelled"]
VersionStatus = Literal["draft", "freezing", "frozen", "failed"]
Wait = Annotated[float, Query(ge=0, le=30)]
"""Seconds an answer may take to be made before 202 says how far it is."""
ProfileStatus = Literal["queued", "running", "succeeded", "failed"]


NullValues = Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=50)]
Encoding = Literal["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252"]


class ReadingOptions(Inner):
    """How to read the file of a table; what is not said is found out from the file."""

    model_config = ConfigDict(extra="forbid")

    delimiter: Annotated[str, Field(pattern=r"^[\x01-\x09\x0b\x0c\x0e-\x21\x23-\x7f]$")] | None = None
    """One ASCII character, but a double quote or the end of a line."""
    quote: Literal['"', "'"] | None = None
    header: Annotated[bool, Field(strict=True)] | None = None
    """Whether the first row names the columns."""
    encoding: Encoding | None = None
    sheet: Annotated[str, Field(max_length=100)] | None = None
    """Of an Excel workbook; the first when not said."""
    null_values: NullValues | None = None
    """What is read as missing; the usual spellings (empty, NA, ?, null …) when not said."""
    decimal: Literal[".", ","] | None = None
    """What stands before the fraction of numbers: `1234.56` or `1234,56`."""
    thousands: Literal["", ".", ",", " ", "'"] | None = None
    """What stands between thousands; empty for nothing."""
    dates: Literal["day", "month"] | None = None
    """What comes first in dates such as 01/02/2025."""
    file_column: Annotated[bool, Field(strict=True)] = False
    """Of several tables in one archive: add a column `file` that says where each row comes from."""


class UploadOptions(ReadingOptions):
    """How to read the file and what to make of it; what is not said is found out from the file."""

    modality: Modality | None = None
    """For a file that could be read in two ways: a text file as a `table`, an archive of both as `images`, `text`, `audio` …"""
    label_column: Annotated[str, Field(max_length=200)] | None = None
    freeze: Annotated[bool, Field(strict=True)] = False
    """Freeze the version at once, with the types found."""
    description: Annotated[str, Field(max_length=20_000)] = ""
    licence: Annotated[str, Field(max_length=200)] = ""
    source: Annotated[str, Field(max_length=500)] = ""
    note: Annotated[str, Field(max_length=2000)] = ""


class UploadIn(Schema):
    """Start of an upload. Send the bytes with `PUT …/uploads/{id}/chunks?offset=`, in order, then `…/complete`.

    `dataset` adds to an existing data set (a new version); without it one is made, named `name`.
    `paths` of a folder upload: one upload per folder, the browser sends a stored (uncompressed) tar.
    """

    filename: Annotated[str, Field(min_length=1, max_length=255)]
    size: Annotated[int, Field(ge=0, le=2**63 - 1), WHOLE]
    dataset: Slug | None = None
    name: Name | None = None
    mode: Literal["replace", "append"] = "replace"
    options: UploadOptions = UploadOptions()


class UploadOut(Schema):
    id: UUID
    filename: str
    size: int
    received: int
    status: UploadStatus
    progress: float
    message: str
    dataset: str | None
    version: int | None
    problems: list[ProblemOut]
    """What was wrong: `field` names the file and the line or archive member."""
    created_at: datetime


class Column(Inner):
    name: str
    type: ColumnType
    nullable: Annotated[bool, Field(strict=True)] = True
    format: Annotated[str, Field(max_length=40)] = ""
    """How a time is written (strptime: `%d/%m/%Y`; empty for ISO 8601), or a number, by example (`1.234,56`; empty for `1234.56`)."""


class ReadingOut(Schema):
    """How a table's file was read: as found out, or as `options` say. Of formats that know it themselves the rest is null."""

    filename: str
    format: Literal["csv", "jsonl", "excel", "parquet"]
    options: ReadingOptions
    delimiter: str | None = None
    quote: str | None = None
    encoding: Encoding | None = None
    header: bool | None = None
    sheet: str | None = None
    sheets: list[str] = []
    members: list[str] = []
    """The tables of an archive (at most 200 are named)."""
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " ", "'"] = ""
    dates: Literal["", "day", "month"] = ""
    notices: list[ProblemOut] = []
    """What could be read in two ways, and which was chosen."""
    upload: UUID | None = None
    """The upload that keeps the file while the version is a draft; its `status` tells of a re-reading."""


class PreviewOut(Schema):
    """The first rows of a draft's file under other options. With `problems` there are none."""

    reading: ReadingOut | None
    columns: list[Column]
    rows: list[list[Any]]
    problems: list[ProblemOut]


class DatasetPatch(Schema):
    name: Name | None = None
    description: Annotated[str, Field(max_length=20_000)] | None = None
    licence: Annotated[str, Field(max_length=200)] | None = None
    source: Annotated[str, Field(max_length=500)] | None = None


class DatasetOut(Schema):
    id: UUID
    slug: str
    name: str
    description: str
    modality: Modality
    licence: str
    source: str
    item_count: int
    size: int
    latest_version: int | None = Field(description="The newest frozen version: what `slug@latest` names. Null while all are drafts.")
    versions: int
    created_by: UserOut | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


class DatasetVersionOut(Schema):
    number: int
    status: VersionStatus
    item_count: int
    size: int
    columns: list[Column]
    label_column: str | None
    digest: str
    """Digest of the frozen manifest; empty while a draft."""
    artifact: UUID | None
    profile_status: ProfileStatus
    note: str
    null_values: list[str]
    problems: list[ProblemOut]
    """Why it could not be frozen."""
    reading: ReadingOut | None
    """Of tables that were read from a file."""
    created_by: UserOut | None
    created_at: datetime
    frozen_at: datetime | None


class ColumnsIn(Schema):
    """Correct the inferred types of a draft version; columns not named stay as they are. `null_values` are read as missing."""

    columns: list[Column]
    label_column: str | None = None
    null_values: NullValues | None = None


class FreezeIn(Schema):
    note: Annotated[str, Field(max_length=2000)] = ""


class ManifestOut(Schema):
    """What a step needs to read a frozen version from the artifact store."""

    dataset: str
    version: int
    modality: Modality
    digest: str
    kind: Literal["Table", "Images"]
    columns: list[Column]
    label_column: str | None
    rows: int
    """Rows, or items."""


class RowsOut(Schema):
    """A window of a version's rows (or items): `offset`/`limit`, sorted and filtered on the server."""

    columns: list[Column]
    rows: list[list[Any]]
    offset: int
    total: int


class MakingOut(Schema):
    """The search, filter or sort is being made: ask again, with the same address, and the window comes."""

    status: Literal["running"] = "running"
    progress: float = Field(ge=0, le=1)


class ItemOut(Schema):
    index: int
    key: str
    digest: str
    label: str | None
    split: str | None
    width: int | None
    height: int | None
    duration: float | None
    """Seconds of a sound or video, where its header says so."""
    media_type: str | None
    """Null of texts, which are shown as a table."""
    size: int
    url: str
    screen_url: str
    """What a page shows: of a picture too large for that, or that no browser shows, one as wide as a screen."""
    thumbnail_url: str


class ItemsOut(Schema):
    items: list[ItemOut]
    offset: int
    total: int
    labels: list[str]


ChangeKind = Literal["added", "removed", "content", "label", "split", "annotations", "data"]


class SaidOut(Inner):
    """One side of a region or an answer. `outline`: corners in percent of the picture; one point of a key point, none of a text."""

    labels: list[str]
    text: str
    outline: list[list[float]]


class RegionChangeOut(Inner):
    """`overlap` (0 to 1): how much of a region that moved still covers what it did."""

    what: Literal["added", "removed", "moved", "relabelled", "answered", "same"]
    control: str
    overlap: float | None
    before: SaidOut | None
    after: SaidOut | None


class ItemSideOut(Inner):
    """An item in one of two versions, and who labelled it there, when, decided how and under which wording (`schema@version`)."""

    label: str | None
    split: str | None
    width: int | None
    height: int | None
    size: int
    media_type: str
    url: str
    screen_url: str
    """What a page shows: of a picture too large for that, or that no browser shows, one as wide as a screen."""
    thumbnail_url: str
    wording: str | None
    labelled_by: str | None
    labelled_at: str | None
    how: str | None


class ItemChangeOut(Inner):
    key: str
    kinds: list[ChangeKind]
    before: ItemSideOut | None
    after: ItemSideOut | None
    regions: list[RegionChangeOut]
    more_regions: int


class CellChangeOut(Inner):
    column: str
    before: Any
    after: Any


class RowChangeOut(Inner):
    """A row by its number, from 0."""

    row: int
    cells: list[CellChangeOut]


class ColumnChangeOut(Inner):
    """`before` and `after` are its types; `cells` how many rows say something else."""

    name: str
    change: Literal["added", "removed", "retyped", "changed", "same"]
    before: str | None
    after: str | None
    cells: int


class ChangesOut(Schema):
    """From version `since` to version `number`: of images and texts `kinds` and `items`, of a table `columns` and `rows`."""

    since: int
    number: int
    modality: Modality
    added: int
    removed: int
    changed: int
    unchanged: int
    kinds: dict[ChangeKind, int]
    items: list[ItemChangeOut]
    columns: list[ColumnChangeOut]
    rows: list[RowChangeOut]
    offset: int
    total: int


class Histogram(Schema):
    edges: list[float]
    counts: list[int]


class ColumnProfile(Schema):
    name: str
    type: ColumnType
    count: int
    missing: int
    distinct: int
    distinct_is_estimate: bool = False
    minimum: float | str | None = None
    maximum: float | str | None = None
    mean: float | None = None
    std: float | None = None
    quantiles: dict[str, float] = {}
    """Keys "0.01", "0.05", "0.25", "0.5", "0.75", "0.95", "0.99"."""
    histogram: Histogram | None = None
    top_values: list[tuple[str, int]] = []


class ImageProfile(Schema):
    formats: dict[str, int]
    modes: dict[str, int]
    width: Histogram
    height: Histogram


class MediaProfile(Schema):
    """Of sounds and videos. `seconds` are those of all whose length is known; of `unknown` it is not."""

    codecs: dict[str, int]
    channels: dict[str, int]
    sample_rates: dict[str, int]
    seconds: float
    unknown: int
    duration: Histogram


class ProfileOut(Schema):
    status: ProfileStatus
    rows: int = 0
    duplicates: int = 0
    """Rows (or files, by hash) equal to an earlier one."""
    columns: list[ColumnProfile] = []
    images: ImageProfile | None = None
    media: MediaProfile | None = None
    classes: list[tuple[str, int]] = []
    error: str = ""
