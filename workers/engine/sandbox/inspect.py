"""From source text to a component's spec (title, help, ports, form), or to what is wrong with the text. It is evaluated in a sandbox.

`python -m workers.engine.sandbox.inspect < step.py` prints it as JSON, for programs that must not import the engine.
"""

from __future__ import annotations

import json
import sys
import time
import uuid
from typing import Annotated, Any

from jsonschema import Draft202012Validator, SchemaError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workers.engine.isolate import Ended
from workers.engine.perform import TimedOut
from workers.engine.sandbox.box import Box
from workers.engine.sandbox.limits import INSPECTION, Limits
from workers.engine.sandbox.machine import Machine, Mode, NoSandbox, probe
from workers.engine.sandbox.run import SOURCE, place, start
from workers.sdk.graph.code import LIMITS, version_of
from workers.sdk.kinds import KINDS

Json = dict[str, Any]
SCHEMA = 256 * 1024
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=80)]
Text = Annotated[str, Field(max_length=20_000)]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Port(_Closed):
    """As `workers.sdk.component.Port`."""

    name: Name
    kind: str
    title: Annotated[str, Field(max_length=200)]
    help: Text
    required: bool
    many: bool


class Spec(_Closed):
    """What `workers.sdk.component.Component` would say of itself. `parameters` is JSON Schema."""

    name: Name
    title: Annotated[str, Field(max_length=200)]
    summary: Text
    help: Text
    inputs: Annotated[list[Port], Field(max_length=50)]
    outputs: Annotated[list[Port], Field(max_length=50)]
    parameters: dict[str, Any]
    cacheable: bool


class Problem(_Closed):
    """What is wrong with the text. Line 0 is the whole of it."""

    line: Annotated[int, Field(ge=0)]
    message: Annotated[str, Field(max_length=2000)]
    hint: Annotated[str, Field(max_length=2000)]


class Inspection(_Closed):
    """Either a spec, or problems. `version` decides, with parameters and inputs, what a run gives: part of the cache key."""

    spec: Spec | None = None
    problems: Annotated[list[Problem], Field(max_length=100)] = []
    version: str = ""


class _Silent:
    """Nobody reads what a text prints while it is only looked at."""

    def lines(self, stream: str, texts: list[str], level: str = "") -> None: ...
    def progress(self, fraction: float, message: str) -> None: ...
    def metric(self, name: str, value: float, index: float) -> None: ...

    def cancelled(self) -> bool:
        return False


def inspect(source: str, *, mode: Mode | None = None, machine: Machine | None = None, limits: Limits = INSPECTION) -> Inspection:
    """Evaluate `source` in a sandbox with tight limits. Raises NoSandbox; whatever the text does wrong is a problem in the answer."""
    found = machine or probe()
    chosen = found.choose(mode)
    if len(source.encode("utf-8", "surrogatepass")) > SOURCE:
        return _wrong(f"The code is longer than {SOURCE // 1024} KiB.", "Put data into a data set, and a library into a plug-in.")
    box = Box(place() / f"inspect-{uuid.uuid4().hex[:12]}", found, chosen, limits)
    try:
        box.make()
        answer = start(box, {"do": "inspect", "source": source}, _Silent(), time.monotonic() + limits.wall_s)
    except TimedOut:
        return _wrong(
            "The text takes too long to load.", "Import and compute inside the function: the top of the text runs whenever it is looked at."
        )
    except Ended as exc:
        return _wrong(exc.ended[1]["message"], exc.ended[1]["hint"] or "The top of the text runs whenever it is looked at.")
    finally:
        box.remove()
    answer = {k: answer[k] for k in ("spec", "problems") if k in answer}
    try:
        made = Inspection.model_validate({**answer, "version": version_of(source)})
        if made.spec is not None:
            _look_at(made.spec)
        elif not made.problems:
            raise ValueError("it says neither what it is nor what is wrong")
    except (ValidationError, SchemaError, ValueError, RecursionError) as exc:
        return _wrong("The text does not describe a step that can be shown.", str(exc)[:500])
    return made


def _look_at(spec: Spec) -> None:
    """What the types do not say. The text may have answered in the place of the kit."""
    if unknown := {p.kind for p in (*spec.inputs, *spec.outputs)} - KINDS.keys():
        raise ValueError(f"there is no kind {min(unknown)}")
    for ports in (spec.inputs, spec.outputs):
        if len({p.name for p in ports}) != len(ports):
            raise ValueError("two ports have the same name")
    if len(json.dumps(spec.parameters, allow_nan=False)) > SCHEMA:
        raise ValueError("the form is too large")
    if spec.parameters.get("type") != "object" or not isinstance(spec.parameters.get("properties"), dict):
        raise ValueError("the form is no object with properties")
    if taken := LIMITS.keys() & spec.parameters["properties"].keys():
        raise ValueError(f"“{min(taken)}” is the name of a limit of every code step: call your parameter something else")
    _local(spec.parameters)
    Draft202012Validator.check_schema(spec.parameters)


def _local(part: object) -> None:
    """No reference out of the schema: whoever checks a value against it would fetch it."""
    if isinstance(part, dict):
        for key in ("$ref", "$dynamicRef", "$id", "$schema"):
            if key in part and not (isinstance(part[key], str) and part[key].startswith("#")):
                raise ValueError(f"the form refers to something outside ({key})")
        for value in part.values():
            _local(value)
    elif isinstance(part, list):
        for value in part:
            _local(value)


def _wrong(message: str, hint: str) -> Inspection:
    return Inspection(problems=[Problem(line=0, message=message[:2000], hint=hint[:2000])])


def main() -> None:
    """For programs: source text on standard input; on standard output the inspection, or `{"no_sandbox": {message, hint}}`."""
    try:
        print(inspect(sys.stdin.read()).model_dump_json())
    except NoSandbox as exc:
        print(json.dumps({"no_sandbox": {"message": exc.message, "hint": exc.hint}}))


if __name__ == "__main__":
    main()
