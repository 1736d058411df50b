"""The shapes of `artifacts` that cross HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Field, Schema

from backend.core.schemas import Plain


class ArtifactOut(Plain):
    """`metadata` is what the kind says of itself (columns and row count of a table, image count …)."""

    id: UUID
    kind: str
    digest: str
    size: int
    media_type: str
    metadata: dict[str, Any]
    created_at: datetime


class TablePreview(Schema):
    type: Literal["table"] = "table"
    columns: list[dict[str, str]]
    rows: list[list[Any]]
    total: int


class ImagesPreview(Schema):
    """`url` of each image is relative to the studio and needs the session."""

    type: Literal["images"] = "images"
    images: list[dict[str, Any]]
    total: int


class FiguresPreview(Schema):
    """Plotly figures: `[{title, figure: {data, layout}}]`."""

    type: Literal["figures"] = "figures"
    figures: list[dict[str, Any]]


class JsonPreview(Schema):
    type: Literal["json"] = "json"
    value: Any


class CardPreview(Schema):
    """A model card as Markdown plus the manifest it was made from."""

    type: Literal["card"] = "card"
    markdown: str
    manifest: dict[str, Any]


Preview = Annotated[TablePreview | ImagesPreview | FiguresPreview | JsonPreview | CardPreview, Field(discriminator="type")]


class LineageNode(Schema):
    type: Literal[
        "dataset_version", "label_schema_version", "pipeline_version", "run", "step_run", "artifact", "model_version", "deployment"
    ]
    id: str
    label: str
    href: str


class LineageOut(Schema):
    nodes: list[LineageNode]
    edges: list[tuple[str, str, str]]
    """(from id, to id, relation)"""


class PyramidAtOut(Schema):
    """Where an image lies that is shown in tiles: `tiles` is followed by /level/column/row."""

    overview: str
    pyramid: str
    tiles: str


class PyramidOut(Schema):
    """An image in tiles of `tile` × `tile` pixels; `width` and `height` are those of level 0."""

    width: int
    height: int
    tile: int
    levels: int
    progress: float = Field(ge=0, le=1)
