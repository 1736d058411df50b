"""What is wrong with a graph, in words a person can act on, and which columns are known at each output.

Pure: it is given the catalog's components and the columns of data set versions, and looks nothing up.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol, cast

from jsonschema.exceptions import ValidationError

from workers.sdk.graph.check_flow import check_flow
from workers.sdk.graph.fits import Form
from workers.sdk.graph.nested import PREFIX, output_kinds
from workers.sdk.graph.order import CycleError, topological
from workers.sdk.graph.parameters import PARAMETER, SECRET, is_reference, references, substitute
from workers.sdk.graph.shape import Column, Graph, Problem, Step, normal

ANY_KIND = "Artifact"
"""A port of the base kind takes (or may give) every kind."""


class PortLike(Protocol):
    """What `check` needs of `workers.sdk.component.Port`."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def required(self) -> bool: ...
    @property
    def many(self) -> bool: ...


class ComponentLike(Protocol):
    """What `check` needs of `workers.sdk.component.Component`."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def inputs(self) -> Sequence[PortLike]: ...
    @property
    def outputs(self) -> Sequence[PortLike]: ...
    @property
    def parameters(self) -> Mapping[str, Any]: ...
    @property
    def columns(self) -> Callable[..., Mapping[str, Any]] | None: ...
    @property
    def passes(self) -> Mapping[str, str]: ...


class DatasetReference(NamedTuple):
    step: str
    parameter: str
    text: str


Schemas = dict[str, dict[str, list[Column]]]


def nearest(name: str, known: Iterable[str]) -> str:
    """“ Did you mean …?”, or the names there are when they are few, or nothing."""
    names = list(known)
    folded = {n.casefold(): n for n in names}
    if name.casefold() in folded:
        return f"Did you mean “{folded[name.casefold()]}”?"
    if close := difflib.get_close_matches(name, names, n=1, cutoff=0.5):
        return f"Did you mean “{close[0]}”?"
    return f"There is: {', '.join(names)}." if 0 < len(names) <= 12 else ""


def _form(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part of a property's schema that carries `format`: itself, or one branch of its `anyOf` (an optional value)."""
    if "format" in schema:
        return schema
    for branch in [*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())]:
        if isinstance(branch, Mapping) and "format" in branch:
            return {**schema, **branch}
    return schema


def _properties(component: ComponentLike) -> dict[str, Mapping[str, Any]]:
    found = component.parameters.get("properties", {})
    return {name: _form(schema) for name, schema in found.items() if isinstance(schema, Mapping)}


def _effective(component: ComponentLike, step: Step) -> dict[str, Any]:
    """The step's parameters with the component's defaults filled in."""
    defaults = {name: schema["default"] for name, schema in component.parameters.get("properties", {}).items() if "default" in schema}
    return {**defaults, **step["parameters"]}


def dataset_references(graph: Mapping[str, Any], components: Mapping[str, ComponentLike]) -> list[DatasetReference]:
    """Every data set version that a step's parameter names, in the order of the steps' keys."""
    found: list[DatasetReference] = []
    naming: dict[str, list[str]] = {}  # by component, its parameters that name one
    for key, step in normal(graph)["steps"].items():
        component = components.get(step["component"])
        if component is None:
            continue
        if (names := naming.get(step["component"])) is None:
            fields = _properties(component)
            names = naming[step["component"]] = [name for name, schema in fields.items() if schema.get("format") == "dataset-version"]
        for name in names:
            value = step["parameters"].get(name)
            if isinstance(value, str) and value:
                found.append(DatasetReference(key, name, value))
    return found


def _show(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"


TYPES = {
    "object": "an object", "array": "a list", "string": "text", "number": "a number", "integer": "a whole number",
    "boolean": "true or false", "null": "empty",
}  # fmt: skip


def _in_words(error: ValidationError) -> str:
    """One JSON Schema error as the end of a sentence that begins with the parameter's name."""
    limit: Any = error.validator_value
    value: Any = error.instance
    match error.validator:
        case "type":
            names: list[str] = limit if isinstance(limit, list) else [str(limit)]
            return f"must be {' or '.join(TYPES.get(n) or n for n in names)}; it is {_show(value)}."
        case "enum":
            return f"must be one of {', '.join(str(v) if v is not None else 'empty' for v in limit)}; it is {_show(value)}."
        case "const":
            return f"must be {_show(limit)}; it is {_show(value)}."
        case "minimum":
            return f"must be at least {limit}; it is {_show(value)}."
        case "maximum":
            return f"must be at most {limit}; it is {_show(value)}."
        case "exclusiveMinimum":
            return f"must be more than {limit}; it is {_show(value)}."
        case "exclusiveMaximum":
            return f"must be less than {limit}; it is {_show(value)}."
        case "minLength":
            return "needs a value." if not value else f"must have at least {limit} characters."
        case "maxLength":
            return f"must have at most {limit} characters."
        case "minItems":
            return f"needs at least {limit} entr{'y' if limit == 1 else 'ies'}."
        case "maxItems":
            return f"must have at most {limit} entries."
        case "uniqueItems":
            return "must not name anything twice."
        case "pattern":
            return f"has a form that does not fit ({limit}); it is {_show(value)}."
    return f"does not fit: {error.message}"


def _best(error: ValidationError) -> ValidationError:
    """Of an `anyOf`, the branch the value was most likely meant for: the one that is not merely about its type."""
    while error.context:
        branches = [e for e in error.context if e.validator != "type"] or [
            e for e in error.context if not (e.validator == "type" and e.validator_value == "null")
        ]
        error = (branches or error.context)[0]
    return error


def _errors(form: Form, step: Step) -> list[ValidationError]:
    if form.fits(step["parameters"]):
        return []
    found = form.validator.iter_errors(step["parameters"])
    # What is only known at the start, or never here (a secret), is checked when it is put in.
    open_ = {name for name, value in step["parameters"].items() if is_reference(value, PARAMETER) or is_reference(value, SECRET)}
    found = (e for e in found if not (e.absolute_path and e.absolute_path[0] in open_))
    return sorted(found, key=lambda e: [str(part) for part in e.absolute_path])


class _Check:
    def __init__(self, graph: Graph, components: Mapping[str, ComponentLike], datasets: Mapping[str, Sequence[Mapping[str, Any]] | None]):
        self.steps, self.components, self.datasets = graph["steps"], components, datasets
        self.graph = graph
        self.kinds: dict[tuple[str, str], str] = {}
        self.problems: list[Problem] = []
        self.schemas: Schemas = {}
        self.forms: dict[str, Form] = {}
        """By component: making one costs more than using it."""
        self.fields: dict[str, dict[str, Mapping[str, Any]]] = {}
        """By component: `_properties`."""

    def add(
        self, code: str, message: str, step: str | None = None, *, port: str | None = None, parameter: str | None = None, hint: str = "",
        severity: Literal["error", "warning"] = "error",
    ) -> None:  # fmt: skip
        self.problems.append(
            {"severity": severity, "step": step, "port": port, "parameter": parameter, "code": code, "message": message, "hint": hint}
        )

    def label(self, key: str) -> str:
        """How a person knows this step: its name, else its component's title, else its key."""
        step = self.steps[key]
        component = self.components.get(step["component"])
        return step["name"] or (component.title if component else key)

    def run(self) -> None:
        if not self.steps:
            self.add("no_steps", "The pipeline has no steps yet.", hint="Add a step from the palette.")
            return
        try:
            order = topological(self.graph)
        except CycleError as e:
            around = " → ".join(self.label(k) for k in e.cycle)
            self.add("cycle", f"These steps wait for each other: {around}.", e.cycle[0], hint="Remove one of the wires between them.")
            order = sorted(self.steps)
        else:
            self.kinds = output_kinds(self.graph, self.components)
        used = {ref["step"] for step in self.steps.values() for refs in step["inputs"].values() for ref in refs}
        for key in order:
            step = self.steps[key]
            component = self.components.get(step["component"])
            if component is None:
                self.add(
                    "unknown_component",
                    f"There is no component “{step['component']}”.",
                    key,
                    hint="Choose a published version from the palette."
                    if step["component"].startswith(PREFIX)
                    else nearest(step["component"], self.components),
                )
                continue
            connected = self.wires(key, step, component)
            check_flow(self, key, step, component)
            wrong = self.parameters(key, step, component)
            self.columns(key, step, component, wrong)
            if connected and len(self.steps) > 1 and not step["inputs"] and key not in used:
                self.add(
                    "unconnected",
                    f"“{self.label(key)}” is connected to nothing.",
                    key,
                    hint="Connect it, or remove it.",
                    severity="warning",
                )

    def wires(self, key: str, step: Step, component: ComponentLike) -> bool:
        """False when an input that must be connected is not (which then is the thing to say about this step)."""
        ports = {port.name: port for port in component.inputs}
        for name, refs in step["inputs"].items():
            port = ports.get(name)
            if port is None:
                self.add("unknown_port", f"“{self.label(key)}” has no input “{name}”.", key, port=name, hint=nearest(name, ports))
                continue
            if len(refs) > 1 and not port.many:
                message = f"The input “{name}” of “{self.label(key)}” takes one wire; {len(refs)} end there."
                self.add("too_many_wires", message, key, port=name, hint="Remove all but one.")
            for ref in refs:
                self.wire(key, port, ref["step"], ref["output"], many=port.many or step.get("map", {}).get("port") == name)
        missing = [port for port in component.inputs if port.required and not step["inputs"].get(port.name)]
        for port in missing:
            self.add(
                "missing_input",
                f"“{self.label(key)}” needs its input “{port.name}” ({port.kind}).",
                key,
                port=port.name,
                hint=f"Connect an output of kind {port.kind} to it.",
            )
        return not missing

    def wire(self, key: str, port: PortLike, source: str, output: str, *, many: bool) -> None:
        if source not in self.steps:
            message = f"The input “{port.name}” of “{self.label(key)}” comes from a step that does not exist: {source}."
            self.add("missing_step", message, key, port=port.name, hint=nearest(source, self.steps))
            return
        before = self.components.get(self.steps[source]["component"])
        if before is None:
            return  # told at the source
        outputs = {out.name: out for out in before.outputs}
        if output not in outputs:
            self.add(
                "unknown_output", f"“{self.label(source)}” has no output “{output}”.", key, port=port.name, hint=nearest(output, outputs)
            )
            return
        kind = self.kinds.get((source, output), outputs[output].kind)
        if ANY_KIND not in (port.kind, kind) and kind != port.kind:
            self.add(
                "kind_mismatch",
                f"“{self.label(source)}” gives {kind} at “{output}”, but the input “{port.name}” of “{self.label(key)}” takes {port.kind}.",
                key, port=port.name, hint=f"Connect an output of kind {port.kind}.",
            )  # fmt: skip
        elif self.steps[source].get("map") and not many:
            self.add(
                "list_to_one",
                f"“{self.label(source)}” is mapped and gives a list of {kind}, but the input “{port.name}” of “{self.label(key)}” takes "
                "one.",
                key, port=port.name, hint="Join the list first (Join tables, First of), or map this step too.",
            )  # fmt: skip

    def parameters(self, key: str, step: Step, component: ComponentLike) -> set[str]:
        """Check against the schema; the names of what is wrong."""
        wrong: set[str] = set()
        known = component.parameters.get("properties", {})
        if (form := self.forms.get(step["component"])) is None:
            form = self.forms[step["component"]] = Form(component.parameters)
        for error in _errors(form, step):
            path = [str(p) for p in error.absolute_path]
            if not path and error.validator == "required":
                for name in cast("list[str]", error.validator_value):
                    if name not in step["parameters"] and name not in wrong:
                        wrong.add(name)
                        self.add(
                            "missing_parameter", f"“{self._title(known, name)}” of “{self.label(key)}” needs a value.", key, parameter=name
                        )
            elif not path and error.validator == "additionalProperties":
                for name in sorted(set(step["parameters"]) - set(known)):
                    wrong.add(name)
                    self.add(
                        "unknown_parameter",
                        f"“{self.label(key)}” has no parameter “{name}”.",
                        key,
                        parameter=name,
                        hint=nearest(name, known),
                    )
            elif path and path[0] not in wrong:
                wrong.add(path[0])
                best = _best(error)
                inner = [str(p) for p in best.absolute_path][1:]
                place = f" (at {'.'.join(inner)})" if inner else ""
                message = f"“{self._title(known, path[0])}” of “{self.label(key)}”{place} {_in_words(best)}"
                self.add("bad_parameter", message, key, parameter=path[0])
            elif not path:
                self.add("bad_parameters", f"The parameters of “{self.label(key)}” do not fit: {error.message}", key)
        for name, schema in self.properties(step, component).items():
            text = step["parameters"].get(name)
            if schema.get("format") != "dataset-version" or not isinstance(text, str) or not text or name in wrong:
                continue
            if text not in self.datasets:
                wrong.add(name)
                self.add(
                    "unknown_dataset", f"There is no frozen data set version “{text}” in this project.", key, parameter=name,
                    hint=nearest(text, self.datasets) or "Choose a data set; write it as name@3 or name@latest.",
                )  # fmt: skip
        return wrong

    def properties(self, step: Step, component: ComponentLike) -> dict[str, Mapping[str, Any]]:
        if (found := self.fields.get(step["component"])) is None:
            found = self.fields[step["component"]] = _properties(component)
        return found

    @staticmethod
    def _title(known: Mapping[str, Any], name: str) -> str:
        schema = known.get(name)
        return str(schema.get("title") or name) if isinstance(schema, Mapping) else name

    def columns(self, key: str, step: Step, component: ComponentLike, wrong: set[str]) -> None:
        parameters = _effective(component, step)
        arriving: dict[str, list[Column] | None] = {}
        for port in component.inputs:
            known = [self.schemas.get(ref["step"], {}).get(ref["output"]) for ref in step["inputs"].get(port.name, ())]
            arriving[port.name] = next((columns for columns in known if columns is not None), None)
        given: list[Column] | None = None
        for name, schema in self.properties(step, component).items():
            value = parameters.get(name)
            if schema.get("format") == "dataset-version":
                found = self.datasets.get(value) if isinstance(value, str) else None
                given = arriving[name] = None if found is None else [{"name": str(c["name"]), "type": str(c["type"])} for c in found]
            elif schema.get("format") in ("column", "columns") and name not in wrong:
                self.column_parameter(key, component, name, value, schema, arriving)
        if component.columns is not None:
            try:
                leaving = component.columns(arriving, parameters)
            except Exception:  # a component's own mistake, or a parameter already told about: nothing is known
                leaving = {}
        elif given is not None:
            leaving = {port.name: given for port in component.outputs}
        else:
            leaving = {}
        outputs = {port.name for port in component.outputs}
        kept = {
            out: [Column(name=str(c["name"]), type=str(c["type"])) for c in columns]
            for out, columns in leaving.items()
            if out in outputs and columns is not None
        }
        if kept:
            self.schemas[key] = kept

    def column_parameter(
        self,
        key: str,
        component: ComponentLike,
        name: str,
        value: Any,
        schema: Mapping[str, Any],
        arriving: Mapping[str, list[Column] | None],
    ) -> None:
        port = schema.get("x-port") or next((p.name for p in component.inputs), "")
        columns = arriving.get(port)
        if columns is None:
            return
        names = [c["name"] for c in columns]
        title = self._title(component.parameters.get("properties", {}), name)
        for wanted in value if isinstance(value, list) else [value]:
            if isinstance(wanted, str) and wanted and wanted not in names:
                self.add(
                    "unknown_column", f"“{title}” of “{self.label(key)}” names the column “{wanted}”, which does not arrive at “{port}”.",
                    key, port=port, parameter=name, hint=nearest(wanted, names),
                )  # fmt: skip


def check(
    graph: Mapping[str, Any],
    components: Mapping[str, ComponentLike],
    dataset_columns: Mapping[str, Sequence[Mapping[str, Any]] | None],
) -> tuple[list[Problem], Schemas]:
    """(problems in running order, known columns by step and output).

    `dataset_columns` has an entry for each data set version (by the text that names it) that exists; its value is None where the
    version has no columns. Raises GraphError when `graph` is no graph at all.
    """
    whole = normal(graph)
    declared = whole.get("parameters") or {}
    defaults = {name: one["default"] for name, one in declared.items() if "default" in one}
    checking = _Check(cast(Graph, substitute(whole, defaults)), components, dataset_columns)
    for key, parameter, name in references(whole, PARAMETER):
        if name not in declared:
            message = f"“{checking.label(key)}” takes the pipeline's parameter “{name}”, which there is not."
            checking.add("unknown_pipeline_parameter", message, key, parameter=parameter, hint=nearest(name, declared) or "Declare it.")
    checking.run()
    return checking.problems, checking.schemas
