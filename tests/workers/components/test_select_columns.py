"""Choosing and renaming columns."""

from __future__ import annotations

from typing import Any

import pytest

from workers import catalog
from workers.sdk.errors import StepError
from workers.sdk.kinds import Table


def test_columns_are_kept_in_order_and_renamed(run: Any, wine: Table) -> None:
    wine.metadata["label_column"] = "target"
    parameters = {"columns": ["target", "alcohol"], "rename": {"target": "grape"}}
    table = run("select_columns", {"table": wine}, **parameters)["table"]
    assert table.columns == [{"name": "grape", "type": "category"}, {"name": "alcohol", "type": "number"}]
    assert table.metadata["label_column"] == "grape" and table.rows == wine.rows
    told = catalog.load().components["select_columns"].columns
    assert told is not None and told({"table": wine.columns}, parameters) == {"table": table.columns}
    assert "alcohol" not in run("select_columns", {"table": wine}, drop=["alcohol"])["table"].types


@pytest.mark.parametrize(
    ("parameters", "field"),
    [({"columns": ["colour"]}, "columns"), ({"rename": {"alcohol": "hue"}}, "rename"), ({"columns": ["hue"], "drop": ["hue"]}, "drop")],
)
def test_what_cannot_be_done_is_said(run: Any, wine: Table, parameters: dict[str, Any], field: str) -> None:
    with pytest.raises(StepError) as caught:
        run("select_columns", {"table": wine}, **parameters)
    assert caught.value.field == field
