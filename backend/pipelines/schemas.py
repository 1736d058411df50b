"""The shapes of `pipelines` that cross HTTP. A graph's own shape is `workers.sdk.graph`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Field, Schema

from backend.core.schemas import WHOLE, Inner, Name, Slug, UserOut

StepKey = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
PortName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,59}$")]
LabelName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9._/-]{0,61}[a-z0-9])?$")]
LabelValue = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$")]
Coordinate = Annotated[float, Field(strict=True, ge=-1e9, le=1e9)]


def _only_such_keys(schema: dict[str, Any]) -> None:
    """Every key must look like that; pydantic's `patternProperties` would say that others may be there too and mean anything."""
    ((pattern, inner),) = schema.pop("patternProperties").items()
    schema |= {"propertyNames": {"pattern": pattern}, "additionalProperties": inner}


class PortOut(Schema):
    name: str
    kind: str
    title: str
    help: str
    required: bool
    many: bool
    """True where several wires may end here (a list of artifacts)."""


class ComponentOut(Schema):
    """One entry of the palette, derived from the component's one file."""

    name: str
    title: str
    stage: str
    summary: str
    help: str
    inputs: list[PortOut]
    outputs: list[PortOut]
    parameters: dict[str, Any]
    """JSON Schema (draft 2020-12) of an object. Formats that have a widget of their own:
    `column`/`columns` (with `x-port`), `dataset-version`, `expression` (with `x-port`), `model-name`, `endpoint-name`, `seed`."""
    resources: Literal["io", "cpu", "gpu"]
    cacheable: bool
    passes: dict[str, str] = {}
    """Output → the input whose kind it hands on (`@name`: the kind that the parameter `name` says)."""
    changes: bool = False
    """Whether it changes the platform, or asks somebody: dry runs leave it out."""
    undo: str = ""
    """The component that puts right what this one did, when its run fails or is cancelled."""
    version: str


class KindOut(Schema):
    name: str
    title: str
    color: str
    shape: str
    """A second cue beside colour: circle, square, diamond, triangle, hexagon."""
    help: str


class CatalogOut(Schema):
    stages: list[dict[str, str]]
    kinds: list[KindOut]
    components: list[ComponentOut]


class InputRef(Inner):
    step: StepKey
    output: PortName


class Position(Inner):
    x: Coordinate
    y: Coordinate


class MapIn(Inner):
    """Run the step once a shard: over the list or table at `port`, or once for each of `values`."""

    port: PortName | None = None
    size: Annotated[int, Field(ge=1, le=2**31 - 1), WHOLE] | None = None
    """Rows a shard, where a table or images arrive."""
    values: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=10_000)] | None = None
    at_once: Annotated[int, Field(ge=1, le=10_000), WHOLE] | None = None
    policy: Literal["all", "any"] | Annotated[int, Field(ge=1, le=10_000), WHOLE] | None = None
    """How many shards must succeed."""


class RepeatIn(Inner):
    """Run the step round after round: until the condition over its metrics holds, or `at_most` times."""

    at_most: Annotated[int, Field(ge=1, le=1_000), WHOLE]
    until: Annotated[str, Field(max_length=4000)] = ""
    carry: Annotated[dict[PortName, PortName], Field(json_schema_extra=_only_such_keys)] = {}
    """Input → the output of the round before that it takes."""


class UndoIn(Inner):
    component: Annotated[str, Field(min_length=1, max_length=80)]
    parameters: dict[str, Any] = {}


class NeedsIn(Inner):
    gpu: Annotated[int, Field(ge=0, le=64), WHOLE] | None = None
    """Devices for this step alone; 0: none, also where there are some. Not said: one where there is one, if the component likes it."""
    memory_gb: Annotated[float, Field(gt=0, le=100_000)] | None = None
    labels: Annotated[dict[LabelName, LabelValue], Field(max_length=20, json_schema_extra=_only_such_keys)] = {}


class PinIn(Inner):
    """Take what that step of that run gave, and do not run this one."""

    step_run: UUID
    run: Annotated[int, Field(ge=1, le=2**31 - 1), WHOLE]
    """The run's number, to show."""


class StepIn(Inner):
    component: Annotated[str, Field(min_length=1, max_length=80)]
    name: Annotated[str, Field(max_length=120)] = ""
    parameters: dict[str, Any] = {}
    inputs: Annotated[dict[PortName, list[InputRef]], Field(json_schema_extra=_only_such_keys)] = {}
    """Port name → the outputs wired to it (one, or several where the port takes many)."""
    position: Position | None = None
    retries: Annotated[int, Field(ge=0, le=10), WHOLE] = 0
    timeout_s: Annotated[int, Field(ge=1, le=604_800), WHOLE] | None = None
    note: Annotated[str, Field(max_length=2000)] = ""
    map: MapIn | None = None
    repeat: RepeatIn | None = None
    undo: UndoIn | None = None
    retry_on: list[Literal["api", "crash", "exit", "out_of_memory", "timeout"]] = []
    """Which classes of error are tried again; empty: all that may help."""
    needs: NeedsIn | None = None
    """What the host that runs it must have."""
    pin: PinIn | None = None


class ParameterIn(Inner):
    """A parameter of the pipeline: what is filled in when a run starts. Steps take it as `{"$parameter": name}`."""

    type: Literal["string", "number", "integer", "boolean"]
    title: Annotated[str, Field(max_length=120)] = ""
    description: Annotated[str, Field(max_length=500)] = ""
    default: str | float | bool | None = None
    enum: Annotated[list[str | float | bool], Field(min_length=1, max_length=200)] | None = None
    minimum: float | None = None
    maximum: float | None = None
    format: Literal["dataset-version", "model-name", "endpoint-name", "date", "multiline"] | None = None


class Graph(Inner):
    """Steps by key. The same object travels as draft, version, run snapshot and YAML."""

    parameters: Annotated[dict[StepKey, ParameterIn], Field(json_schema_extra=_only_such_keys)] = {}
    steps: Annotated[dict[StepKey, StepIn], Field(json_schema_extra=_only_such_keys)] = {}


class GraphProblem(Schema):
    severity: Literal["error", "warning"]
    step: str | None = None
    port: str | None = None
    parameter: str | None = None
    code: str
    message: str
    hint: str = ""


class ColumnInfo(Schema):
    name: str
    type: str


class CheckOut(Schema):
    """`schemas[step][output]` is what is known of the columns there; absent where unknown."""

    problems: list[GraphProblem]
    schemas: dict[str, dict[str, list[ColumnInfo]]]
    digest: str


class PipelineIn(Schema):
    """From a template, a graph or YAML. `parameters`: values for steps of the template, by step."""

    name: Name
    description: Annotated[str, Field(max_length=5000)] = ""
    template: str | None = None
    parameters: dict[str, dict[str, Any]] = {}
    graph: Graph | None = None
    yaml: str | None = None


class PipelinePatch(Schema):
    name: Name | None = None
    description: Annotated[str, Field(max_length=5000)] | None = None


class PipelineOut(Schema):
    id: UUID
    slug: str
    name: str
    description: str
    steps: int
    latest_version: int | None
    draft_digest: str
    published_digest: str | None
    created_by: UserOut | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


class DraftOut(Schema):
    """`base` is the number to send back with the next save."""

    base: int
    graph: Graph
    digest: str
    updated_at: datetime


class DraftIn(Schema):
    """Replaces the draft. `base` is the draft the edit started from; a stale one is refused (409)."""

    base: Annotated[int, Field(ge=0, le=2**63 - 1), WHOLE]
    graph: Graph


class PublishIn(Schema):
    note: Annotated[str, Field(max_length=2000)] = ""


class PipelineVersionBrief(Schema):
    number: int
    digest: str
    note: str
    created_by: UserOut | None
    created_at: datetime


class PipelineVersionOut(PipelineVersionBrief):
    graph: Graph


class YamlOut(Schema):
    yaml: str
    digest: str


class YamlIn(Schema):
    yaml: Annotated[str, Field(max_length=2_000_000)]
    slug: Slug | None = None
    """Where to import to; an existing pipeline gets a new draft and version, else one is made."""


class TemplateOut(Schema):
    """A pipeline that ships with the studio. `dataset` tells what it needs; `demo` is set when the studio
    can fetch real data for it, so that one click starts it."""

    slug: str
    title: str
    summary: str
    modality: str
    graph: Graph
    demo: str | None


Source = Annotated[str, Field(min_length=1, max_length=200_000)]
"""The text of a code step: Python."""


class CodeText(Schema):
    source: Source


class CodeIn(Schema):
    name: Name
    source: Source
    note: Annotated[str, Field(max_length=2000)] = ""


class CodeVersionIn(Schema):
    source: Source
    note: Annotated[str, Field(max_length=2000)] = ""


class CodeProblem(Schema):
    line: int
    """Counted from 1; 0 is the whole text."""
    message: str
    hint: str


class CodeCheckOut(Schema):
    """Either what the step will be (its ports, its form), or what is wrong with the text."""

    component: ComponentOut | None
    problems: list[CodeProblem]


class CodeOut(Schema):
    """`title` is what its newest version calls itself; steps name it as `code:slug@version`."""

    id: UUID
    slug: str
    name: str
    title: str
    latest_version: int
    created_by: UserOut | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


class CodeVersionBrief(Schema):
    number: int
    digest: str
    note: str
    created_by: UserOut | None
    created_at: datetime


class CodeVersionOut(CodeVersionBrief):
    slug: str
    source: str
    component: ComponentOut


class CodeMember(Schema):
    name: str
    kind: str
    signature: str
    help: str


class CodeWord(CodeMember):
    """A name that a text may use without importing it, and what can be asked of it."""

    members: list[CodeMember]
