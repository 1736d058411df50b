"""Cleaning real, dirty rows: each strategy does what it says and no more."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.workers.components.conftest import frame_of
from workers.sdk.errors import StepError
from workers.sdk.kinds import Table


@pytest.fixture
def dirty(cancer: Table) -> Table:
    frame = pd.concat([cancer.pandas(), cancer.pandas().head(30)], ignore_index=True)
    frame["empty"] = [1.0] + [None] * (len(frame) - 1)
    frame["worst area"] = frame["worst area"].where(frame.index != 100, 1e9)
    frame["count"] = np.where(frame.index == 50, 10_000, frame.index % 7)
    return Table.from_pandas(frame)


def test_duplicates(run: Any, dirty: Table) -> None:
    frame = dirty.pandas().drop(columns="count")
    without = run("select_columns", {"table": dirty}, drop=["count"])["table"]
    assert run("clean", {"table": without})["table"].rows == len(frame.drop_duplicates()) < len(frame)
    assert run("clean", {"table": without}, duplicates="keep")["table"].rows == len(frame)
    assert run("clean", {"table": without}, duplicate_columns=["clinic"])["table"].rows == frame["clinic"].nunique() + 1


def test_gaps(run: Any, dirty: Table) -> None:
    frame = dirty.pandas()
    filled = run("clean", {"table": dirty}, duplicates="keep", missing="fill", emptiest_column=0.5)["table"]
    assert "empty" not in filled.types
    got = frame_of(filled)
    assert not got.isna().any().any()
    gap = frame["clinic"].isna()
    assert set(got["clinic"][gap]) == {frame["clinic"].mode()[0]}
    assert got["mean radius"][frame["mean radius"].isna()].iloc[0] == pytest.approx(frame["mean radius"].median(), rel=0.01)
    removed = run("clean", {"table": dirty}, duplicates="keep", missing="remove rows", missing_columns=["clinic"])["table"]
    assert removed.rows == frame["clinic"].notna().sum()


def test_extremes(run: Any, dirty: Table) -> None:
    clipped = frame_of(run("clean", {"table": dirty}, duplicates="keep", outliers="clip", outlier_columns=["worst area", "count"])["table"])
    assert clipped["worst area"].max() < 1e5 and clipped["count"].max() < 100 and len(clipped) == dirty.rows
    assert clipped["count"].dtype.kind == "i"
    removed = run("clean", {"table": dirty}, duplicates="keep", outliers="remove rows", outlier_columns=["count"])["table"]
    assert removed.rows == dirty.rows - 1


def test_a_column_that_is_not_there_and_words_as_numbers(run: Any, dirty: Table) -> None:
    for parameters, field in (
        ({"missing_columns": ["x"]}, "missing_columns"),
        ({"outliers": "clip", "outlier_columns": ["clinic"]}, "outlier_columns"),
    ):
        with pytest.raises(StepError) as caught:
            run("clean", {"table": dirty}, **parameters)
        assert caught.value.field == field
