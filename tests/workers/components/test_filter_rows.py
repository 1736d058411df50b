"""Keeping rows by a condition."""

from __future__ import annotations

from typing import Any

import pytest

from workers.sdk.errors import StepError
from workers.sdk.kinds import Table


def test_rows_are_kept_or_removed(run: Any, cancer: Table) -> None:
    frame = cancer.pandas()
    chosen = (frame["mean radius"] > 15) & (frame["clinic"] == "Bern")
    condition = '`mean radius` > 15 and clinic == "Bern"'
    assert run("filter_rows", {"table": cancer}, condition=condition)["table"].rows == chosen.sum()
    other = run("filter_rows", {"table": cancer}, condition=condition, keep="all other rows")["table"]
    assert other.rows == len(frame) - chosen.sum() and other.columns == cancer.columns


@pytest.mark.parametrize(
    ("condition", "said"), [("radius > 3", "radius"), ("clinic > ", "not right"), ("`mean radius` > 1000", "No row is left")]
)
def test_a_wrong_condition_is_explained(run: Any, cancer: Table, condition: str, said: str) -> None:
    with pytest.raises(StepError, match=said) as caught:
        run("filter_rows", {"table": cancer}, condition=condition)
    assert caught.value.field == "condition"
