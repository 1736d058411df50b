"""A graph as YAML that people read, review and keep in version control.

Canonical: the same graph always gives the same text. Steps stand in the order in which they can run, a wire is `step.output`, what has
its default value is left out, and the layout comes last so that moving a step changes nothing above it. Values follow YAML 1.2
(`1e-3` is a number, `yes` is text); whatever an older reader would take differently is quoted. Aliases and tags are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import yaml

from workers.sdk.graph.order import CycleError, topological
from workers.sdk.graph.parameters import PARTS
from workers.sdk.graph.plain import GraphError
from workers.sdk.graph.shape import Graph, normalise

FORMAT = "pipeline/1"
STEP_FIELDS = (
    "component", "name", "parameters", "inputs", "map", "repeat", "retries", "retry_on", "timeout_s", "needs", "undo", "pin", "note"
)  # fmt: skip
_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BaseDumper: type[Any] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class YamlError(GraphError):
    """YAML that is no pipeline: where (`line`, counted from 1, and `field`) and what."""

    def __init__(self, message: str, line: int | None = None, field: str = ""):
        self.line = line
        super().__init__(message, field)
        if line is not None:
            self.args = (f"line {line}: {self.args[0]}",)


class PipelineText(NamedTuple):
    graph: Graph
    name: str = ""
    description: str = ""


def _resolvers(first: Mapping[Any, list[Any]]) -> dict[Any, list[Any]]:
    """`first`, then the implicit types of YAML 1.2's core schema."""
    found = {k: list(v) for k, v in first.items()}
    for tag, pattern, starts in (
        ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
        ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
        ("int", r"[-+]?[0-9]+", list("-+0123456789")),
        ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", list("-+.0123456789")),
    ):
        for start in starts:
            found.setdefault(start, []).append((f"tag:yaml.org,2002:{tag}", re.compile(rf"^(?:{pattern})$")))
    return found


class _Reader(_Loader):  # type: ignore[misc]  # the C class has no types
    yaml_implicit_resolvers = _resolvers({})


class _Writer(_BaseDumper):  # type: ignore[misc]  # as above
    # With the older rules as well, so that text which either would read as something else is quoted.
    yaml_implicit_resolvers = _resolvers(_BaseDumper.yaml_implicit_resolvers)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _write_text(dumper: Any, value: str) -> Any:
    block = "\n" in value and all(line == line.rstrip() for line in value.split("\n"))
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if block else None)


class _Line(list[Any]):
    """A short list written on one line."""


_Writer.add_representer(str, _write_text)
_Writer.add_representer(_Line, lambda dumper, value: dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=True))


def to_yaml(graph: Mapping[str, Any], *, name: str = "", description: str = "") -> str:
    """The canonical YAML of a graph, for `from_yaml` to read back to the same digest."""
    normal = normalise(graph)
    try:
        order = topological(normal)
    except CycleError:
        order = sorted(normal["steps"])  # a draft may be wrong for a while; it can still be written down
    steps: dict[str, Any] = {}
    for key in order:
        step = normal["steps"][key]
        wires = {port: [f"{ref['step']}.{ref['output']}" for ref in refs] for port, refs in step["inputs"].items()}
        body: dict[str, Any] = {**step, "inputs": {port: texts[0] if len(texts) == 1 else texts for port, texts in wires.items()}}
        steps[key] = {field: body[field] for field in STEP_FIELDS if body.get(field)}
    document: dict[str, Any] = {"headrace": FORMAT}
    if name:
        document["name"] = name
    if description:
        document["description"] = description
    if declared := normal.get("parameters"):
        document["parameters"] = {name: {part: one[part] for part in PARTS if part in one} for name, one in declared.items()}
    document["steps"] = steps
    layout = {key: _Line([at["x"], at["y"]]) for key in order if (at := normal["steps"][key]["position"])}
    if layout:
        document["layout"] = layout
    return str(yaml.dump(document, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=1_000_000, default_flow_style=False))


def from_yaml(text: str) -> PipelineText:
    """The graph, name and description in a YAML text. Raises YamlError with the line and the key that is wrong."""
    try:
        for event in yaml.parse(text, Loader=_Reader):
            # An alias can blow up a few bytes to gigabytes, a tag can name a class.
            if isinstance(event, yaml.AliasEvent):
                line = event.start_mark.line + 1 if event.start_mark else None
                raise YamlError(f"uses the alias *{event.anchor}; write the value out instead.", line)
        root = yaml.compose(text, Loader=_Reader)
    except yaml.MarkedYAMLError as e:
        mark = e.problem_mark or e.context_mark
        raise YamlError(f"this is not YAML: {e.problem or e.context}.", mark.line + 1 if mark else None) from None
    except (yaml.YAMLError, ValueError, RecursionError) as e:
        if isinstance(e, YamlError):
            raise
        raise YamlError("this is not YAML that can be read." if isinstance(e, RecursionError) else f"this is not YAML: {e}") from None
    if root is None:
        raise YamlError("the text is empty; a pipeline starts with `headrace: pipeline/1` and has `steps:`.", 1)
    lines: dict[str, int] = {}
    document = _value(root, "", lines)
    if not isinstance(document, dict):
        raise YamlError("a pipeline is a mapping with `headrace: pipeline/1` and `steps:`.", 1)
    try:
        return _pipeline(document)
    except YamlError:
        raise
    except GraphError as e:
        raise YamlError(str(e.args[0]).removeprefix(f"{e.field}: "), _line(e.field, lines), e.field) from None


def _pipeline(document: dict[str, Any]) -> PipelineText:
    if unknown := [key for key in document if key not in ("headrace", "name", "description", "parameters", "steps", "layout")]:
        raise GraphError("is not a part of a pipeline; the parts are headrace, name, description, parameters, steps, layout.", unknown[0])
    if document.get("headrace") != FORMAT:
        raise GraphError(f"must be {FORMAT}: it says which form of text this is.", "headrace")
    steps = document.get("steps") or {}
    if not isinstance(steps, dict):
        raise GraphError("must be a mapping: key → step.", "steps")
    for key, step in steps.items():
        if isinstance(step, dict) and (unknown := [field for field in step if field not in STEP_FIELDS]):
            raise GraphError(f"is not a part of a step; the parts are {', '.join(STEP_FIELDS)}.", f"steps.{key}.{unknown[0]}")
    layout = document.get("layout") or {}
    if not isinstance(layout, dict):
        raise GraphError("must be a mapping: key of a step → [x, y].", "layout")
    for key, at in layout.items():
        if key not in steps:
            raise GraphError("is the layout of a step that is not in `steps`.", f"layout.{key}")
        if not isinstance(at, list) or len(at) != 2 or any(isinstance(v, bool) or not isinstance(v, int | float) for v in at):
            raise GraphError("must be two numbers: [x, y].", f"layout.{key}")
        if isinstance(steps[key], dict):
            steps[key] = {**steps[key], "position": {"x": at[0], "y": at[1]}}
    for field, limit in (("name", 120), ("description", 5000)):
        value = document.get(field)
        if value is not None and (not isinstance(value, str) or len(value) > limit):
            raise GraphError(f"must be text of at most {limit} characters.", field)
    return PipelineText(
        normalise({"steps": steps, "parameters": document.get("parameters")}), document.get("name") or "", document.get("description") or ""
    )


def _line(field: str, lines: dict[str, int]) -> int | None:
    """The line of the field, or of the nearest thing around it."""
    while field and field not in lines:
        field = field.rpartition(".")[0]
    return lines.get(field)


def _value(node: Any, path: str, lines: dict[str, int]) -> Any:
    line = node.start_mark.line + 1
    lines.setdefault(path, line)
    if isinstance(node, yaml.MappingNode) and node.tag == "tag:yaml.org,2002:map":
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            at = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise YamlError("a key must be plain text.", at, path)
            key = key_node.value
            field = f"{path}.{key}" if path else key
            if key in result:
                raise YamlError(f"the key “{key}” stands here a second time (first in line {lines[field]}).", at, field)
            lines[field] = at
            result[key] = _value(value_node, field, lines)
        return result
    if isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
        return [_value(item, f"{path}.{index}", lines) for index, item in enumerate(node.value)]
    if isinstance(node, yaml.ScalarNode):
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if kind == "null":
            return None
        if kind == "bool":
            return node.value.lower() == "true"
        if kind in ("int", "float"):
            try:
                return int(node.value) if kind == "int" else float(node.value.lower().replace(".inf", "inf").replace(".nan", "nan"))
            except ValueError:
                raise YamlError(f"“{node.value[:40]}” is not a number that can be read.", line, path) from None
        if kind == "str":
            return node.value
    raise YamlError(f"the tag {node.tag} cannot be used here.", line, path)
