# ruff: noqa: E501 - expected sentences stand on one line, as a person reads them
"""The graph's pure functions: what a person relies on when they edit, publish, export and import a pipeline."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.sdk.graph import (
    CycleError,
    GraphError,
    YamlError,
    check,
    dataset_references,
    digest,
    from_yaml,
    normalise,
    to_yaml,
    topological,
)


@dataclass(frozen=True)
class P:
    name: str
    kind: str
    required: bool = True
    many: bool = False


@dataclass(frozen=True)
class C:
    name: str
    inputs: list[P] = field(default_factory=list)
    outputs: list[P] = field(default_factory=list)
    properties: dict[str, Any] = field(default_factory=dict)
    required: list[str] = field(default_factory=list)
    columns: Any = None
    passes: dict[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return self.name.replace("_", " ").capitalize()

    @property
    def parameters(self) -> dict[str, Any]:
        return {"type": "object", "properties": self.properties, "required": self.required, "additionalProperties": False}


COMPONENTS = {
    c.name: c
    for c in [
        C("read_table", [], [P("table", "Table")], {"dataset": {"type": "string", "format": "dataset-version", "title": "Data set"}}, ["dataset"]),
        C(
            "select_columns", [P("table", "Table")], [P("table", "Table")],
            {"columns": {"type": "array", "items": {"type": "string"}, "format": "columns", "x-port": "table", "title": "Columns"}},
            columns=lambda inputs, p: {"table": inputs["table"] and [c for c in inputs["table"] if c["name"] in p["columns"]]},
        ),
        C(
            "train", [P("table", "Table"), P("recipe", "Recipe", required=False)], [P("model", "Model")],
            {
                "target": {"type": "string", "format": "column", "x-port": "table", "title": "Target"},
                "weight": {"anyOf": [{"type": "string", "format": "column", "x-port": "table"}, {"type": "null"}], "default": None, "title": "Weight"},
                "trees": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100, "title": "Trees"},
                "rate": {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "null"}], "default": None, "title": "Rate"},
            },
            ["target"],
        ),
        C("compare", [P("models", "Model", many=True)], [P("best", "Model")]),
    ]
}  # fmt: skip
DATA = {"income@latest": [{"name": "Age", "type": "integer"}, {"name": "sex", "type": "category"}, {"name": "income", "type": "category"}]}


def step(component: str, parameters: dict[str, Any] | None = None, **inputs: Any) -> dict[str, Any]:
    return {"component": component, "parameters": parameters or {}, "inputs": inputs}


def income() -> dict[str, Any]:
    return {
        "steps": {
            "read": step("read_table", {"dataset": "income@latest"}),
            "pick": step("select_columns", {"columns": ["Age", "income"]}, table=["read.table"]),
            "forest": step("train", {"target": "income"}, table=["pick.table"]),
            "best": step("compare", models=["forest.model"]),
        }
    }


text = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=30)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text | st.sampled_from(["yes", "1e5", "0x1F", "12:30", "2020-01-01", "~", "=", "<<", "a\nb\n", " \n", "#x", "1_0"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
keys = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
steps = st.builds(
    lambda c, n, p, i, pos, r, t, note: {"component": c, "name": n, "parameters": p, "inputs": i, "position": pos, "retries": r, "timeout_s": t, "note": note},
    keys, text, st.dictionaries(text, values, max_size=5), st.dictionaries(keys, st.lists(st.builds("{}.{}".format, keys, keys), min_size=1, max_size=3), max_size=3),
    st.none() | st.fixed_dictionaries({"x": st.floats(-1e6, 1e6), "y": st.floats(-1e6, 1e6)}), st.integers(0, 10), st.none() | st.integers(1, 604_800), text,
)  # fmt: skip


@given(st.fixed_dictionaries({"steps": st.dictionaries(keys, steps, max_size=6)}), text, text)
def test_yaml_round_trip_gives_the_same_graph_and_is_canonical(graph: dict[str, Any], name: str, description: str) -> None:
    written = to_yaml(graph, name=name, description=description)
    back = from_yaml(written)
    assert back.graph == normalise(graph)
    assert (back.name, back.description) == (name, description)
    assert digest(back.graph) == digest(graph)
    assert to_yaml(back.graph, name=name, description=description) == written


def test_yaml_reads_like_a_person_would_write_it() -> None:
    graph = income()
    graph["steps"]["read"]["position"] = {"x": 40, "y": 80.0}
    graph["steps"]["forest"]["parameters"]["rate"] = 1e-3
    assert to_yaml(graph, name="Income") == (
        "headrace: pipeline/1\nname: Income\nsteps:\n"
        "  read:\n    component: read_table\n    parameters:\n      dataset: income@latest\n"
        "  pick:\n    component: select_columns\n    parameters:\n      columns:\n      - Age\n      - income\n    inputs:\n      table: read.table\n"
        "  forest:\n    component: train\n    parameters:\n      rate: 0.001\n      target: income\n    inputs:\n      table: pick.table\n"
        "  best:\n    component: compare\n    inputs:\n      models: forest.model\n"
        "layout:\n  read: [40, 80]\n"
    )


@pytest.mark.parametrize(
    ("body", "line", "words"),
    [
        ("headrace: pipeline/1\nsteps:\n  a:\n    component: x\n    inputs:\n      table: [read]\n", 6, "step.output"),
        ("headrace: pipeline/1\nsteps:\n  a:\n    component: x\n    parametres: {}\n", 5, "parametres"),
        ("headrace: pipeline/1\nsteps:\n  a: {component: x}\n  a: {component: y}\n", 4, "second time"),
        ("headrace: pipeline/1\nsteps:\n  a: {component: x, retries: 99}\n", 3, "from 0 to 10"),
        ("headrace: pipeline/1\nsteps:\n  A b: {component: x}\n", 2, "key"),
        ("headrace: pipeline/1\nsteps:\n  a: {component: x, parameters: {v: .nan}}\n", 3, "finite"),
        ("headrace: pipeline/1\nsteps: &s\n  a: {component: x}\nlayout: *s\n", 4, "alias"),
        ("headrace: pipeline/1\nsteps: !!python/object/apply:os.system [ls]\n", 2, "tag"),
        ("steps: {}\n", 1, "headrace"),
        ("headrace: pipeline/1\nsteps:\n  a: [unclosed\n", 4, "YAML"),
        ("- a\n", 1, "mapping"),
        ("", 1, "empty"),
        ("a: " + "[" * 3000, None, "YAML"),
    ],
)
def test_yaml_errors_name_the_line(body: str, line: int | None, words: str) -> None:
    with pytest.raises(YamlError) as e:
        from_yaml(body)
    assert words in str(e.value)
    assert line is None or e.value.line == line


def test_layout_and_notes_do_not_change_the_digest_but_names_and_settings_do() -> None:
    base = digest(income())

    def changed(**fields: Any) -> str:
        graph = income()
        graph["steps"]["forest"].update(fields)
        return digest(graph)

    assert changed(position={"x": 1, "y": 2}) == changed(note="why") == changed(timeout_s=None, retries=0) == base
    assert changed(parameters={"target": "income", "trees": 10.0}) == changed(parameters={"trees": 10, "target": "income"}) != base
    assert (
        len({base, changed(name="Forest"), changed(retries=1), changed(timeout_s=5), changed(inputs={}), changed(component="compare")}) == 6
    )


def test_numbers_that_a_json_column_rewrites_keep_their_digest() -> None:
    for as_sent, as_stored in [(1e300, 10**300), (-0.0, 0), (2.0**60, 2**60), (1e-7, 0.0000001)]:
        assert digest({"steps": {"a": step("x", {"v": as_sent})}}) == digest({"steps": {"a": step("x", {"v": as_stored})}})


@pytest.mark.parametrize(
    ("graph", "path"),
    [
        ({"steps": {"a": {"component": "x", "parameters": {"v": "\x00"}}}}, "steps.a.parameters.v"),
        ({"steps": {"a": {"component": "x", "parameters": {"v": "\ud800"}}}}, "steps.a.parameters.v"),
        ({"steps": {"a": {"component": "x", "position": {"x": float("inf"), "y": 0}}}}, "steps.a.position.x"),
        ({"steps": {"a": {"component": "x", "timeout_s": True}}}, "steps.a.timeout_s"),
        ({"steps": {"a": {}}}, "steps.a.component"),
        ({"steps": {"a.b": {"component": "x"}}}, "steps"),
        ({"steps": []}, "steps"),
    ],
)
def test_what_cannot_be_stored_is_refused_with_its_path(graph: dict[str, Any], path: str) -> None:
    with pytest.raises(GraphError) as e:
        normalise(graph)
    assert e.value.field == path


def test_a_wire_from_a_deleted_step_is_repaired_after_a_merge() -> None:
    graph = income()
    del graph["steps"]["read"]
    assert normalise(graph)["steps"]["pick"]["inputs"] == {"table": [{"step": "read", "output": "table"}]}
    assert normalise(graph, repair=True)["steps"]["pick"]["inputs"] == {}


def test_order_is_stable_and_a_cycle_is_named() -> None:
    assert topological(income()) == ["read", "pick", "forest", "best"]
    graph = income()
    graph["steps"]["read"]["inputs"] = {"after": ["forest.model"]}
    with pytest.raises(CycleError) as e:
        topological(graph)
    assert e.value.cycle == ["forest", "read", "pick", "forest"]
    problems, _ = check(graph, COMPONENTS, DATA)
    assert [p["message"] for p in problems if p["code"] == "cycle"] == [
        "These steps wait for each other: Train → Read table → Select columns → Train."
    ]


def test_a_right_graph_has_no_problems_and_its_columns_are_known() -> None:
    problems, schemas = check(income(), COMPONENTS, DATA)
    assert problems == []
    assert [c["name"] for c in schemas["read"]["table"]] == ["Age", "sex", "income"]
    assert schemas["pick"] == {"table": [{"name": "Age", "type": "integer"}, {"name": "income", "type": "category"}]}
    assert "forest" not in schemas
    assert dataset_references(income(), COMPONENTS) == [("read", "dataset", "income@latest")]


def problem(change: Any) -> tuple[str, str | None, str | None, str | None, str, str]:
    graph = income()
    change(graph["steps"])
    problems, _ = check(graph, COMPONENTS, DATA)
    assert len(problems) == 1, problems
    p = problems[0]
    return p["code"], p["step"], p["port"], p["parameter"], p["message"], p["hint"]


def test_each_mistake_gets_one_problem_that_says_where_what_and_what_would_be_right() -> None:
    def put(key: str, **fields: Any) -> Any:
        return lambda steps: steps[key].update(fields)

    assert problem(put("best", component="compar")) == (
        "unknown_component",
        "best",
        None,
        None,
        "There is no component “compar”.",
        "Did you mean “compare”?",
    )
    assert problem(put("forest", parameters={"target": "income", "trees": 0})) == (
        "bad_parameter",
        "forest",
        None,
        "trees",
        "“Trees” of “Train” must be at least 1; it is 0.",
        "",
    )
    assert problem(put("forest", parameters={"target": "income", "rate": -1}))[4] == "“Rate” of “Train” must be more than 0; it is -1."
    assert (
        problem(put("forest", parameters={"target": "income", "trees": "many"}))[4]
        == '“Trees” of “Train” must be a whole number; it is "many".'
    )
    assert problem(put("forest", parameters={}))[:5] == (
        "missing_parameter",
        "forest",
        None,
        "target",
        "“Target” of “Train” needs a value.",
    )
    assert problem(put("forest", parameters={"target": "income", "tree": 5}))[3:] == (
        "tree",
        "“Train” has no parameter “tree”.",
        "Did you mean “trees”?",
    )
    assert problem(put("forest", parameters={"target": "Income"})) == (
        "unknown_column", "forest", "table", "target", "“Target” of “Train” names the column “Income”, which does not arrive at “table”.", "Did you mean “income”?",
    )  # fmt: skip
    assert problem(put("forest", parameters={"target": "income", "weight": "sex"}))[:4] == ("unknown_column", "forest", "table", "weight")
    assert problem(put("best", inputs={}))[:3] == ("missing_input", "best", "models")
    assert (
        problem(put("best", inputs={"models": ["read.table"]}))[4]
        == "“Read table” gives Table at “table”, but the input “models” of “Compare” takes Model."
    )
    assert problem(put("forest", inputs={"table": ["pick.table", "read.table"]}))[0] == "too_many_wires"
    assert problem(put("forest", inputs={"table": ["pick.tabel"]}))[5] == "Did you mean “table”?"
    assert problem(put("forest", inputs={"table": ["pick.table"], "tables": ["pick.table"]}))[0] == "unknown_port"
    assert problem(put("read", parameters={"dataset": "incme@latest"}))[4:] == (
        "There is no frozen data set version “incme@latest” in this project.",
        "Did you mean “income@latest”?",
    )
    assert problem(lambda steps: steps.update(extra=step("read_table", {"dataset": "income@latest"})))[:2] == ("unconnected", "extra")
    assert [p["code"] for p in check({"steps": {}}, COMPONENTS, DATA)[0]] == ["no_steps"]


def test_what_fitted_before_is_refused_once_the_component_asks_for_something_else() -> None:
    """What fits a form is remembered, by what the form says: a component of the same name may come with another."""

    def found(most: int) -> list[str]:
        one = C("count", properties={"to": {"type": "integer", "maximum": most, "title": "To"}})
        problems, _ = check({"steps": {"a": {"component": "count", "parameters": {"to": 7}}}}, {"count": one}, {})
        return [p["message"] for p in problems if p["severity"] == "error"]

    assert found(9) == [] and found(9) == []
    assert found(5) == ["“To” of “Count” must be at most 5; it is 7."]
    assert found(9) == []
