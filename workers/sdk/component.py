"""The `component` decorator: everything about a component is read from its one typed function.

Parameters typed as an artifact kind are input ports; the others (keyword-only) are the form; the return type gives the
output ports; the docstring is the title and the help panel. What is missing is an error that names function and parameter.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import importlib.util
import inspect
import sys
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal, Union

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema

from workers.sdk.errors import ComponentDefinitionError, ParameterError, ParameterProblem, StepError
from workers.sdk.kinds import Artifact

ColumnList = list[dict[str, str]]
ColumnsFunction = Callable[[dict[str, ColumnList | None], dict[str, Any]], dict[str, ColumnList | None]]


@dataclass(frozen=True)
class _Format:
    """Marks a parameter for a widget of its own: JSON Schema `format`, and `x-port` for what is picked from an input."""

    format: str
    port: str = ""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler(core)
        schema["format"] = self.format
        if self.port:
            schema["x-port"] = self.port
        return schema


def Column(port: str) -> _Format:
    """One column of the table at `port`. For `str`."""
    return _Format("column", port)


def Columns(port: str) -> _Format:
    """Some columns of the table at `port`. For `list[str]`."""
    return _Format("columns", port)


def Expression(port: str) -> _Format:
    """A condition over the columns of the table at `port`, in the safe expression language. For `str`."""
    return _Format("expression", port)


DatasetVersionRef = _Format("dataset-version")
ModelName = _Format("model-name")
EndpointName = _Format("endpoint-name")
Seed = _Format("seed")


@dataclass(frozen=True, kw_only=True)
class Port:
    """Where a wire starts or ends."""

    name: str
    kind: str
    title: str
    help: str
    required: bool = True
    many: bool = False


@dataclass(frozen=True, kw_only=True)
class Component:
    """A component, derived from its function. Calling it calls the function as it is; `call` is the engine's checked way in."""

    function: Callable[..., Any]
    name: str
    title: str
    stage: str
    summary: str
    help: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    resources: Literal["io", "cpu", "gpu"]
    cacheable: bool
    isolate: bool
    columns: ColumnsFunction | None
    passes: Mapping[str, str]
    undo: str
    changes: bool
    spread: bool
    _fields: dict[str, tuple[Any, Any]] = field(repr=False)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    @cached_property
    def _model(self) -> type[BaseModel]:
        fields: dict[str, Any] = dict(self._fields)
        return create_model(self.name, __config__=ConfigDict(extra="forbid", strict=True, title=self.title), **fields)

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """JSON Schema (draft 2020-12) of the form."""
        schema = self._model.model_json_schema()
        schema.setdefault("properties", {})
        return schema

    @cached_property
    def titles(self) -> dict[str, str]:
        """What the form calls the parameters, by name."""
        return {name: schema.get("title", name) for name, schema in self.parameters["properties"].items()}

    @cached_property
    def version(self) -> str:
        """Hash of what decides the result: its source, the sources of the studio's it imports, the libraries' versions."""
        return hashlib.sha256("\n".join(_sources(self.function.__module__)).encode()).hexdigest()

    def problems(self, parameters: Mapping[str, Any]) -> list[ParameterProblem]:
        """What is wrong with these parameters; an empty list where all is right."""
        try:
            self._model.model_validate(dict(parameters))
        except ValidationError as error:
            return self._problems(error)
        return []

    def validate(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters with defaults filled in. Raises `ParameterError`."""
        try:
            model = self._model.model_validate(dict(parameters))
        except ValidationError as error:
            raise ParameterError(self.title, self._problems(error)) from None
        return {name: getattr(model, name) for name in self._fields}

    def _problems(self, error: ValidationError) -> list[ParameterProblem]:
        return [self._problem(e["loc"], e["type"], e["msg"]) for e in error.errors(include_url=False)]

    def call(self, inputs: Mapping[str, Artifact | Sequence[Artifact] | None], parameters: Mapping[str, Any]) -> dict[str, Artifact]:
        """Check parameters and inputs, run the function, and give its outputs by port. Optional outputs it left out are absent."""
        checked = self.validate(parameters)
        given = {k: v for k, v in inputs.items() if v is not None}
        for port in self.inputs:
            if port.name not in given:
                if port.required:
                    raise StepError(
                        f"{self.title}: nothing is connected to “{port.title}”.", hint=f"Connect a {port.kind}.", field=port.name
                    )
                continue
            arrived = given[port.name]
            if port.many:
                given[port.name] = list(arrived) if isinstance(arrived, Sequence) else [arrived]
            elif isinstance(arrived, Sequence):
                if len(arrived) != 1:
                    raise StepError(f"{self.title}: “{port.title}” takes one wire, {len(arrived)} arrive.", field=port.name)
                given[port.name] = arrived[0]
            one = given[port.name]
            for item in one if isinstance(one, list) else [one]:
                if not isinstance(item, Artifact) or port.kind not in (item.kind, Artifact.kind):
                    raise StepError(
                        f"{self.title}: “{port.title}” takes a {port.kind}, a {getattr(item, 'kind', type(item).__name__)} arrived.",
                        field=port.name,
                    )
        if unknown := given.keys() - {p.name for p in self.inputs}:
            raise StepError(f"{self.title} has no input named “{min(unknown)}”.", field=min(unknown))
        answer = self.function(**given, **checked)
        made = {p.name: getattr(answer, p.name) if isinstance(answer, tuple) else answer for p in self.outputs}
        for port in self.outputs:
            if made[port.name] is None and port.required:
                raise TypeError(f"{self.name} gave nothing for its output {port.name}")
        return {k: v for k, v in made.items() if v is not None}

    def _problem(self, where: tuple[int | str, ...], kind: str, message: str) -> ParameterProblem:
        name = str(where[0]) if where else ""
        schema = self.parameters["properties"].get(name, {})
        title = schema.get("title", name)
        if kind == "extra_forbidden":
            return {"field": name, "message": f"{self.title} has no parameter “{name}”", "expected": "one of: " + ", ".join(self._fields)}
        if kind == "missing":
            return {"field": name, "message": f"“{title}” is needed", "expected": expectation(schema, self.parameters)}
        return {"field": name, "message": message[:1].lower() + message[1:], "expected": expectation(schema, self.parameters)}


def expectation(schema: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    """What a value must be, in words, from its JSON Schema."""
    if "$ref" in schema:
        schema = root.get("$defs", {}).get(str(schema["$ref"]).rsplit("/", 1)[-1], {})
    if "anyOf" in schema:
        return " or ".join(expectation(s, root) for s in schema["anyOf"])
    if "enum" in schema:
        return "one of: " + ", ".join(str(v) for v in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    kind = schema.get("type")
    word = {
        "integer": "a whole number",
        "number": "a number",
        "boolean": "true or false",
        "string": "text",
        "array": "a list",
        "object": "an object",
        "null": "nothing",
    }.get(str(kind), "a value")
    word = {
        "column": "the name of a column",
        "columns": "a list of column names",
        "dataset-version": "a data set version such as flowers@2",
        "expression": "a condition such as age > 30",
        "model-name": "a model's name",
        "endpoint-name": "an endpoint's name",
    }.get(str(schema.get("format")), word)
    limits = [
        f"{text} {schema[key]}"
        for key, text in (("minimum", "at least"), ("exclusiveMinimum", "above"), ("maximum", "at most"), ("exclusiveMaximum", "below"))
        if key in schema
    ]
    if "minLength" in schema and schema["minLength"] > 0:
        limits.append("not empty" if schema["minLength"] == 1 else f"at least {schema['minLength']} characters")
    if "maxLength" in schema:
        limits.append(f"at most {schema['maxLength']} characters")
    if "minItems" in schema:
        limits.append(f"at least {schema['minItems']} of them")
    return word + (", " + " and ".join(limits) if limits else "")


def component(
    *,
    resources: Literal["io", "cpu", "gpu"] = "cpu",
    cacheable: bool = True,
    isolate: bool = False,
    columns: ColumnsFunction | None = None,
    stage: str = "",
    passes: Mapping[str, str] | None = None,
    undo: str = "",
    changes: bool = False,
    spread: bool = False,
) -> Callable[[Callable[..., Any]], Component]:
    """Make a component of a typed function.

    `resources` is the queue it runs in; `cacheable` says that equal inputs give an equal result; `isolate` runs it in a fresh
    process that can be stopped at once (all torch steps); `columns` tells, without running anything, which columns come out,
    given those that go in; `stage` is the palette's group, the folder's name unless said otherwise. `passes` says which output hands on
    what arrives at which input, so that its kind is known (`@name`: the kind that the parameter `name` names); `undo` names the component
    that puts right what this one did, when its run fails or is cancelled. `changes` says that it changes the
    platform (or asks somebody): dry runs leave it out. `spread`: given several devices, it is run
    once for each, together (`workers.training.spread`); another component sees all of them in its one process.
    """

    def derive(function: Callable[..., Any]) -> Component:
        name = function.__name__
        text = inspect.cleandoc(function.__doc__ or "")
        if not text:
            raise ComponentDefinitionError(f"{name}: a docstring is missing; its first line is the title, the rest the help")
        title, _, rest = text.partition("\n")
        rest = rest.strip()
        hints = typing.get_type_hints(function, include_extras=True)
        inputs: list[Port] = []
        fields: dict[str, tuple[Any, Any]] = {}
        for parameter in inspect.signature(function).parameters.values():
            if parameter.name not in hints:
                raise ComponentDefinitionError(f"{name}: the parameter {parameter.name} has no type")
            if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
                raise ComponentDefinitionError(f"{name}: *{parameter.name} is not allowed; every port and parameter has a name")
            hint = hints[parameter.name]
            if (port := _port(parameter.name, hint)) is not None:
                if not port.required and parameter.default is not None:
                    raise ComponentDefinitionError(f"{name}: the optional input {parameter.name} must have the default None")
                inputs.append(port)
                continue
            if parameter.kind is not parameter.KEYWORD_ONLY:
                raise ComponentDefinitionError(f"{name}: the parameter {parameter.name} must come after * (only inputs come before it)")
            fields[parameter.name] = _field(name, parameter, hint)
        if "return" not in hints:
            raise ComponentDefinitionError(f"{name}: the return type is missing; it gives the output ports")
        module = function.__module__.split(".")
        return Component(
            function=function,
            name=name,
            title=title.rstrip("."),
            stage=stage or (module[-2] if len(module) > 1 else "data"),
            summary=rest.partition("\n\n")[0].replace("\n", " ").strip() or title,
            help=rest,
            inputs=tuple(inputs),
            outputs=tuple(_outputs(name, hints["return"])),
            resources=resources,
            cacheable=cacheable,
            isolate=isolate,
            columns=columns,
            passes=dict(passes or {}),
            undo=undo,
            changes=changes,
            spread=spread,
            _fields=fields,
        )

    return derive


def _field(function: str, parameter: inspect.Parameter, hint: Any) -> tuple[Any, Any]:
    described = [m for m in getattr(hint, "__metadata__", ()) if isinstance(m, FieldInfo) and m.description]
    if not described:
        raise ComponentDefinitionError(
            f"{function}: the parameter {parameter.name} has no description; write Annotated[…, Field(description=…)]"
        )
    title = next((m.title for m in described if m.title), None) or parameter.name.replace("_", " ").capitalize()
    kept = FieldInfo(title=title)
    if parameter.default is not inspect.Parameter.empty:
        kept = FieldInfo(title=title, default=parameter.default)
    return (hint, kept)


def _port(name: str, hint: Any) -> Port | None:
    """The port that this type makes, or None where it is not an artifact's."""
    info = next((m for m in getattr(hint, "__metadata__", ()) if isinstance(m, FieldInfo)), None)
    if info is not None:
        hint = typing.get_args(hint)[0]
    required, many = True, False
    if typing.get_origin(hint) in (Union, types.UnionType):
        options = [a for a in typing.get_args(hint) if a is not types.NoneType]
        if len(options) != 1:
            return None
        required, hint = len(options) == len(typing.get_args(hint)), options[0]
    if typing.get_origin(hint) is list:
        many, hint = True, typing.get_args(hint)[0]
    if not (isinstance(hint, type) and issubclass(hint, Artifact)):
        return None
    title = (info.title if info else None) or name.replace("_", " ").capitalize()
    told = (info.description if info else None) or hint.help
    return Port(name=name, kind=hint.kind, title=title, help=told, required=required, many=many)


def _outputs(function: str, hint: Any) -> list[Port]:
    if hint is type(None):
        return []
    if isinstance(hint, type) and issubclass(hint, tuple):
        ports = []
        for name, one in typing.get_type_hints(hint, include_extras=True).items():
            if (port := _port(name, one)) is None:
                raise ComponentDefinitionError(f"{function}: the output {name} is not an artifact kind")
            ports.append(port)
        return ports
    if (port := _port("", hint)) is None:
        raise ComponentDefinitionError(f"{function}: the return type must be an artifact kind or a NamedTuple of them")
    name = "".join("_" + c.lower() if c.isupper() else c for c in port.kind).lstrip("_")
    return [Port(name=name, kind=port.kind, title=port.title or port.kind, help=port.help, required=port.required, many=False)]


# Of the kit itself only what computes results counts: a change of, say, the HTTP client must not invalidate every cached model.
_DECIDING = ("workers.training", "workers.components", "workers.drift", "workers.sdk.expression")


@cache
def _sources(module: str) -> tuple[str, ...]:
    """Everything that decides what the functions of `module` compute: sources, in a fixed order, and library versions."""
    seen: dict[str, str] = {}
    libraries: set[str] = set()
    todo = [module]
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        source, imports = _module(name)
        if not source:
            continue
        seen[name] = source
        for imported in imports:
            root = imported.partition(".")[0]
            if imported == module or imported.startswith(_DECIDING) or root == module.partition(".")[0] != "workers":
                todo.append(imported)
            elif root not in sys.stdlib_module_names and root != "workers":
                libraries.add(root)
    return tuple(f"{name}\n{source}" for name, source in sorted(seen.items())) + tuple(_library_version(x) for x in sorted(libraries))


@cache
def _module(name: str) -> tuple[str, frozenset[str]]:
    """A module's text and what it imports; empty where it is no Python file."""
    source = _read_source(name) or ""
    return source, frozenset(_imports(source))


def _read_source(module: str) -> str | None:
    """A module's text, found without importing it: the web process asks for versions and must not load torch."""
    if module.startswith("workers."):
        base = Path(__file__).parents[2].joinpath(*module.split("."))
        for file in (base.with_suffix(".py"), base / "__init__.py"):
            if file.is_file():
                return file.read_text(encoding="utf-8")
        return None
    loaded = sys.modules.get(module)
    try:
        spec = loaded.__spec__ if loaded is not None else importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.origin or not spec.origin.endswith(".py"):
        return None
    return Path(spec.origin).read_text(encoding="utf-8")


def _imports(source: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
            found.update(f"{node.module}.{a.name}" for a in node.names if node.module.startswith("workers"))
    return found


@cache
def _library_version(root: str) -> str:
    distribution = {"sklearn": "scikit-learn", "PIL": "pillow"}.get(root, root)
    try:
        return f"{distribution}=={importlib.metadata.version(distribution)}"
    except importlib.metadata.PackageNotFoundError:
        return distribution
