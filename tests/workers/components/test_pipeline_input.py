"""An input of a pipeline that runs by itself."""

from __future__ import annotations

from typing import Any

import pytest

from workers.sdk.errors import StepError
from workers.sdk.kinds import Values


def test_the_default_comes_or_its_absence_is_told(run: Any) -> None:
    value = Values.of({"a": 1})
    assert run("pipeline_input", {"default": value}, name="numbers", kind="Values")["artifact"] is value
    with pytest.raises(StepError, match="numbers"):
        run("pipeline_input", {}, name="numbers")
    with pytest.raises(StepError, match="takes Table; Values arrived"):
        run("pipeline_input", {"default": value}, name="numbers", kind="Table")
