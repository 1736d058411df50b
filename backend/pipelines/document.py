"""A pipeline's graph as a Yjs document, and back. Pure: no database, no sockets.

The shape (README.md shows it) is two root maps, `steps` and `parameters`. Values of parameters and positions are plain JSON, so that
two people's edits merge per parameter, and never into a value that neither of them meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pycrdt import Array, Doc, Map

from backend.core.live.updates import EMPTY, apply, load, merge
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
    kept = {key: found[key] for key in sorted(found)[:MAX_STEPS]}
    declared = doc.get("parameters", type=Map).to_py() or {}
    try:
        return normalise({"steps": kept, "parameters": declared}, repair=True)
    except GraphError:  # which step it was is found step by step, which takes twice as long
        steps = {key: step for key, value in kept.items() if (step := _read_step(key, value)) is not None}
    try:
        return normalise({"steps": steps, "parameters": declared}, repair=True)
    except GraphError:  # a declaration that no editor of ours could have written
        return normalise({"steps": steps}, repair=True)


def read_after(before: Mapping[str, Any], log: Iterable[bytes], fresh: Iterable[bytes]) -> Graph:
    """`read` of a document that the updates of `log` made, once those of `fresh` are applied too; `before` is what was read of it until
    then. Of ten thousand steps only those that `fresh` touches are looked at: to read all took two seconds for each edit."""
    doc = load(log)
    steps, touched = doc.get("steps", type=Map), set[str]()

    def note(events: list[Any]) -> None:
        for event in events:
            touched.update([str(event.path[0])] if event.path else event.keys)

    watching = steps.observe_deep(note)
    try:
        for update in fresh:
            apply(doc, update)
    finally:
        steps.unobserve(watching)
    known = before.get("steps") or {}
    # To a step that is new, or there again, wires may lead that were dropped for want of it.
    if len(steps) > MAX_STEPS or any(key in steps and key not in known for key in touched):
        return read(doc)
    now = dict(known)
    for key in touched:
        step = _read_step(key, _plain(steps[key])) if key in steps else None
        if step is not None:
            now[key] = step
        else:
            now.pop(key, None)
    try:
        return normalise({"steps": now, "parameters": doc.get("parameters", type=Map).to_py() or {}}, repair=True)
    except GraphError:
        return read(doc)


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
