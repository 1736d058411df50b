"""A port through which another pipeline hands something to this one."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from workers.sdk.component import component
from workers.sdk.errors import StepError
from workers.sdk.kinds import Artifact


@component(resources="io", passes={"artifact": "@kind"})
def pipeline_input(
    default: Annotated[
        Artifact | None, Field(description="What is taken where nothing is handed in: when this pipeline runs by itself.")
    ] = None,
    *,
    name: Annotated[str, Field(description="The input's name.", max_length=60, pattern=r"^[a-z][a-z0-9_]*$")],
    kind: Annotated[
        Literal["Table", "Images", "Recipe", "Model", "Metrics", "Figures", "Values"], Field(description="What arrives through it.")
    ] = "Table",
) -> Annotated[Artifact, Field(title="What arrives", description="What the other pipeline hands in.")]:
    """Pipeline input

    Makes an input of this pipeline, for use as a step of another. Connect something to it, and the
    pipeline can also be run (and tried) by itself.
    """
    if default is None:
        raise StepError(
            f"Nothing was handed to the input “{name}”.",
            hint="Connect something to “Default”, or use this pipeline as a step of another.",
            field="default",
        )
    if default.kind != kind:
        raise StepError(f"The input “{name}” takes {kind}; {default.kind} arrived.", field="default")
    return default
