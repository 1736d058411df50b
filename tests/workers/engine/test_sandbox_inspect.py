"""A text becomes a component, or is told what is wrong with it and where; and the component runs, on tables too."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.workers.engine.sandbox_lab import Lab
from workers.engine.sandbox.machine import probe

pytestmark = pytest.mark.timeout(600)


MODES = probe().modes if sys.platform == "linux" else ()


@pytest.fixture(scope="module", params=[*MODES[:1], *(pytest.param(mode, marks=pytest.mark.slow) for mode in MODES[1:])])
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    made = Lab(request.param, plain=os.geteuid() != 0)
    yield made
    made.close()


REPEAT = '''
def repeat(
    table: Table,
    other: Table | None = None,
    *,
    times: Annotated[int, Field(description="How often each row comes.", ge=1, le=9)] = 2,
) -> Table:
    """Repeat the rows

    Gives each row several times.
    """
    import pandas as pd

    context.current().log(f"{times} times")
    return Table.from_pandas(pd.concat([table.pandas()] * times), like=table)
'''


def test_a_plain_function_is_a_component_and_runs(lab: Lab) -> None:
    seen = lab.run(REPEAT, inspect=True)
    assert seen["problems"] == [] and len(seen["version"]) == 64
    spec = seen["spec"]
    assert (spec["name"], spec["title"], spec["summary"]) == ("repeat", "Repeat the rows", "Gives each row several times.")
    assert [(p["name"], p["kind"], p["required"]) for p in spec["inputs"]] == [("table", "Table", True), ("other", "Table", False)]
    assert [(p["name"], p["kind"]) for p in spec["outputs"]] == [("table", "Table")]
    assert spec["parameters"]["properties"]["times"] == {"default": 2, "description": "How often each row comes.", "minimum": 1,
                                                         "maximum": 9, "title": "Times", "type": "integer"}  # fmt: skip
    rows = [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
    ran = lab.run(REPEAT, inputs={"table": ["Table", rows]}, parameters={"times": 3}, outputs=spec["outputs"])
    assert ran["outputs"]["table"]["metadata"]["rows"] == 6 and "3 times" in ran["lines"] and ran["left"] == []
    wrong = lab.run(REPEAT, inputs={"table": ["Table", rows]}, parameters={"times": 0}, outputs=spec["outputs"])
    assert wrong["error"]["code"] == "bad_parameter" and wrong["error"]["field"] == "times"


HEAD = 'def f(table: Table) -> Table:\n    """F"""\n    return table\n'


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("def f(:\n", 1, "not Python"),
        ("", 0, "no function"),
        ("\ndef f(table: Tabel) -> Table:\n    'F'\n", 2, "Tabel"),
        ("from __future__ import annotations\ndef f(\n    table: Tabel,\n) -> Table:\n    'F'\n", 3, "Tabel"),
        ("import nolibrary\n" + HEAD, 1, "nolibrary"),
        ("def f(table) -> Table:\n    'F'\n", 1, "table has no type"),
        ("def f(table: Table):\n    'F'\n", 1, "return type is missing"),
        ("def f(table: Table) -> Table:\n    return table\n", 1, "docstring is missing"),
        ("def f(table: Table, *,\n      n: int = 1) -> Table:\n    'F'\n", 2, "n has no description"),
        ("import pandas as pd\ndef f(table: pd.DataFrame) -> Table:\n    'F'\n", 2, "table"),
        (HEAD + HEAD.replace("def f", "def g"), 4, "“g” is one function too many"),
        ("@component()\n" + HEAD + "@component()\n" + HEAD.replace("def f", "def g"), 6, "“g” is one component too many"),
        ("x = 1\ny = x / 0\n" + HEAD, 2, "ZeroDivisionError"),
        ("async " + HEAD, 1, "plain function"),
        ("while True:\n    pass\n" + HEAD, 0, "processor time"),
        ("x = bytearray(4 << 30)\n" + HEAD, 1, "MemoryError"),
        ("import os\nos._exit(0)\n", 0, "ended its process"),
        ("(" * 5000, 1, "not Python"),
    ],
)
def test_what_is_wrong_has_a_line_and_a_sentence(lab: Lab, text: str, line: int, says: str) -> None:
    seen: dict[str, Any] = lab.run(text, inspect=True)
    assert seen["spec"] is None and (seen["problems"][0]["line"], says in seen["problems"][0]["message"]) == (line, True), seen


@pytest.mark.parametrize(
    "forged",
    [
        "{'name': 'x'}",
        "dict(SPEC, outputs=[dict(name='out', kind='Root', title='', help='', required=True, many=False)])",
        "dict(SPEC, parameters={'type': 'object', 'properties': {'a': {'$ref': 'http://127.0.0.1/x'}}})",
        "dict(SPEC, parameters={'type': 'object', 'properties': {'a': {'type': 7}}})",
        "dict(SPEC, title='x' * 1000)",
    ],
)
def test_a_forged_spec_is_not_believed(lab: Lab, forged: str) -> None:
    head = "from workers.engine import wire\n_send = wire.Remote.send\ndef _forge(self, message):\n    SPEC = message['spec']\n"
    text = f"{head}    _send(self, {{'type': 'result', 'spec': {forged}}})\nwire.Remote.send = _forge\n{HEAD}"
    seen = lab.run(text, inspect=True)
    assert seen["spec"] is None and "does not describe a step" in seen["problems"][0]["message"], seen


def test_the_usual_libraries_are_there(lab: Lab) -> None:
    text = '''
def use() -> Metrics:
    """Use them"""
    import numpy as np, pandas as pd, pyarrow as pa, torch
    from sklearn.linear_model import LinearRegression
    x = np.arange(10.0).reshape(-1, 1)
    fitted = LinearRegression().fit(x, x[:, 0] * 3)
    return Metrics.of({"slope": round(float(fitted.coef_[0]), 6), "sum": float(torch.ones(3).sum()),
                       "rows": pa.Table.from_pandas(pd.DataFrame({"a": [1]})).num_rows})
'''
    assert lab.value(text, limits={"wall_s": 400}) == {"slope": 3.0, "sum": 3.0, "rows": 1}
