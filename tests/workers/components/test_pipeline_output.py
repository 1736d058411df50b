"""An output of a pipeline hands on what arrives."""

from __future__ import annotations

from typing import Any

from workers.sdk.kinds import Values


def test_it_hands_on(run: Any) -> None:
    value = Values.of({"a": 1})
    assert run("pipeline_output", {"value": value}, name="numbers")["artifact"] is value
