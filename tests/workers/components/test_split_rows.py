"""Splitting: nothing lost, nothing twice, and no leak between the parts."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from tests.workers.components.conftest import frame_of
from workers.sdk.errors import StepError
from workers.sdk.kinds import Table


def parts(run: Any, table: Table, **parameters: Any) -> dict[str, pd.DataFrame]:
    return {name: frame_of(part) for name, part in run("split_rows", {"table": table}, **parameters).items()}


@pytest.mark.parametrize("method", ["random", "stratified", "grouped", "by time"])
def test_every_row_is_in_exactly_one_part(run: Any, cancer: Table, method: str) -> None:
    column = {"stratified": "diagnosis", "grouped": "clinic", "by time": "seen"}.get(method, "")
    made = parts(run, cancer, method=method, column=column, test_share=0.25, validation_share=0.25)
    assert list(made) == ["train", "test", "validation"]
    again = pd.concat(made.values()).sort_values("seen", ignore_index=True)
    pd.testing.assert_frame_equal(again, cancer.pandas())
    if method == "stratified":
        shares = [(f["diagnosis"] == "benign").mean() for f in made.values()]
        assert max(shares) - min(shares) < 0.02
    if method == "grouped":
        groups = [set(f["clinic"].fillna("")) for f in made.values()]
        assert not groups[0] & groups[1] and not groups[0] & groups[2] and not groups[1] & groups[2]
    if method == "by time":
        assert (
            made["train"]["seen"].max() < made["validation"]["seen"].min() and made["validation"]["seen"].max() < made["test"]["seen"].min()
        )


def test_the_seed_decides_and_no_validation_part_is_made_unasked(run: Any, wine: Table) -> None:
    one, same, other = (parts(run, wine, seed=s) for s in (1, 1, 2))
    assert list(one) == ["train", "test"] and one["test"].equals(same["test"]) and not one["test"].equals(other["test"])


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"method": "grouped"}, "column"),
        ({"method": "by time", "column": "clinic"}, "column"),
        ({"method": "stratified", "column": "x"}, "column"),
        ({"test_share": 0.6, "validation_share": 0.4}, "test_share"),
    ],
)
def test_what_cannot_be_done_is_said(run: Any, cancer: Table, parameters: dict[str, Any], field: str) -> None:
    with pytest.raises(StepError) as caught:
        run("split_rows", {"table": cancer}, **parameters)
    assert caught.value.field == field
