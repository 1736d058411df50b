"""Branches meet again."""

from __future__ import annotations

from typing import Any

from workers.sdk.kinds import Values


def test_the_first_that_came_goes_on(run: Any) -> None:
    one, two = Values.of({"a": 1}), Values.of({"a": 2})
    assert run("first_of", {"branches": [two, one]})["artifact"] is two
