"""A signed request to an address of the trigger's own. What is accepted is in `triggers/hooks.py`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from backend.runs.triggers.kind import Kind


class Config(BaseModel):
    types: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=200)]],
        Field(
            title="Only these types",
            max_length=50,
            description="Types of CloudEvents, or events as GitHub names them (“push”); others are kept but start nothing. Empty: all.",
        ),
    ] = []
    tolerance_s: Annotated[
        int,
        Field(
            title="Seconds a signature is good",
            ge=10,
            le=3600,
            description="A request whose signed time is further off is refused.",
            json_schema_extra={"x-advanced": True},
        ),
    ] = 300


def describe(config: Config) -> str:
    if config.types:
        return f"when a signed request of type {' or '.join(config.types[:3])}{' …' if len(config.types) > 3 else ''} comes"
    return "when a signed request comes"


KIND = Kind(
    name="webhook",
    title="Webhook",
    about="When another program sends a signed request. CloudEvents and GitHub are understood.",
    order=20,
    listens="http",
    config=Config,
    describe=describe,
    example={
        "id": "a1",
        "source": "shop",
        "type": "order.batch.ready",
        "time": "2026-03-01T05:00:00Z",
        "data": {"version": "orders@7", "rows": 1200},
    },
)
