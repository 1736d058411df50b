"""The shape of a graph: its types, its one normal form, and its digest.

What counts for the digest: the pipeline's parameters, the steps' keys, components, names, parameters, inputs, retries, time limits,
how they are run (`flow`) and what they need (`needs`). Positions and notes do not: they change neither what runs nor what a run shows.
Names do count, because a run shows them: after a rename the next run must say the new name, so it needs a new version.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict, cast

from workers.sdk.graph.flow import Map, Pin, Repeat, Undo, normalise_flow
from workers.sdk.graph.needs import Needs
from workers.sdk.graph.parameters import normalise_parameters
from workers.sdk.graph.plain import KEY, OUTPUT, GraphError, plain, storable, text, whole

MAX_STEPS = 10_000


class InputRef(TypedDict):
    step: str
    output: str


class Position(TypedDict):
    x: float
    y: float


class Step(TypedDict):
    component: str
    name: str
    parameters: dict[str, Any]
    inputs: dict[str, list[InputRef]]
    position: Position | None
    retries: int
    timeout_s: int | None
    note: str
    map: NotRequired[Map]
    repeat: NotRequired[Repeat]
    undo: NotRequired[Undo]
    retry_on: NotRequired[list[str]]
    needs: NotRequired[Needs]
    pin: NotRequired[Pin]


class Graph(TypedDict):
    steps: dict[str, Step]
    parameters: NotRequired[dict[str, dict[str, Any]]]


class Column(TypedDict):
    name: str
    type: str


class Problem(TypedDict):
    severity: Literal["error", "warning"]
    step: str | None
    port: str | None
    parameter: str | None
    code: str
    message: str
    hint: str


def reference(text: object, field: str) -> InputRef:
    """`step.output` as a reference."""
    step, dot, output = str(text).partition(".")
    if not isinstance(text, str) or not dot or not KEY.fullmatch(step) or not OUTPUT.fullmatch(output):
        raise GraphError(f"“{text}” does not name an output; write it as step.output, for example read.table.", field)
    return {"step": step, "output": output}


def _coordinate(value: object, field: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or abs(value) > 1e9:
        raise GraphError("must be a number between -1e9 and 1e9.", field)
    return plain(round(value, 1), field)  # type: ignore[no-any-return]  # a number in, a number out


def _inputs(value: object, field: str) -> dict[str, list[InputRef]]:
    if not isinstance(value, Mapping):
        raise GraphError("must be an object: port → outputs.", field)
    result: dict[str, list[InputRef]] = {}
    for port in sorted(value, key=str):
        if not isinstance(port, str) or not OUTPUT.fullmatch(port):
            raise GraphError(f"{port!r} is not the name of a port.", field)
        wires = value[port]
        refs: list[InputRef] = []
        for wire in wires if isinstance(wires, list | tuple) else [wires]:
            if isinstance(wire, Mapping):
                wire = f"{wire.get('step')}.{wire.get('output')}"
            ref = reference(wire, f"{field}.{port}")
            if ref not in refs:
                refs.append(ref)
        if refs:
            result[port] = refs
    return result


def _step(value: object, field: str) -> Step:
    if not isinstance(value, Mapping):
        raise GraphError("must be an object with at least `component`.", field)
    component = value.get("component")
    if not isinstance(component, str) or not component or len(component) > 80:
        raise GraphError("must name the component of this step (at most 80 characters).", f"{field}.component")
    parameters = value.get("parameters") or {}
    if not isinstance(parameters, Mapping):
        raise GraphError("must be an object: parameter → value.", f"{field}.parameters")
    position, timeout = value.get("position"), value.get("timeout_s")
    if position is not None and not isinstance(position, Mapping):
        raise GraphError("must be an object with x and y.", f"{field}.position")
    found: Step = {
        "component": storable(component, f"{field}.component"),
        "name": text(value.get("name"), f"{field}.name", 120),
        "parameters": plain(parameters, f"{field}.parameters"),
        "inputs": _inputs(value.get("inputs") or {}, f"{field}.inputs"),
        "position": None
        if position is None
        else {"x": _coordinate(position.get("x"), f"{field}.position.x"), "y": _coordinate(position.get("y"), f"{field}.position.y")},
        "retries": whole(value.get("retries") or 0, f"{field}.retries", 0, 10),
        "timeout_s": None if timeout is None else whole(timeout, f"{field}.timeout_s", 1, 604_800),
        "note": text(value.get("note"), f"{field}.note", 2000),
    }
    found.update(normalise_flow(value, field))
    return found


def normalise(graph: Mapping[str, Any], *, repair: bool = False) -> Graph:
    """The one form of a graph: every field present, keys sorted, equal numbers written equally, no wire twice.

    `repair` also drops wires from steps that do not exist: merging two people's edits can leave such wires when one
    deletes a step that the other connects. Raises GraphError for what is no graph.
    """
    steps = graph.get("steps") if isinstance(graph, Mapping) else None
    if steps is None:
        steps = {}
    if not isinstance(steps, Mapping):
        raise GraphError("must be an object: key → step.", "steps")
    if len(steps) > MAX_STEPS:
        raise GraphError(f"has {len(steps)} steps; at most {MAX_STEPS} are allowed.", "steps")
    for key in steps:
        if not isinstance(key, str) or not KEY.fullmatch(key):
            raise GraphError(f"{key!r} is not a step's key: a small letter, then small letters, digits and _, at most 60.", "steps")
    result = {key: _step(steps[key], f"steps.{key}") for key in sorted(steps)}
    if repair:
        for step in result.values():
            kept = {port: [ref for ref in refs if ref["step"] in result] for port, refs in step["inputs"].items()}
            step["inputs"] = {port: refs for port, refs in kept.items() if refs}
    declared = normalise_parameters(graph.get("parameters") if isinstance(graph, Mapping) else None)
    return cast(Graph, Normal(steps=result, parameters=declared) if declared else Normal(steps=result))


class Normal(dict[str, Any]):
    """What `normalise` gave: who only reads wires and components need not have it made again."""


def normal(graph: Mapping[str, Any]) -> Graph:
    """The graph in a form that can be walked: itself, where it has been normalised (and perhaps given other values since)."""
    return cast(Graph, graph) if isinstance(graph, Normal) else normalise(graph)


def digest(graph: Mapping[str, Any], *, normal: bool = False) -> str:
    """SHA-256 (hex) of what decides a run; see the module's docstring for what counts. `normal`: `normalise` gave the graph, and nothing
    has been changed in it since."""
    form = graph if normal else normalise(graph)
    counted = {key: {k: v for k, v in step.items() if k not in ("position", "note")} for key, step in form["steps"].items()}
    told = json.dumps({**form, "steps": counted}, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(told.encode()).hexdigest()
