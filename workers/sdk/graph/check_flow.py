"""What is wrong with how a step is run: its map, its rounds, its compensation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from workers.sdk.expression import ExpressionError, parse

if TYPE_CHECKING:
    from workers.sdk.graph.check import ComponentLike, _Check


def check_flow(check: _Check, key: str, step: Mapping[str, Any], component: ComponentLike) -> None:
    """Add the problems of `map`, `repeat`, `undo` and `needs` of one step."""
    if "map" in step:
        _map(check, key, step, component)
    if "repeat" in step:
        _repeat(check, key, step["repeat"], component)
    if "undo" in step:
        _undo(check, key, step["undo"], component)
    if step.get("needs", {}).get("gpu") and getattr(component, "resources", "gpu") != "gpu":
        check.add(
            "idle_gpu", f"“{check.label(key)}” needs a GPU but does not use one: it would keep it from others.", key,
            hint="Take the GPU out of what it needs.", severity="warning",
        )  # fmt: skip


def _map(check: _Check, key: str, step: Mapping[str, Any], component: ComponentLike) -> None:
    spec, label = step["map"], check.label(key)
    ports = {port.name: port for port in component.inputs}
    if (port := spec.get("port")) is not None:
        if port not in ports:
            check.add("unknown_port", f"“{label}” is mapped over “{port}”, which is no input of it.", key, port=port, hint=_there(ports))
        elif not step["inputs"].get(port):
            check.add("missing_input", f"“{label}” is mapped over “{port}”, where nothing arrives.", key, port=port, hint="Connect it.")
    known = component.parameters.get("properties", {})
    schema = {"$defs": component.parameters.get("$defs", {})}
    for number, values in enumerate(spec.get("values", ())):
        for name, value in values.items():
            if name not in known:
                message = f"“{label}” is mapped over the parameter “{name}”, which it does not have."
                check.add("unknown_parameter", message, key, parameter=name, hint=_there(known))
                return
            error = next(iter(Draft202012Validator({**schema, **known[name]}).iter_errors(value)), None)
            if error is not None:
                check.add(
                    "bad_parameter", f"Setting {number + 1} of “{label}”: “{name}” does not fit: {error.message}.", key, parameter=name
                )
                return
    if isinstance(policy := spec.get("policy"), int) and "values" in spec and policy > len(spec["values"]):
        message = f"“{label}” needs {policy} shards that succeed, but has {len(spec['values'])}."
        check.add("bad_policy", message, key, hint="Ask for fewer.")


def _repeat(check: _Check, key: str, spec: Mapping[str, Any], component: ComponentLike) -> None:
    label = check.label(key)
    inputs, outputs = {p.name: p for p in component.inputs}, {p.name: p for p in component.outputs}
    for port, output in spec.get("carry", {}).items():
        if port not in inputs:
            check.add(
                "unknown_port", f"“{label}” hands its result on to “{port}”, which is no input of it.", key, port=port, hint=_there(inputs)
            )
        elif output not in outputs:
            message = f"“{label}” hands on its output “{output}”, which it does not have."
            check.add("unknown_output", message, key, port=port, hint=_there(outputs))
        elif "Artifact" not in (inputs[port].kind, outputs[output].kind) and inputs[port].kind != outputs[output].kind:
            message = f"“{label}” gives {outputs[output].kind} at “{output}”, but its input “{port}” takes {inputs[port].kind}."
            check.add("kind_mismatch", message, key, port=port)
    if until := spec.get("until"):
        try:
            parse(until)
        except ExpressionError as exc:
            check.add("bad_condition", f"The condition that ends “{label}” cannot be read: {exc}.", key, hint="Such as accuracy > 0.9.")


def _undo(check: _Check, key: str, spec: Mapping[str, Any], component: ComponentLike) -> None:
    label, undoing = check.label(key), check.components.get(spec["component"])
    if undoing is None:
        message = f"“{label}” is to be undone by “{spec['component']}”, which there is not."
        check.add("unknown_component", message, key, hint="Choose another component.")
        return
    at_hand = {p.name: p.kind for p in component.inputs} | {p.name: p.kind for p in component.outputs}
    for port in undoing.inputs:
        if (
            port.required
            and at_hand.get(port.name) not in (port.kind, "Artifact")
            and not (port.kind == "Artifact" and port.name in at_hand)
        ):
            message = f"“{undoing.title}” needs {port.kind} at “{port.name}”, which “{label}” neither takes nor gives."
            check.add("missing_input", message, key, hint="A compensation is fed from the inputs and outputs of equal names.")
    error = next(iter(Draft202012Validator(dict(undoing.parameters)).iter_errors(spec["parameters"])), None)
    if error is not None:
        check.add("bad_parameter", f"The compensation of “{label}” does not fit: {error.message}.", key)


def _there(names: Mapping[str, Any]) -> str:
    return f"There is: {', '.join(names)}." if names else "It has none."
