"""Parameters and secrets of a pipeline: what a person fills in at the start of a run, or a pipeline that uses this one as a step.

    graph["parameters"]   name → {"type": string|number|integer|boolean, and where wanted title, description, default, enum, minimum,
                          maximum, format}
    {"$parameter": name}  in place of a step's parameter: the value given at the start
    {"$secret": NAME}     in place of a step's parameter: the project's secret of that name, put in on the worker and nowhere else

Pure: looks nothing up. A secret's value never passes through here.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from jsonschema import Draft202012Validator

from workers.sdk.graph.plain import GraphError, plain, text

Reference = Literal["$parameter", "$secret"]
PARAMETER: Final = "$parameter"
SECRET: Final = "$secret"  # noqa: S105 - the name of a reference, not a secret
NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
SECRET_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,59}")
TYPES: dict[str, type | tuple[type, ...]] = {"string": str, "number": (int, float), "integer": int, "boolean": bool}
FORMATS = ("dataset-version", "model-name", "endpoint-name", "date", "multiline")
PARTS = ("type", "title", "description", "default", "enum", "minimum", "maximum", "format")
MOST = 100


def normalise_parameters(value: Any) -> dict[str, dict[str, Any]]:
    """The declared parameters in their normal form; names sorted."""
    if value is None:
        return {}
    if not isinstance(value, Mapping) or len(value) > MOST:
        raise GraphError(f"must be an object of at most {MOST} parameters: name → what it is.", "parameters")
    found: dict[str, dict[str, Any]] = {}
    for name in sorted(value, key=str):
        field = f"parameters.{name}"
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise GraphError(
                f"{name!r} is not a parameter's name: a small letter, then small letters, digits, _; at most 60.", "parameters"
            )
        one = value[name]
        if not isinstance(one, Mapping) or one.get("type") not in TYPES:
            raise GraphError(f"must be an object with a `type`: {', '.join(TYPES)}.", field)
        if unknown := [part for part in one if part not in PARTS]:
            raise GraphError(f"has no part “{unknown[0]}”; the parts are {', '.join(PARTS)}.", f"{field}.{unknown[0]}")
        kept: dict[str, Any] = {"type": one["type"]}
        for part, limit in (("title", 120), ("description", 500)):
            if said := text(one.get(part), f"{field}.{part}", limit):
                kept[part] = said
        if one.get("format") is not None:
            if one["format"] not in FORMATS or one["type"] != "string":
                raise GraphError(f"must be one of {', '.join(FORMATS)}, of a string.", f"{field}.format")
            kept["format"] = one["format"]
        for part in ("minimum", "maximum"):
            if one.get(part) is not None:
                kept[part] = plain(one[part], f"{field}.{part}")
                if isinstance(kept[part], bool) or not isinstance(kept[part], int | float) or one["type"] not in ("number", "integer"):
                    raise GraphError("must be a number, of a parameter that is one.", f"{field}.{part}")
        if one.get("enum") is not None:
            kept["enum"] = plain(one["enum"], f"{field}.enum")
            if not isinstance(kept["enum"], list) or not kept["enum"] or len(kept["enum"]) > 200:
                raise GraphError("must be a list of 1 to 200 choices.", f"{field}.enum")
        if "default" in one and one["default"] is not None:
            kept["default"] = plain(one["default"], f"{field}.default")
            if problem := _wrong({k: v for k, v in kept.items() if k != "default"}, kept["default"]):
                raise GraphError(problem, f"{field}.default")
        found[name] = kept
    return found


def _wrong(schema: Mapping[str, Any], value: Any) -> str:
    known = {k: v for k, v in schema.items() if k in ("type", "enum", "minimum", "maximum")}
    error = next(iter(Draft202012Validator(known).iter_errors(value)), None)
    return error.message + "." if error is not None else ""


def form(graph: Mapping[str, Any]) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of what a person fills in to start this pipeline."""
    declared = graph.get("parameters") or {}
    properties = {name: {"title": name.replace("_", " ").capitalize(), **one} for name, one in declared.items()}
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name, one in declared.items() if "default" not in one],
        "additionalProperties": False,
    }


def given(graph: Mapping[str, Any], values: Mapping[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """(value of each declared parameter, [(name, what is wrong)]). Defaults fill what is not said."""
    declared = graph.get("parameters") or {}
    found, problems = {}, []
    for name in values:
        if name not in declared:
            known = ", ".join(declared) or "none"
            problems.append((name, f"the pipeline has no parameter “{name}”; it has: {known}"))
    for name, one in declared.items():
        if name in values and values[name] is not None:
            if problem := _wrong(one, values[name]):
                problems.append((name, problem))
            found[name] = values[name]
        elif "default" in one:
            found[name] = one["default"]
        else:
            problems.append((name, f"“{one.get('title') or name}” needs a value"))
    return found, problems


def is_reference(value: Any, kind: Reference) -> bool:
    return isinstance(value, Mapping) and set(value) == {kind} and isinstance(value[kind], str)


def references(graph: Mapping[str, Any], kind: Reference) -> Iterator[tuple[str, str, str]]:
    """(step, parameter, the name it refers to) of every reference of this kind."""
    for key, step in graph["steps"].items():
        for name, value in step["parameters"].items():
            if is_reference(value, kind):
                yield key, name, value[kind]


def substitute(graph: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """A graph in which each reference to a parameter in `values` has its value; others stay. Steps without one are the same objects."""
    copied: dict[str, Any] = copy.copy(graph) if isinstance(graph, dict) else dict(graph)
    copied["steps"] = dict(graph["steps"])
    for key, name, wanted in references(graph, "$parameter"):
        if wanted in values:
            step = copied["steps"][key]
            copied["steps"][key] = {**step, "parameters": {**step["parameters"], name: copy.deepcopy(values[wanted])}}
    return copied
