"""Taking a version's aliases back."""

from __future__ import annotations

from typing import Any

from tests.workers.components.conftest import Studio
from workers.sdk.kinds import ModelVersion


def test_aliases_go_back_where_they_were_unless_somebody_moved_them_on(run: Any, studio: Studio) -> None:
    studio.aliases = {"champion": 3, "challenger": 3, "canary": 5}
    made = ModelVersion.of({"model": "tumours", "version": 3, "aliases_before": {"champion": 2, "challenger": None, "canary": 1}})
    assert run("withdraw_version", {"model_version": made})["values"].value["aliases"] == 2
    assert studio.asked == ["champion → 2", "challenger removed"]
    studio.asked.clear()
    assert run("withdraw_version", {"model_version": ModelVersion.of({"model": "tumours", "version": 3})})["values"].value["aliases"] == 0
    assert studio.asked == []
