"""The shape of a graph: its types, its one normal form, and its digest.

What counts for the digest: the steps' keys, components, names, parameters, inputs, retries and time limits. Positions and notes do
not: they change neither what runs nor what a run shows. Names do count, because a run shows them: after a rename
the next run must say the new name, so it needs a new version.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from typing import Any, Literal, TypedDict

KEY = re.compile(r"[a-z][a-z0-9_]{0,59}")
"""A step's key. It is part of addresses, YAML, and `step.output` references, so it has no dots."""
OUTPUT = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,59}")
MAX_STEPS = 2_000
MAX_DEPTH = 32
"""Of a parameter's value: deeper JSON is an attack or a mistake, and would exhaust the stack."""
EXACT = 2**53
"""Whole numbers up to here survive JavaScript, JSON columns and Yjs unchanged; above it every number is a double."""


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


class Graph(TypedDict):
    steps: dict[str, Step]


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


class GraphError(ValueError):
    """Something that is no graph at all (not merely one with problems). `field` is the path to it."""

    def __init__(self, message: str, field: str = ""):
        self.field = field
        super().__init__(f"{field}: {message}" if field else message)


def reference(text: object, field: str) -> InputRef:
    """`step.output` as a reference."""
    step, dot, output = str(text).partition(".")
    if not isinstance(text, str) or not dot or not KEY.fullmatch(step) or not OUTPUT.fullmatch(output):
        raise GraphError(f"“{text}” does not name an output; write it as step.output, for example read.table.", field)
    return {"step": step, "output": output}


def _text(value: object, field: str, limit: int) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise GraphError("must be text.", field)
    if len(value) > limit:
        raise GraphError(f"is {len(value)} characters long; at most {limit} are allowed.", field)
    return _storable(value, field)


def _storable(value: str, field: str) -> str:
    """PostgreSQL's JSON can hold neither NUL nor half of a surrogate pair."""
    if "\x00" in value or any("\ud800" <= c <= "\udfff" for c in value):
        raise GraphError("contains a character that cannot be stored (NUL or half of a surrogate pair).", field)
    return value


def plain(value: object, field: str, depth: int = 0) -> Any:
    """A JSON value in its normal form: 1.0 and 1 are the same number, as they are in JSON and JavaScript."""
    if depth > MAX_DEPTH:
        raise GraphError(f"is nested deeper than {MAX_DEPTH} levels.", field)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _storable(value, field)
    if isinstance(value, int | float):
        try:
            number = float(value)
        except OverflowError:
            raise GraphError("is a number too large to be stored exactly.", field) from None
        if not math.isfinite(number):
            raise GraphError("must be a finite number.", field)
        return int(value) if abs(number) <= EXACT and number == int(number) else number
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise GraphError(f"has the key {key!r}, which is not text; put it in quotes.", field)
            _storable(key, field)
        return {key: plain(value[key], f"{field}.{key}", depth + 1) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [plain(item, f"{field}.{index}", depth + 1) for index, item in enumerate(value)]
    raise GraphError(f"is a {type(value).__name__}; only text, numbers, true/false, null, lists and objects can be stored.", field)


def _whole(value: object, field: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value != int(value):
        raise GraphError(f"must be a whole number from {low} to {high}.", field)
    if not low <= value <= high:
        raise GraphError(f"is {int(value)}; it must be from {low} to {high}.", field)
    return int(value)


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
    return {
        "component": _storable(component, f"{field}.component"),
        "name": _text(value.get("name"), f"{field}.name", 120),
        "parameters": plain(parameters, f"{field}.parameters"),
        "inputs": _inputs(value.get("inputs") or {}, f"{field}.inputs"),
        "position": None
        if position is None
        else {"x": _coordinate(position.get("x"), f"{field}.position.x"), "y": _coordinate(position.get("y"), f"{field}.position.y")},
        "retries": _whole(value.get("retries") or 0, f"{field}.retries", 0, 10),
        "timeout_s": None if timeout is None else _whole(timeout, f"{field}.timeout_s", 1, 604_800),
        "note": _text(value.get("note"), f"{field}.note", 2000),
    }


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
    return {"steps": result}


def digest(graph: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of what decides a run; see the module's docstring for what counts."""
    steps = normalise(graph)["steps"]
    counted = {key: {k: v for k, v in step.items() if k not in ("position", "note")} for key, step in steps.items()}
    text = json.dumps({"steps": counted}, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
