"""A training on two devices: the same model as on one, also when one of its processes is killed in between."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.workers.engine.studio import Studio, alive, step, studio, until

Json = dict[str, Any]


@pytest.fixture(scope="module")
def lab() -> Iterator[Studio]:
    """Two devices that CUDA does not know: training falls to the processor, the rest is as with real ones."""
    with studio(HEADRACE_DEVICES="one,two") as made:
        made.worker(1)
        made.reaper()
        yield made


def train(lab: Studio, name: str, devices: int, pause: float = 0) -> str:
    folder = lab.marks / name
    folder.mkdir()
    one = {**step("learn", folder=str(folder), pause=pause), "needs": {"gpu": devices}}
    run: str = lab.start({"train": one})["id"]
    return run


@pytest.mark.slow
def test_two_devices_give_what_one_gives_and_a_killed_process_costs_nothing_but_time(lab: Studio) -> None:
    alone = train(lab, "alone", 1)
    assert lab.wait(alone, 120)["status"] == "succeeded"
    assert [p.name.split(".")[1:3] for p in (lab.marks / "alone").iterdir()] == [["0", "1"]]

    both = train(lab, "both", 2, pause=0.05)
    marks = lab.marks / "both"
    until(lambda: len(list(marks.glob("rank.*.2.*"))) == 2, 90)
    until(
        lambda: lab.query("SELECT 1 FROM runs_metricpoint p JOIN runs_steprun s ON s.id = p.step_run_id WHERE s.run_id = %s LIMIT 1", both),
        60,
    )
    (second,) = marks.glob("rank.1.2.*")
    os.kill(int(second.name.rpartition(".")[2]), signal.SIGKILL)
    ended = lab.wait(both, 180)
    assert ended["status"] == "succeeded", ended
    assert lab.steps(both)["train"]["attempt"] == 1, "the attempt itself was lost"
    said = [text for _, _, text in lab.lines(both, "train")]
    assert any("All begin again" in line for line in said) and any("Going on after step" in line for line in said), said
    assert len(list(marks.glob("rank.*.2.*"))) == 4
    assert not any(alive(int(p.name.rpartition(".")[2])) for p in marks.iterdir()), "a process was left behind"
    for ours, theirs in zip(lab.value(both, "train")["weights"], lab.value(alone, "train")["weights"], strict=True):
        assert ours == pytest.approx(theirs, abs=1e-3)


@pytest.mark.slow
def test_a_cancelled_training_ends_on_all_devices(lab: Studio) -> None:
    run = train(lab, "cancelled", 2, pause=1)
    marks = lab.marks / "cancelled"
    until(lambda: len(list(marks.glob("rank.*.2.*"))) == 2, 90)
    lab.query("SELECT ledger_cancel(%s::uuid)", run)
    assert lab.wait(run, 30)["status"] == "cancelled"
    until(lambda: not any(alive(int(p.name.rpartition(".")[2])) for p in marks.iterdir()), 10)
    assert lab.query("SELECT count(*) FROM runs_devicelease") == [(0,)]
