"""The whole engine with a real GPU: it is found, held by one step at a time, used, and free again when a step's process is killed.
Skipped where there is none."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.workers.engine.studio import Studio, plugin, step, studio, until
from workers.engine import host

Json = dict[str, Any]
GPUS = [one for one in host.devices() if one["memory"]]
pytestmark = pytest.mark.skipif(not GPUS, reason="there is no GPU here")


@pytest.fixture(scope="module")
def lab() -> Iterator[Studio]:
    with studio(HEADRACE_PRELOAD="1") as made:  # torch is loaded before the steps are forked, as in a real studio
        made.worker(3)
        made.reaper()
        until(lambda: made.query("SELECT 1 FROM runs_host WHERE queues <> '[]'"), 60)
        yield made


def learn(lab: Studio, name: str, devices: int = 1, pause: float = 0) -> Json:
    folder = lab.marks / name
    folder.mkdir()
    return {**step("learn", folder=str(folder), pause=pause), "needs": {"gpu": devices}}


def on_the_card() -> set[int]:
    """Processes that hold memory of a GPU."""
    said = subprocess.run(
        [str(shutil.which("nvidia-smi")), "--query-compute-apps=pid", "--format=csv,noheader"], check=True, capture_output=True, text=True
    ).stdout
    return {int(line) for line in said.split() if line.isdigit()}


def overlap(lab: Studio, run: str) -> list[tuple[str, str]]:
    """Steps of a run that ran at the same time."""
    return lab.query(
        "SELECT a.step, b.step FROM runs_steprun a JOIN runs_steprun b ON a.run_id = b.run_id AND a.step < b.step"
        " AND a.started_at < b.finished_at AND b.started_at < a.finished_at WHERE a.run_id = %s", run)  # fmt: skip


def test_it_is_found_by_its_name_and_memory(lab: Studio) -> None:
    ((told,),) = lab.query("SELECT devices FROM runs_host WHERE queues <> '[]'")
    assert [one["name"] for one in told] == [one["name"] for one in GPUS]
    assert all(one["memory"] > 1024**3 for one in told)


def test_steps_take_it_in_turn_and_train_there(lab: Studio) -> None:
    """More trainings than GPUs: each is alone on its own, and computes what a processor does."""
    names = [f"t{number}" for number in range(len(GPUS) + 2)]
    with plugin():
        others = {"seen": step("devices"), "cpu": step("number", value=1)}
        run = lab.start({name: learn(lab, name, pause=0.01) for name in names} | others)["id"]
    ended = lab.wait(run, 240)
    assert ended["status"] == "succeeded", ended
    if len(GPUS) == 1:
        assert [pair for pair in overlap(lab, run) if "cpu" not in pair] == [], "two held one GPU"
    weights = [lab.value(run, name)["weights"] for name in names]
    assert all(w == pytest.approx([1, 1, 1, 1, 0], abs=0.1) for w in weights), weights
    seen = lab.value(run, "seen")
    assert seen["device"] == "cuda" and seen["visible"] in {one["id"] for one in GPUS}
    assert lab.query("SELECT count(*) FROM runs_devicelease") == [(0,)]
    assert not any("no GPU" in text for name in names for _, _, text in lab.lines(run, name))


def test_a_killed_step_leaves_nothing_on_it(lab: Studio) -> None:
    with plugin():
        run = lab.start({"train": learn(lab, "killed", pause=0.2)})["id"]
    marks = lab.marks / "killed"
    until(lambda: list(marks.glob("rank.*")) and lab.query("SELECT 1 FROM runs_metricpoint p JOIN runs_steprun s ON s.id = p.step_run_id"
                                                           " WHERE s.run_id = %s LIMIT 1", run), 90)  # fmt: skip
    (mark,) = marks.glob("rank.*")
    os.kill(int(mark.name.rpartition(".")[2]), signal.SIGKILL)
    assert lab.wait(run, 240)["status"] == "succeeded"
    assert any("Going on after step" in text for _, _, text in lab.lines(run, "train"))
    assert lab.query("SELECT count(*) FROM runs_devicelease") == [(0,)]
    until(lambda: not on_the_card(), 20)


@pytest.mark.skipif(len(GPUS) < 2, reason="several GPUs are needed for that")
def test_one_training_on_several(lab: Studio) -> None:
    """Through torchrun and NCCL: what two give is what one gives."""
    with plugin():
        run = lab.start({"alone": learn(lab, "alone"), "both": learn(lab, "both", devices=2)})["id"]
    assert lab.wait(run, 240)["status"] == "succeeded"
    assert sorted(p.name[:8] for p in (lab.marks / "both").iterdir()) == ["rank.0.2", "rank.1.2"]
    for ours, theirs in zip(lab.value(run, "both")["weights"], lab.value(run, "alone")["weights"], strict=True):
        assert ours == pytest.approx(theirs, abs=1e-3)
