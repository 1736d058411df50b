"""The engine on real processes: a graph goes through the ledger, the broker and a worker to its end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.workers.engine.studio import Studio, step, studio


@pytest.fixture(scope="module")
def lab() -> Iterator[Studio]:
    with studio() as made:
        made.worker(2)
        made.reaper()
        yield made


def test_three_steps_run_in_order_and_give_their_result(lab: Studio) -> None:
    run = lab.start({"a": step("number", value=3), "b": step("add", "a", plus=4), "c": step("score", "b")})
    ended = lab.wait(run["id"])
    assert ended["status"] == "succeeded", ended
    assert ended["steps_done"] == 3
    assert ended["metrics"] == {"score": 7}
    assert lab.value(run["id"], "b") == {"value": 7}
