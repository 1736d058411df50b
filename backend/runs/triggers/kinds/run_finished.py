"""Another run has ended. Its events are written by the database (`triggers/run_finished.sql`), which also applies the filters."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from backend.runs.triggers.kind import Kind

Ending = Literal["succeeded", "failed", "cancelled"]


class Config(BaseModel):
    pipeline: Annotated[
        str | None,
        Field(
            title="Of this pipeline", max_length=60, json_schema_extra={"format": "pipeline-name"}, description="Empty: of any pipeline."
        ),
    ] = None
    statuses: Annotated[list[Ending], Field(title="Ended as", min_length=1, max_length=3, description="How the run must have ended.")] = [
        "succeeded"
    ]


def describe(config: Config) -> str:
    return f"when a run of {config.pipeline or 'any pipeline'} has {' or '.join(config.statuses).replace('cancelled', 'been cancelled')}"


KIND = Kind(
    name="run_finished",
    title="Run finished",
    about="When another run has ended: chain pipelines, or react to a failure.",
    order=40,
    listens="studio",
    config=Config,
    describe=describe,
    example={
        "id": "0198",
        "source": "run",
        "type": "run_finished",
        "time": "2026-03-01T05:00:00Z",
        "data": {
            "run": "0198",
            "number": 12,
            "name": "",
            "status": "succeeded",
            "pipeline": "income",
            "pipeline_name": "Income",
            "version": 3,
            "metrics": {"roc_auc": 0.91},
        },
    },
)
