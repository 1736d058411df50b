"""User-written Python as a step: what the look at its text found (ports, form), and the text itself.

A step names it as `code:slug@version`. What is here is enough for check, canvas, plan and worker to treat it as they treat a component;
running it is the sandbox's (`workers.engine.sandbox`). Its form is what its function asks for and, beside that, the sandbox's limits.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from typing import Any, Literal

from jsonschema import Draft202012Validator

from workers.sdk.component import expectation
from workers.sdk.graph.nested import NestedPort

PREFIX = "code:"
MINUTES, MEMORY = "sandbox_minutes", "sandbox_memory_gb"
LIMITS: dict[str, Any] = {
    MINUTES: {
        "type": "number", "title": "Time limit (minutes)", "exclusiveMinimum": 0, "maximum": 1440, "default": 60,
        "description": "The code is ended when it takes longer.",
    },
    MEMORY: {
        "type": "number", "title": "Memory limit (GB)", "minimum": 0.25, "maximum": 1024, "default": 4,
        "description": "The code is ended when it takes more, all its processes together.",
    },
}  # fmt: skip
"""Fields of every code step's form that the sandbox reads, not the code."""
LIBRARIES = ("numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "lightgbm", "torch", "pillow")


@dataclass(frozen=True, kw_only=True)
class Code:
    """One published version of user-written Python where a component is expected. `form` is the JSON Schema of its own parameters."""

    name: str
    title: str
    summary: str
    help: str
    source: str
    form: Mapping[str, Any]
    cacheable: bool
    inputs: tuple[NestedPort, ...]
    outputs: tuple[NestedPort, ...]
    stage: str = "code"
    resources: Literal["io", "cpu", "gpu"] = "cpu"
    isolate: bool = False
    columns: None = None
    undo: str = ""
    changes: bool = False

    @cached_property
    def passes(self) -> dict[str, str]:
        return {}

    @cached_property
    def version(self) -> str:
        return version_of(self.source)

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """JSON Schema of its form: its own fields, then the limits."""
        return {**self.form, "properties": {**self.form.get("properties", {}), **LIMITS}}

    def problems(self, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What is wrong with these values, as `Component.problems`."""
        found = []
        for error in Draft202012Validator(self.parameters).iter_errors(dict(parameters)):
            name = str(error.absolute_path[0]) if error.absolute_path else ""
            schema = self.parameters["properties"].get(name)
            found.append({"field": name, "message": error.message, "expected": expectation(schema, self.parameters) if schema else ""})
        return found

    def as_json(self) -> dict[str, Any]:
        """For the snapshot of a run: `of_json` makes it again on a worker."""
        plain = {name: getattr(self, name) for name in ("title", "summary", "help", "source", "form", "cacheable")}
        return {**plain, "inputs": [asdict(port) for port in self.inputs], "outputs": [asdict(port) for port in self.outputs]}


def of_json(name: str, value: Mapping[str, Any]) -> Code:
    return Code(
        name=name, title=value["title"], summary=value["summary"], help=value["help"], source=value["source"], form=value["form"],
        cacheable=value["cacheable"], inputs=tuple(NestedPort(**p) for p in value["inputs"]),
        outputs=tuple(NestedPort(**p) for p in value["outputs"]),
    )  # fmt: skip


def of_spec(name: str, source: str, spec: Mapping[str, Any]) -> Code:
    """The code `name` (`code:slug@version`) from what the look at its text gave."""
    return of_json(name, {**spec, "source": source, "form": spec["parameters"]})


def limits_of(parameters: Mapping[str, Any]) -> tuple[float, int]:
    """(seconds, bytes) that a step's form allows the sandbox."""
    minutes, memory = (float(parameters.get(name, LIMITS[name]["default"])) for name in (MINUTES, MEMORY))
    return minutes * 60, int(memory * 1024**3)


def own(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What is the code's own among its step's parameters."""
    return {name: value for name, value in parameters.items() if name not in LIMITS}


def version_of(source: str) -> str:
    """Hash of the text, of Python and of the libraries that it may use: with parameters and inputs it decides what a run gives."""
    return hashlib.sha256("\n".join([source, *_libraries()]).encode("utf-8", "surrogatepass")).hexdigest()


@cache
def _libraries() -> tuple[str, ...]:
    found = [platform.python_version()]
    for name in LIBRARIES:
        try:
            found.append(f"{name}=={importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(name)
    return tuple(found)
