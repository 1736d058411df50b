"""What a person's answer makes of what arrived. That a run waits for it without a worker is in `tests/workers/engine/test_patterns.py`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from workers import catalog
from workers.sdk import context
from workers.sdk.errors import StepError
from workers.sdk.kinds import Values

FIELDS = [{"name": "threshold", "type": "number", "value": "0.5"}, {"name": "sure", "type": "yes or no", "value": "no"}]


def answered(folder: Path, decision: dict[str, Any] | None, **parameters: Any) -> dict[str, Any]:
    with context.local(folder) as here, context.use(replace(here, state={"decision": decision} if decision else {})):
        return catalog.load().components["approval"].call({"value": Values.of({"a": 1})}, parameters)


def test_it_asks_first_and_takes_the_branch_of_the_answer(tmp_path: Path) -> None:
    with pytest.raises(context.Waits) as asked:
        answered(tmp_path, None, question="Deploy?", deadline_hours=2, fields=FIELDS)
    assert asked.value.question["question"] == "Deploy?" and asked.value.hours == 2
    made = answered(tmp_path, {"answer": "approve", "name": "Ann", "values": {"threshold": 0.7}}, fields=FIELDS)
    assert set(made) == {"approved", "values"} and made["values"].value == {"threshold": 0.7, "sure": False}
    assert set(answered(tmp_path, {"answer": "reject", "name": "Ann"})) == {"rejected"}


def test_the_deadline_decides_as_it_was_told_to(tmp_path: Path) -> None:
    assert set(answered(tmp_path, {"late": True}, deadline_hours=1, at_deadline="approve")) == {"approved"}
    with pytest.raises(StepError, match="within 1 hours"):
        answered(tmp_path, {"late": True}, deadline_hours=1, at_deadline="fail")
