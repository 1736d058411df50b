"""A worker that is woken while a run is being written finds it, or is soon free again."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator

import pytest

from tests.workers.engine.studio import Studio, step, studio
from workers.sdk import wake


@pytest.fixture(scope="module")
def lab() -> Iterator[Studio]:
    with studio() as made:  # without a reaper: nobody else would say that a step is ready
        made.worker(1)
        yield made


def test_a_worker_that_comes_before_the_run_is_written_runs_it(lab: Studio) -> None:
    with lab.sql() as connection:
        for n in range(20):
            run, planned, inputs = lab.plan({"first": step("nothing", note=f"{n}"), "then": step("nothing", "first", note=f"{n}")})
            first = next(s["id"] for s in planned if s["step"] == "first")
            begun = time.monotonic()
            wake.wake(lab.broker, [("cpu", first)], soon=True)
            time.sleep(wake.SOON_S / 3)  # longer than a wake-up takes
            connection.execute("SELECT ledger_start(%s::jsonb, %s::jsonb, %s::jsonb, 32)", [json.dumps(x) for x in (run, planned, inputs)])
            if time.monotonic() - begun < wake.SOON_S:
                assert lab.wait(run["id"])["status"] == "succeeded"
                return
            wake.wake(lab.broker, [("cpu", first)])  # a busy machine wrote for too long: told again, as the studio does
            assert lab.wait(run["id"])["status"] == "succeeded"
    pytest.fail("The machine never wrote a run in time.")


def test_a_run_that_never_comes_keeps_no_worker(lab: Studio) -> None:
    for _ in range(3):
        wake.wake(lab.broker, [("cpu", str(uuid.uuid4()))], soon=True)
    assert lab.wait(lab.start({"only": step("nothing", note="after")})["id"])["status"] == "succeeded"
    client = lab.connect_valkey()
    assert not client.llen("cpu"), "its wake-up is still in the queue"
