"""A data set has a new frozen version."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from backend.runs.triggers.kind import Kind


class Config(BaseModel):
    dataset: Annotated[
        str | None,
        Field(
            title="Data set",
            max_length=60,
            json_schema_extra={"format": "dataset-name"},
            description="Only versions of this one. Empty: of any.",
        ),
    ] = None


def describe(config: Config) -> str:
    return f"when a version of {config.dataset or 'any data set'} is frozen"


def matches(config: dict[str, Any], data: dict[str, Any]) -> bool:
    return config.get("dataset") in (None, "", data["dataset"])


KIND = Kind(
    name="dataset_version",
    title="New data set version",
    about="When a version of a data set is frozen: train again on what is new.",
    order=30,
    listens="studio",
    config=Config,
    describe=describe,
    matches=matches,
    example={
        "id": "0198",
        "source": "dataset",
        "type": "dataset_version",
        "time": "2026-03-01T05:00:00Z",
        "data": {"dataset": "orders", "version": 7, "reference": "orders@7", "rows": 1200, "modality": "table"},
    },
)
