"""A pipeline's graph as a Yjs document, and back. Pure: no database, no sockets.

The shape (README.md shows it) is two root maps, `steps` and `parameters`. Values of parameters and positions are plain JSON, so that
two people's edits merge per parameter, and never into a value that neither of them meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pycrdt import Array, Doc, Map

from backend.core.live.updates import EMPTY, merge
from workers.sdk.graph import Graph, GraphError, Step, normalise
from workers.sdk.graph.flow import PARTS
from workers.sdk.graph.shape import MAX_STEPS

PLAIN = ("component", "name", "position", "retries", "timeout_s", "note")
OPTIONAL = PARTS
"""Parts of a step that are absent where nothing is said; plain JSON too."""


def read(doc: Doc[Any]) -> Graph:
    """The graph in the document. Merging never fails, so reading must not either: wires from deleted steps are dropped, a field
    that no editor of ours could have written has its default value, and a step without a component is none."""
    found = doc.get("steps", type=Map).to_py() or {}
    steps: dict[str, Step] = {}
    for key in sorted(found)[:MAX_STEPS]:
        if (step := _read_step(key, found[key])) is not None:
            steps[key] = step
    try:
        return normalise({"steps": steps, "parameters": doc.get("parameters", type=Map).to_py() or {}}, repair=True)
    except GraphError:  # a declaration that no editor of ours could have written
        return normalise({"steps": steps}, repair=True)


def _read_step(key: str, value: Any) -> Step | None:
    while True:
        try:
            return normalise({"steps": {key: value}})["steps"][key]
        except GraphError as e:
            path = e.field.split(".")
            if not isinstance(value, dict) or len(path) < 3 or path[2] == "component" or path[2] not in value:
                return None
            value = {field: kept for field, kept in value.items() if field != path[2]}


def write(doc: Doc[Any], graph: Mapping[str, Any]) -> bytes:
    """Make the document say `graph`, touching only what differs; the update that does so (EMPTY when nothing differed)."""
    normal = normalise(graph)
    wanted, declared = normal["steps"], normal.get("parameters", {})
    steps = doc.get("steps", type=Map)
    parameters = doc.get("parameters", type=Map)
    made: list[bytes] = []
    watching = doc.observe(lambda event: made.append(event.update))
    try:
        with doc.transaction():
            for key in set(steps.keys()) - set(wanted):
                del steps[key]
            for key, step in wanted.items():
                if isinstance(steps.get(key), Map):
                    _update(steps[key], step)
                else:
                    steps[key] = _new(step)
            for name in set(parameters.keys()) - set(declared):
                del parameters[name]
            for name, one in declared.items():
                if name not in parameters or _plain(parameters[name]) != one:
                    parameters[name] = one
    finally:
        doc.unobserve(watching)
    return merge(made) if made else EMPTY


def _wires(step: Step) -> dict[str, list[str]]:
    return {port: [f"{ref['step']}.{ref['output']}" for ref in refs] for port, refs in step["inputs"].items()}


def _new(step: Step) -> Map[Any]:
    fields: dict[str, Any] = {field: step[field] for field in (*PLAIN, *OPTIONAL) if field in step}  # type: ignore[literal-required]  # the names of a Step
    return Map(
        {
            **fields,
            "parameters": Map(dict(step["parameters"])),
            "inputs": Map({port: Array(refs) for port, refs in _wires(step).items()}),
        }
    )


def _update(held: Map[Any], step: Step) -> None:
    for field in PLAIN:
        value = step[field]  # type: ignore[literal-required]  # as above
        if field not in held or _plain(held[field]) != value:
            held[field] = value
    for field in OPTIONAL:
        if field not in step:
            if field in held:
                del held[field]
        elif field not in held or _plain(held[field]) != step[field]:  # type: ignore[literal-required]  # as above
            held[field] = step[field]  # type: ignore[literal-required]  # as above
    for field, wanted in (("parameters", step["parameters"]), ("inputs", _wires(step))):
        inner = held.get(field)
        if not isinstance(inner, Map):
            held[field] = Map({name: Array(value) if field == "inputs" else value for name, value in wanted.items()})
            continue
        for name in set(inner.keys()) - set(wanted):
            del inner[name]
        for name, value in wanted.items():
            if name not in inner or _plain(inner[name]) != value:
                inner[name] = Array(value) if field == "inputs" else value


def _plain(value: Any) -> Any:
    return value.to_py() if isinstance(value, Map | Array) else value


def seed(graph: Mapping[str, Any]) -> bytes:
    """The first update of a new document that says `graph`."""
    return write(Doc(), graph)
