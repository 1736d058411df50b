"""How a step is run: mapped over many shards, repeated, tried again, undone. Optional parts of a step; what is not said is absent.

    map       {"port": name, "size": rows a shard} or {"values": [{parameter: value}, …]}, {"at_once": n}, {"policy": "all" | "any" | k}
    repeat    {"at_most": n, "until": condition over the metrics it gives, "carry": {input: output}}
    undo      {"component": name, "parameters": {…}}: what puts right what the step did, when its run fails or is cancelled
    retry_on  which classes of error are tried again (all that may help, where nothing is said)
    needs     what the host must have (`workers.sdk.graph.needs`)
    pin       {"step_run": id, "run": number}: take what that step of that run gave, and do not run this one

Pure: shapes and limits alone. Whether a port, parameter or component exists is `check`'s to say.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, TypedDict

from workers.sdk.graph.needs import normalise_needs
from workers.sdk.graph.plain import OUTPUT, GraphError, plain, text, whole

FIELDS = ("map", "repeat", "undo", "retry_on")
"""What the ledger keeps of how a step is run."""
PARTS = (*FIELDS, "needs", "pin")
ERROR_CLASSES = {
    "crash": "an error in the component",
    "timeout": "ran longer than its time limit",
    "out_of_memory": "ran out of memory",
    "exit": "its process ended",
    "api": "the studio or another service did not answer",
}
"""What may go wrong and be tried again. A worker that vanishes is not among them: its steps are always taken back."""
MOST_SHARDS = 10_000
MOST_ROUNDS = 1_000


class Map(TypedDict, total=False):
    port: str
    size: int
    values: list[dict[str, Any]]
    at_once: int
    policy: str | int


class Repeat(TypedDict, total=False):
    at_most: int
    until: str
    carry: dict[str, str]


class Undo(TypedDict):
    component: str
    parameters: dict[str, Any]


class Pin(TypedDict):
    """`run` is the run's number, for people; `step_run` decides."""

    step_run: str
    run: int


def normalise_flow(step: Mapping[str, Any], field: str) -> Any:
    """The parts of `step` that are of this file, in their normal form."""
    found: dict[str, Any] = {}
    for name, read in (
        ("map", _map), ("repeat", _repeat), ("undo", _undo), ("retry_on", _retry_on), ("needs", normalise_needs), ("pin", _pin)
    ):  # fmt: skip
        value = step.get(name)
        if value is not None and value != [] and (result := read(value, f"{field}.{name}")):
            found[name] = result
    if "map" in found and "repeat" in found:
        raise GraphError("is both mapped and repeated; put the repeated step in a pipeline of its own and map that.", f"{field}.map")
    return found


def _only(value: Any, field: str, known: tuple[str, ...]) -> None:
    if not isinstance(value, Mapping):
        raise GraphError(f"must be an object with {', '.join(known)}.", field)
    if unknown := [k for k in value if k not in known]:
        raise GraphError(f"has no part “{unknown[0]}”; the parts are {', '.join(known)}.", f"{field}.{unknown[0]}")


def _name(value: Any, field: str) -> str:
    if not isinstance(value, str) or not OUTPUT.fullmatch(value):
        raise GraphError("must be the name of a port.", field)
    return value


def _map(value: Any, field: str) -> Map:
    _only(value, field, ("port", "size", "values", "at_once", "policy"))
    port, values = value.get("port"), value.get("values")
    if (port is None) == (values is None):
        raise GraphError("needs either `port` (the input that is cut into shards) or `values` (settings, one shard each).", field)
    found: Map = {}
    if port is not None:
        found["port"] = _name(port, f"{field}.port")
        if value.get("size") is not None:
            found["size"] = whole(value["size"], f"{field}.size", 1, 2**31 - 1)
    else:
        if not isinstance(values, list | tuple) or not 1 <= len(values) <= MOST_SHARDS:
            raise GraphError(f"must be a list of 1 to {MOST_SHARDS} settings.", f"{field}.values")
        if wrong := [n for n, one in enumerate(values) if not isinstance(one, Mapping) or not one]:
            raise GraphError("must be an object: parameter → value.", f"{field}.values.{wrong[0]}")
        found["values"] = plain(values, f"{field}.values")
    if value.get("at_once") is not None:
        found["at_once"] = whole(value["at_once"], f"{field}.at_once", 1, MOST_SHARDS)
    policy = "all" if value.get("policy") is None else value["policy"]
    if policy not in ("all", "any"):
        if isinstance(policy, str):
            raise GraphError("must be all, any, or how many must succeed.", f"{field}.policy")
        policy = whole(policy, f"{field}.policy", 1, MOST_SHARDS)
    if policy != "all":
        found["policy"] = policy
    return found


def _repeat(value: Any, field: str) -> Repeat:
    _only(value, field, ("at_most", "until", "carry"))
    found: Repeat = {"at_most": whole(value.get("at_most"), f"{field}.at_most", 1, MOST_ROUNDS)}
    if until := text(value.get("until"), f"{field}.until", 4_000).strip():
        found["until"] = until
    carry = value.get("carry") or {}
    if not isinstance(carry, Mapping):
        raise GraphError("must be an object: input → the output it takes from the round before.", f"{field}.carry")
    if carry:
        found["carry"] = {_name(port, f"{field}.carry"): _name(carry[port], f"{field}.carry.{port}") for port in sorted(carry, key=str)}
    return found


def _undo(value: Any, field: str) -> Undo:
    _only(value, field, ("component", "parameters"))
    component = value.get("component")
    if not isinstance(component, str) or not component or len(component) > 80:
        raise GraphError("must name the component that puts things right (at most 80 characters).", f"{field}.component")
    parameters = value.get("parameters") or {}
    if not isinstance(parameters, Mapping):
        raise GraphError("must be an object: parameter → value.", f"{field}.parameters")
    return {"component": component, "parameters": plain(parameters, f"{field}.parameters")}


def _pin(value: Any, field: str) -> Pin:
    _only(value, field, ("step_run", "run"))
    try:
        step_run = str(uuid.UUID(str(value.get("step_run"))))
    except ValueError:
        raise GraphError("must be the id of a step run.", f"{field}.step_run") from None
    return {"step_run": step_run, "run": whole(value.get("run"), f"{field}.run", 1, 2**31 - 1)}


def _retry_on(value: Any, field: str) -> list[str]:
    if not isinstance(value, list | tuple) or any(one not in ERROR_CLASSES for one in value):
        raise GraphError(f"must be a list of: {', '.join(ERROR_CLASSES)}.", field)
    return sorted(set(value))
