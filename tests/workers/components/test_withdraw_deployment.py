"""Taking a deployment back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workers.components.conftest import Studio
from workers.sdk.client import ApiError
from workers.sdk.kinds import Endpoint

MADE = Endpoint.of({"endpoint": "clinic", "url": "http://x", "model": "tumours", "version": 3})


def deployment(number: int, live: bool = True) -> dict[str, Any]:
    return {"id": f"d{number}", "model": "tumours", "model_version": number, "live_at": "2026-01-01T00:00:00Z" if live else None}


@pytest.mark.parametrize(
    ("current", "history", "done", "asked"),
    [
        (3, [deployment(3), deployment(2)], "rolled back", ["rollback clinic"]),
        (3, [deployment(3), deployment(2, live=False)], "stopped", ["delete clinic"]),
        (4, [deployment(4), deployment(3)], "nothing", []),
    ],
)
def test_the_version_before_answers_again_or_the_endpoint_stops(
    run: Any, studio: Studio, current: int, history: list[dict[str, Any]], done: str, asked: list[str]
) -> None:
    studio.endpoint = {"deleted_at": None, "current": deployment(current), "deployments": history}
    assert run("withdraw_deployment", {"endpoint": MADE})["values"].value["done"] == done
    assert studio.asked == asked


def test_an_endpoint_that_is_gone_is_no_error(run: Any, studio: Studio) -> None:
    studio.endpoint = ApiError(404, "not_found", "gone")
    assert run("withdraw_deployment", {"endpoint": MADE})["values"].value["done"] == "nothing"
