"""The shapes of `registry` that cross HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import Field, Schema

from backend.core.schemas import Number, UserOut
from backend.pipelines.schemas import StepKey

Alias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]


class ModelOut(Schema):
    id: UUID
    slug: str
    name: str
    description: str
    task: str
    latest_version: int | None
    aliases: dict[str, int]
    metrics: dict[str, float]
    """Of the newest version."""
    endpoints: list[str]
    """Endpoints where a version of this model answers now."""
    updated_at: datetime


class ModelPatch(Schema):
    description: Annotated[str, Field(max_length=20_000)]


class RegisterIn(Schema):
    """Register a Model artifact as the next version of model `model` (made when missing).
    Sent by the register component with its step's token; the step run is the idempotency key."""

    model: Annotated[str, Field(min_length=1, max_length=120)]
    artifact: str
    """Digest of the Model artifact."""
    metrics: dict[str, Any] = {}
    parity: dict[str, Any] = {}
    """The check of ONNX answers against the original's: largest_difference, rows, tolerance."""
    step: StepKey | None = None
    description: str = ""
    aliases: list[Alias] = []


class ModelVersionOut(Schema):
    id: UUID
    model: str
    number: int
    task: str
    framework: str
    aliases: list[str]
    metrics: dict[str, Any]
    """name → {value, low?, high?} (95 % bootstrap interval)."""
    parity: dict[str, Any]
    manifest: dict[str, Any]
    """The model's own manifest: input and output schema, label names, preprocessing."""
    artifact: UUID
    size: int
    run: UUID | None
    run_number: int | None
    step: str | None
    pipeline: str | None
    pipeline_version: int | None
    dataset_versions: list[str]
    parameters: dict[str, Any]
    description: str
    created_by: UserOut | None
    created_at: datetime


class AliasIn(Schema):
    version: Number
