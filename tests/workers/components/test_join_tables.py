"""Shards of a table become one again."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from workers.sdk.errors import StepError
from workers.sdk.kinds import Table


def test_rows_keep_the_order_of_the_shards_and_types_meet(run: Any) -> None:
    parts = [
        Table.from_arrow(pa.table({"a": [1, 2], "b": ["x", "y"]})),
        Table.from_arrow(pa.table({"b": ["z"], "a": pa.array([2.5])})),
    ]
    whole = run("join_tables", {"tables": parts})["table"].arrow()
    assert whole.to_pydict() == {"a": [1.0, 2.0, 2.5], "b": ["x", "y", "z"]}


def test_other_columns_are_named(run: Any) -> None:
    parts = [Table.from_arrow(pa.table({"a": [1]})), Table.from_arrow(pa.table({"a": [1], "extra": [2]}))]
    with pytest.raises(StepError, match="extra"):
        run("join_tables", {"tables": parts})
    with pytest.raises(StepError, match="do not fit"):
        run("join_tables", {"tables": [Table.from_arrow(pa.table({"a": [1]})), Table.from_arrow(pa.table({"a": ["one"]}))]})
