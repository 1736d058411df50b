"""A recipe computes the same in training and inside the published model, also on rows nobody expected."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from workers.sdk.errors import StepError
from workers.training import recipe as recipes
from workers.training.model_folder import session
from workers.training.onnx_graph import Graph
from workers.training.rows import onnx_inputs, raw_rows

TYPES = {
    "age": "integer",
    "pay": "number",
    "member": "boolean",
    "town": "category",
    "level": "category",
    "joined": "datetime",
    "note": "text",
    "id": "category",
}


def table(rows: int = 400) -> pa.Table:
    random = np.random.default_rng(1)
    whole = pd.DataFrame(
        {
            "age": random.integers(18, 90, rows),
            "pay": random.lognormal(10, 1, rows),
            "member": random.random(rows) < 0.4,
            "town": random.choice(["Bern", "Basel", "Zürich", "Chur"], rows, p=[0.5, 0.3, 0.195, 0.005]),
            "level": random.choice(["low", "mid", "high"], rows),
            "joined": pd.Timestamp("1967-11-30") + pd.to_timedelta(random.integers(0, 60 * 365 * 24, rows), unit="h"),
            "note": [f"note {i}" for i in range(rows)],
            "id": [f"c{i:05}" for i in range(rows)],
        }
    )
    for name in ("pay", "town", "joined"):
        whole.loc[random.choice(rows, rows // 10, replace=False), name] = None
    return pa.Table.from_pandas(whole, preserve_index=False)


def onnx_features(recipe: dict[str, Any], rows: dict[str, Any]) -> Any:
    graph = Graph("recipe")
    graph.output(recipes.write(recipe, graph), "features", "float32", len(recipe["features"]))
    return session(graph.model().SerializeToString()).run(["features"], onnx_inputs(rows))[0]


@pytest.mark.parametrize("fill", ["median", "mean", "zero", "keep"])
@pytest.mark.parametrize(("scale", "encode"), [("standard", "one-hot"), ("range", "ordinal"), ("robust", "one-hot"), ("none", "ordinal")])
def test_onnx_computes_the_very_same_numbers(fill: str, scale: str, encode: str) -> None:
    learned = recipes.fit(table(), TYPES, fill=fill, scale=scale, encode=encode, rare_below=0.02)
    assert {c["name"]: c["why"] for c in learned["left_out"]} == {
        "note": "its values are no free text: too short, or mostly the same",
        "id": "nearly every row has a value of its own",
    }
    rows = raw_rows(table(150), learned["columns"])
    rows["town"][:3] = ["", "a town never seen", "Chur"]
    rows["pay"][3:5], rows["joined"][5:7], rows["age"][7] = np.nan, np.nan, np.nan
    computed = recipes.apply(learned, rows)
    assert computed.shape == (150, len(learned["features"])) and computed.dtype == np.float32
    np.testing.assert_array_equal(computed, onnx_features(learned, rows))


def test_rare_and_unknown_categories_share_a_bucket_and_missing_has_its_own() -> None:
    learned = recipes.fit(table(), TYPES, rare_below=0.02, leave_out=["age", "pay", "member", "level", "joined"])
    assert learned["features"] == ["town = Basel", "town = Bern", "town = Zürich", "town = (missing)", "town = (other)"]
    rows = {"town": np.array(["Bern", "", "Chur", "Paris"], dtype=object)}
    assert recipes.apply(learned, rows).argmax(axis=1).tolist() == [1, 3, 4, 4]


def test_dates_are_taken_apart_as_the_calendar_does() -> None:
    hours = pd.date_range("1968-01-01", "2031-12-31", freq="1003h")
    raw = raw_rows(pa.table({"t": pa.array(hours)}), [{"name": "t", "type": "datetime"}])["t"]
    parts = recipes.date_parts(raw)
    for name in ("year", "month", "day", "weekday", "hour"):
        np.testing.assert_array_equal(parts[name], getattr(hours, name), err_msg=name)


def test_a_column_of_the_wrong_type_is_named() -> None:
    learned = recipes.fit(table(), TYPES)
    broken = table(5).set_column(1, "pay", pa.array(["much"] * 5))
    with pytest.raises(StepError, match="“pay” should hold numbers"):
        raw_rows(broken, learned["columns"])
    with pytest.raises(StepError, match="lacks the column “age”"):
        raw_rows(table(5).drop_columns(["age"]), learned["columns"])
    with pytest.raises(StepError, match="No column can be used"):
        recipes.fit(table().select(["note", "id"]), TYPES)


def test_a_column_may_be_called_like_one_of_ours() -> None:
    data = pa.table({"headrace:0": [1.0, 2.0, 4.0], "probabilities": ["a", "b", "a"], "a b.c/d": [True, False, True]})
    types = {"headrace:0": "number", "probabilities": "category", "a b.c/d": "boolean"}
    learned = recipes.fit(data, types)
    rows = raw_rows(data, learned["columns"])
    np.testing.assert_array_equal(recipes.apply(learned, rows), onnx_features(learned, rows))
