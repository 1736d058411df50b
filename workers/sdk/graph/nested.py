"""A published pipeline as a step of another: the ports it has, the form it shows, and the graph inside it.

Its steps `pipeline_input` and `pipeline_output` are its ports, its parameters are its form. A step names it as `pipeline:slug@version`.
What is here is enough for check, canvas, plan and worker to treat it as they treat a component.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

from workers.sdk.graph.order import topological
from workers.sdk.graph.parameters import form
from workers.sdk.graph.shape import digest

PREFIX = "pipeline:"
INPUT, OUTPUT = "pipeline_input", "pipeline_output"
ANY_KIND = "Artifact"


@dataclass(frozen=True, kw_only=True)
class NestedPort:
    """As `workers.sdk.component.Port`."""

    name: str
    kind: str
    title: str
    help: str
    required: bool
    many: bool = False


@dataclass(frozen=True, kw_only=True)
class Nested:
    """A published pipeline where a component is expected."""

    name: str
    title: str
    help: str
    graph: Mapping[str, Any]
    version: str
    cacheable: bool
    inputs: tuple[NestedPort, ...]
    outputs: tuple[NestedPort, ...]
    stage: str = "pipelines"
    resources: Literal["io", "cpu", "gpu"] = "io"
    isolate: bool = False
    columns: None = None
    undo: str = ""
    changes: bool = False

    @property
    def summary(self) -> str:
        return self.help or self.title

    @cached_property
    def passes(self) -> dict[str, str]:
        return {}

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """JSON Schema of its form."""
        return form(self.graph)

    def problems(self, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What is wrong with these values, as `Component.problems`."""
        from workers.sdk.graph.parameters import given

        return [{"field": name, "message": message.rstrip("."), "expected": ""} for name, message in given(self.graph, parameters)[1]]

    def as_json(self) -> dict[str, Any]:
        """For the snapshot of a run: `of_json` makes it again on a worker."""
        return {
            "title": self.title,
            "help": self.help,
            "graph": self.graph,
            "version": self.version,
            "cacheable": self.cacheable,
            "inputs": [asdict(port) for port in self.inputs],
            "outputs": [asdict(port) for port in self.outputs],
        }


def of_json(name: str, value: Mapping[str, Any]) -> Nested:
    return Nested(
        name=name, title=value["title"], help=value["help"], graph=value["graph"], version=value["version"], cacheable=value["cacheable"],
        inputs=tuple(NestedPort(**p) for p in value["inputs"]), outputs=tuple(NestedPort(**p) for p in value["outputs"]),
    )  # fmt: skip


def of_graph(name: str, title: str, help: str, graph: Mapping[str, Any], components: Mapping[str, Any]) -> Nested:
    """The pipeline `name` (`pipeline:slug@version`) as a component; `components` must hold what it uses itself, inner pipelines too.
    A component it uses that is not there makes it `cacheable` False; `check` of the inner graph says what is wrong."""
    kinds = output_kinds(graph, components)
    used = [components.get(step["component"]) for step in graph["steps"].values()]
    inner = sorted({f"{c.name} {c.version}" for c in used if c is not None})
    arriving, leaving = [], []
    for key in topological(graph):
        step = graph["steps"][key]
        port = str(step["parameters"].get("name") or key)
        told = step["name"] or port.replace("_", " ").capitalize()
        if step["component"] == INPUT:
            kind = str(step["parameters"].get("kind") or ANY_KIND)
            arriving.append(NestedPort(name=port, kind=kind, title=told, help=step["note"], required=not step["inputs"].get("default")))
        elif step["component"] == OUTPUT:
            wires = step["inputs"].get("value") or []
            kind = kinds.get((wires[0]["step"], wires[0]["output"]), ANY_KIND) if wires else ANY_KIND
            leaving.append(NestedPort(name=port, kind=kind, title=told, help=step["note"], required=False))
    return Nested(
        name=name,
        title=title,
        help=help,
        graph=graph,
        inputs=tuple(arriving),
        outputs=tuple(leaving),
        version=hashlib.sha256("\n".join([digest(graph), *inner]).encode()).hexdigest(),
        cacheable=all(c is not None and c.cacheable for c in used),
    )


def output_kinds(graph: Mapping[str, Any], components: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """(step, output) → the kind that leaves there. Where a component hands on what arrives (`passes`), the kind of that."""
    found: dict[tuple[str, str], str] = {}
    for key in topological(graph):
        step = graph["steps"][key]
        component = components.get(step["component"])
        for port in component.outputs if component is not None else ():
            kind = port.kind
            source = component.passes.get(port.name, "") if component is not None else ""
            if source.startswith("@"):
                kind = str(step["parameters"].get(source[1:]) or kind)
            elif source and (wires := step["inputs"].get(source)):
                kind = found.get((wires[0]["step"], wires[0]["output"]), kind)
            found[key, port.name] = kind
    return found
