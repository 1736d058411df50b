"""Which branch what arrives takes."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from workers.sdk.errors import StepError
from workers.sdk.kinds import Metrics, Table, Values

TABLE = Table.from_arrow
SCORES = Metrics.of({"task": "classification", "values": {"accuracy": {"value": 0.93, "low": 0.9, "high": 0.95}, "note": {"value": None}}})


def test_a_metric_decides(run: Any) -> None:
    table = TABLE(pa.table({"a": [1, 2, 3]}))
    assert run("condition", {"value": table, "metrics": SCORES}, when="accuracy > 0.9 and rows == 3") == {"then": table}
    assert run("condition", {"value": table, "metrics": SCORES}, when="accuracy > 0.95") == {"otherwise": table}
    chosen = Values.of({"city": "Bern", "go": True})
    assert list(run("condition", {"value": chosen}, when='city == "Bern" and go == true')) == ["then"]


def test_what_is_not_there_is_named_with_what_is(run: Any) -> None:
    with pytest.raises(StepError, match="accurasy") as told:
        run("condition", {"value": SCORES}, when="accurasy > 0.9")
    assert "accuracy" in told.value.hint and told.value.field == "when"
