"""A component is its typed function: what can be read from it, and what is refused."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import jsonschema
import pytest
from pydantic import Field

from workers import catalog
from workers.sdk.component import Column, component
from workers.sdk.errors import ComponentDefinitionError, ParameterError, StepError
from workers.sdk.kinds import Metrics, Model, Table

ROOT = Path(__file__).parents[3]


class Out(NamedTuple):
    table: Table
    metrics: Annotated[Metrics | None, Field(description="Only sometimes.")]


@component(resources="io", stage="data")
def example(
    first: Table,
    models: Annotated[list[Model], Field(title="All models", description="Any number.")],
    other: Table | None = None,
    *,
    column: Annotated[str, Column("first"), Field(description="Which column.")],
    count: Annotated[int, Field(description="How many.", ge=1, le=10)] = 3,
    how: Annotated[Literal["fast", "well"], Field(description="How.")] = "fast",
) -> Out:
    """Example step

    First paragraph
    of help.

    Second paragraph.
    """
    return Out(table=first, metrics=None)


def test_everything_is_read_from_the_function() -> None:
    assert (example.name, example.title, example.summary, example.resources) == (
        "example",
        "Example step",
        "First paragraph of help.",
        "io",
    )
    assert [(p.name, p.kind, p.required, p.many) for p in example.inputs] == [
        ("first", "Table", True, False),
        ("models", "Model", True, True),
        ("other", "Table", False, False),
    ]
    assert [(p.name, p.required) for p in example.outputs] == [("table", True), ("metrics", False)]
    schema = example.parameters
    assert schema["required"] == ["column"] and schema["additionalProperties"] is False
    assert schema["properties"]["column"] == {
        "description": "Which column.",
        "format": "column",
        "title": "Column",
        "type": "string",
        "x-port": "first",
    }
    assert schema["properties"]["count"] == {
        "default": 3,
        "description": "How many.",
        "maximum": 10,
        "minimum": 1,
        "title": "Count",
        "type": "integer",
    }


@pytest.mark.parametrize(
    ("parameters", "field", "said"),
    [
        ({}, "column", "a column"),
        ({"column": "a", "count": 11}, "count", "at most 10"),
        ({"column": "a", "count": "3"}, "count", "a whole number"),
        ({"column": "a", "how": "badly"}, "how", "one of: fast, well"),
        ({"column": "a", "colour": 1}, "colour", "column, count, how"),
    ],
)
def test_a_wrong_parameter_is_named_with_what_would_be_right(parameters: dict[str, object], field: str, said: str) -> None:
    with pytest.raises(ParameterError) as caught:
        example.call({}, parameters)
    assert caught.value.field == field and said in caught.value.problems[0]["expected"]
    assert pickle.loads(pickle.dumps(caught.value)).problems == caught.value.problems  # it crosses from an isolated process


def test_inputs_are_checked_before_the_function_runs() -> None:
    table, metrics = Table(digest="0" * 64), Metrics.of({"values": {}})
    with pytest.raises(StepError, match="nothing is connected to “First”"):
        example.call({"models": []}, {"column": "a"})
    with pytest.raises(StepError, match="takes a Model, a Metrics arrived"):
        example.call({"first": table, "models": [metrics]}, {"column": "a"})
    with pytest.raises(StepError, match="no input named “firs”"):
        example.call({"first": table, "models": [], "firs": table}, {"column": "a"})
    assert example.call({"first": [table], "models": []}, {"column": "a"}) == {"table": table}  # the optional output is absent


def test_what_is_missing_is_an_error_that_names_function_and_parameter() -> None:
    def no_docstring(table: Table) -> Table:
        return table

    def no_type(table: Table, *, count=3) -> Table:  # type: ignore[no-untyped-def]
        """Title"""
        return table

    def no_description(table: Table, *, count: int = 3) -> Table:
        """Title"""
        return table

    def no_return(table: Table):  # type: ignore[no-untyped-def]
        """Title"""

    for function, said in (
        (no_docstring, "no_docstring: a docstring"),
        (no_type, "no_type: the parameter count has no type"),
        (no_description, "no_description: the parameter count has no description"),
        (no_return, "no_return: the return type"),
    ):
        with pytest.raises(ComponentDefinitionError, match=said):
            component()(function)


def test_loading_the_catalogue_imports_nothing_heavy() -> None:
    code = (
        "import sys; from workers import catalog; c = catalog.load(); [(x.parameters, x.version) for x in c.components.values()];"
        "print([m for m in ('numpy', 'pandas', 'pyarrow', 'sklearn', 'torch', 'onnx', 'django') if m in sys.modules], len(c.components))"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said.startswith("[] ") and int(said.split()[-1]) >= 19


@pytest.mark.parametrize("one", catalog.load().components.values(), ids=lambda c: c.name)
def test_every_component_can_be_shown_to_people_who_write_no_code(one: catalog.Component) -> None:
    jsonschema.Draft202012Validator.check_schema(one.parameters)
    assert one.stage in {s["name"] for s in catalog.STAGES}
    assert len(one.help) > 40 and one.title and one.summary != one.title
    defaults = {n: p["default"] for n, p in one.parameters["properties"].items() if "default" in p}
    needed = {n: "x" if "pattern" in one.parameters["properties"][n] else "x@1" for n in one.parameters.get("required", [])}
    jsonschema.Draft202012Validator(one.parameters).validate({**needed, **defaults})
    for name, field in one.parameters["properties"].items():
        assert field["title"] and field["description"].endswith((".", "?")), name
        if field.get("type") in {"integer", "number"}:
            assert {"minimum", "exclusiveMinimum"} & field.keys() and {"maximum", "exclusiveMaximum"} & field.keys(), (
                f"{name} has no limits"
            )
        if field.get("type") == "string" and "enum" not in field and field.get("format") not in {"column"}:
            assert "maxLength" in field, f"{name} has no limit"
        if port := field.get("x-port"):
            assert port in {p.name for p in one.inputs}, name
    assert all(p.help.endswith(".") for p in (*one.inputs, *one.outputs))
    assert (ROOT / "tests" / "workers" / "components" / f"test_{one.name}.py").is_file(), "each component has its own test"


def test_a_version_follows_the_sources_it_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    from workers.sdk import component as module

    before = module._sources("workers.components.train.train_forest")
    assert any(s.startswith("workers.training.recipe\n") for s in before) and "scikit-learn==" in "".join(before)
    assert not any(s.startswith("workers.sdk.client\n") for s in before)  # the HTTP client decides nothing
    module._sources.cache_clear()
    read = module._module
    monkeypatch.setattr(module, "_module", lambda name: ("changed", frozenset()) if name.endswith("recipe") else read(name))
    assert module._sources("workers.components.train.train_forest") != before
    module._sources.cache_clear()
