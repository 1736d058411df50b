"""Where branches meet again."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from workers.sdk.component import component
from workers.sdk.kinds import Artifact


@component(resources="io", passes={"artifact": "branches"})
def first_of(
    branches: Annotated[list[Artifact], Field(description="The ends of branches, in the order of preference.")],
) -> Annotated[Artifact, Field(title="What came", description="What came through the first branch that was taken.")]:
    """First of

    Joins branches again: goes on with what came through the first of them that was taken. Runs as soon as all have ended or
    were passed over.
    """
    return branches[0]
