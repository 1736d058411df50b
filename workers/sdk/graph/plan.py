"""A graph as the step runs and wires that the ledger takes: in an order in which they can run, each with the key of its result.

The same plan is made of a run's graph (by the studio) and of a pipeline that is a step of another (by the worker that opens it).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

from workers.sdk.cache import cache_key
from workers.sdk.graph.flow import FIELDS
from workers.sdk.graph.needs import placing, queue_of
from workers.sdk.graph.order import topological

Json = dict[str, Any]
Need = Literal["all", "any", "none"]
"""What a wire means when nothing comes through it: its step is skipped (all), is skipped when nothing comes through the port's
other wires either (any: ports that take many), or runs without (none: ports that may stay open)."""


class Planned(Protocol):
    """What a plan needs of `workers.sdk.component.Component`."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def resources(self) -> Literal["io", "cpu", "gpu"]: ...
    @property
    def cacheable(self) -> bool: ...
    @property
    def undo(self) -> str: ...
    @property
    def parameters(self) -> Mapping[str, Any]: ...
    @property
    def inputs(self) -> Sequence[Any]: ...
    @property
    def outputs(self) -> Sequence[Any]: ...


def plan(graph: Mapping[str, Any], components: Mapping[str, Any], new_id: Callable[[], Any]) -> tuple[list[Json], list[Json]]:
    """(steps, inputs) as `ledger_start` takes them. Every component must be known."""
    ids = {key: str(new_id()) for key in graph["steps"]}
    keys: dict[str, str] = {}
    steps: list[Json] = []
    inputs: list[Json] = []
    for key in topological(graph):
        step = graph["steps"][key]
        component = components[step["component"]]
        parameters = effective(component, step["parameters"])
        flow = {name: step[name] for name in FIELDS if step.get(name)}
        needs = step.get("needs")
        cached = component.cacheable
        wires = {port: [(keys[ref["step"]], ref["output"]) for ref in refs] for port, refs in step["inputs"].items()}
        decides = {name: value for name, value in flow.items() if name in ("map", "repeat")}
        deciding = {**parameters, "$flow": decides} if decides else parameters
        # What a pin gives need not be what the step would: nothing after it has a key that an unpinned run may find.
        keys[key] = cache_key(component.name, component.version, deciding, wires) if cached and not step.get("pin") else ""
        if undo := flow.get("undo") or ({"component": component.undo, "parameters": {}} if component.undo else None):
            flow["undo"] = undoing(undo, components)
        steps.append({
            "id": ids[key], "step": key, "component": component.name, "component_version": component.version,
            "queue": queue_of(component.resources, needs), "needs": placing(needs), "parameters": parameters,
            "max_attempts": step["retries"] + 1, "timeout_s": step["timeout_s"], "cacheable": cached,
            "cache_key": keys[key], "flow": flow or None, "partial": any(not port.required for port in component.outputs),
        })  # fmt: skip
        meanings = {port.name: need(port) for port in component.inputs}
        for port, refs in step["inputs"].items():
            inputs += [
                {"step_run": ids[key], "port": port, "position": n, "source": ids[ref["step"]], "output": ref["output"],
                 "need": meanings.get(port, "all")}
                for n, ref in enumerate(refs)
            ]  # fmt: skip
    return steps, inputs


def effective(component: Planned, parameters: Mapping[str, Any]) -> Json:
    """The parameters with the component's defaults filled in."""
    defaults = {n: _own(s["default"]) for n, s in component.parameters.get("properties", {}).items() if "default" in s}
    return {**defaults, **parameters}


def undoing(undo: Mapping[str, Any], components: Mapping[str, Any]) -> Json:
    """What the ledger needs to run a compensation: it is one more step, fed with what the undone one gave."""
    component = components[undo["component"]]
    return {
        "component": component.name, "component_version": component.version, "queue": component.resources,
        "parameters": effective(component, undo["parameters"]), "ports": [port.name for port in component.inputs],
    }  # fmt: skip


def need(port: Any) -> Need:
    if port.many:
        return "any" if port.required else "none"
    return "all" if port.required else "none"


def _own(value: Any) -> Any:
    """A copy of a JSON value. (`copy.deepcopy` keeps books about cycles, which took a tenth of starting a run.)"""
    if isinstance(value, list):
        return [_own(one) for one in value]
    return {name: _own(one) for name, one in value.items()} if isinstance(value, dict) else value
