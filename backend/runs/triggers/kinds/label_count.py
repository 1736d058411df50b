"""A label schema has so many more labels that people have said. Counted every few seconds (`triggers/counting.py`), not when submitted."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from backend.runs.triggers.kind import Kind


class Config(BaseModel):
    label_schema: Annotated[str, Field(title="Label schema", min_length=1, max_length=60, description="Whose labels are counted.")]
    every: Annotated[
        int,
        Field(title="Every so many labels", ge=1, le=1_000_000, description="Items with a ground truth that are new since the last time."),
    ] = 100


def describe(config: Config) -> str:
    return f"after every {config.every:,} new labels of {config.label_schema}"


KIND = Kind(
    name="label_count",
    title="Label count reached",
    about="When people have labelled so many more items: train again on them.",
    order=35,
    listens="studio",
    config=Config,
    describe=describe,
    example={
        "id": "0198",
        "source": "shapes",
        "type": "label_count",
        "time": "2026-03-01T05:00:00Z",
        "data": {"label_schema": "shapes", "labels": 300, "new": 100, "dataset": "shapes"},
    },
)
