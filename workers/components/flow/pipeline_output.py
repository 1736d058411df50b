"""A port through which this pipeline hands something to the one that uses it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from workers.sdk.component import component
from workers.sdk.kinds import Artifact


@component(resources="io", passes={"artifact": "value"})
def pipeline_output(
    value: Annotated[Artifact, Field(description="What is handed out.")],
    *,
    name: Annotated[str, Field(description="The output's name.", max_length=60, pattern=r"^[a-z][a-z0-9_]*$")],
) -> Annotated[Artifact, Field(title="What leaves", description="What the other pipeline gets.")]:
    """Pipeline output

    Makes an output of this pipeline, for use as a step of another.
    """
    return value
