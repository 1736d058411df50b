"""Kill each part with -9 in the middle of a run: the run ends as it should, and nothing that was committed is done again."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.workers.engine.studio import Studio, alive, children, step, studio, until

Json = dict[str, Any]


@pytest.fixture
def lab() -> Iterator[Studio]:
    with studio(durable=True) as made:
        made.reaper()
        yield made


def graph(lab: Studio, seconds: float = 0.4) -> dict[str, Json]:
    """A chain, a fan of six, and a join: twelve steps."""

    def one(name: str, *after: str) -> Json:
        return step("mark", *after, folder=str(lab.marks), name=name, seconds=seconds)

    fan = {f"f{i}": one(f"f{i}", "c") for i in range(6)}
    return {"a": one("a"), "b": one("b", "a"), "c": one("c", "b"), **fan, "d": one("d", *fan), "e": one("e", "d"), "z": one("z", "e")}


def kill_in_the_middle(lab: Studio, kill: Callable[[], Any], *, begun: str = "f1", seconds: float = 60, **options: Any) -> Json:
    """Run the graph, kill once step `begun` has begun, and hold the engine to its promise."""
    run = lab.start(graph(lab, **options))
    until(lambda: lab.marked(f"{begun}.begun.*"), 30)
    committed = [name for name, one in lab.steps(run["id"]).items() if one["status"] == "succeeded"]
    kill()
    ended = lab.wait(run["id"], seconds)
    assert ended["status"] == "succeeded", ended
    steps = lab.steps(run["id"])
    assert ended["steps_done"] == 12 and {s["status"] for s in steps.values()} == {"succeeded"}
    assert committed
    for name in committed:
        assert len(lab.marked(f"{name}.begun.*")) == 1, f"{name} was committed and done again"
    outputs = lab.query(
        "SELECT s.step, count(*) FROM runs_stepoutput o JOIN runs_steprun s ON s.id = o.step_run_id WHERE s.run_id = %s GROUP BY 1",
        run["id"],
    )
    assert {n for _, n in outputs} == {1} and len(outputs) == 12
    good = lab.query(
        "SELECT s.step, count(*) FROM runs_attempt a JOIN runs_steprun s ON s.id = a.step_run_id WHERE s.run_id = %s AND a.status ="
        " 'succeeded' GROUP BY 1",
        run["id"],
    )
    assert {n for _, n in good} == {1} and len(good) == 12
    assert lab.query("SELECT count(*) FROM runs_attempt a WHERE a.status = 'running'") == [(0,)]
    assert lab.query("SELECT count(*) FROM core_apitoken WHERE step_run IS NOT NULL AND revoked_at IS NULL") == [(0,)]
    numbers = [n for (n,) in lab.query("SELECT id FROM runs_runevent WHERE run_id = %s ORDER BY id", run["id"])]
    assert len(numbers) >= 26
    return ended


def holder(lab: Studio, name: str) -> int:
    """The process that runs a step now."""
    ((worker,),) = lab.query("SELECT worker FROM runs_steprun WHERE step = %s AND status = 'running'", name)
    return int(worker.split(":")[1])


def test_a_worker_child(lab: Studio) -> None:
    lab.worker(2)
    kill_in_the_middle(lab, lambda: os.kill(holder(lab, "f1"), signal.SIGKILL))


def test_a_worker_that_runs_quick_steps_one_after_another(lab: Studio) -> None:
    """They are committed by notes: killed among them, nothing that was committed is done again; a step that takes its time is seen."""
    lab.worker(1)

    def one(name: str, *after: str, seconds: float = 0) -> Json:
        return step("mark", *after, folder=str(lab.marks), name=name, seconds=seconds)

    names = [f"q{n}" for n in range(200)]
    steps = {name: one(name, *names[max(n - 1, 0) : n], seconds=3 if n == 60 else 0) for n, name in enumerate(names)}
    run = lab.start(steps)
    until(lambda: lab.marked("q60.begun.*"), 60)
    until(lambda: lab.steps(run["id"])["q60"]["status"] == "running", 10, lambda: str(lab.run(run["id"])))
    before = lab.steps(run["id"])
    assert {before[name]["status"] for name in names[:60]} == {"succeeded"} and lab.run(run["id"])["steps_done"] == 60
    killed = holder(lab, "q60")
    os.kill(killed, signal.SIGKILL)
    assert lab.wait(run["id"], 90)["status"] == "succeeded"
    again = {name: len(lab.marked(f"{name}.begun.*")) for name in names}
    assert {name: n for name, n in again.items() if n != 1} == {"q60": 2}

    # In the middle of the quick ones.
    for other in lab.marked("*"):
        (lab.marks / other).unlink()
    steps = {name: one(name, *names[max(n - 1, 0) : n]) for n, name in enumerate(names)}
    run = lab.start(steps)
    until(lambda: lab.marked("q40.begun.*"), 60)
    for child in children(lab.processes[-1].pid):
        os.kill(child, signal.SIGKILL)
    assert lab.wait(run["id"], 90)["status"] == "succeeded"
    again = {name: len(lab.marked(f"{name}.begun.*")) for name in names}
    assert min(again.values()) == 1 and sum(again.values()) <= len(names) + 1, "what was committed was done again"
    assert lab.query("SELECT count(*) FROM runs_note") == [(0,)]
    good = lab.query("SELECT count(*), count(DISTINCT step_run_id) FROM runs_attempt WHERE status = 'succeeded'")
    assert good == [(400, 400)]


def test_a_child_that_dies_before_the_worker_has_begun(lab: Studio) -> None:
    """The worker goes on with another in its place, and loses nothing."""
    lab.env["HEADRACE_TEST_FIRST"] = str(lab.folder / "first")
    worker = lab.worker(2, app="tests.workers.engine.dies_young")
    until((lab.folder / "first").exists, 30)
    kill_in_the_middle(lab, lambda: None)
    until(lambda: worker.poll() is not None or len(children(worker.pid)) == 2, 15)
    assert worker.poll() is None, "the worker ended with its child"


def test_a_worker_that_dies_as_its_children_begin_leaves_none_of_them(lab: Studio) -> None:
    worker = lab.spawn("celery", "-A", "tests.workers.engine.orphaned", "worker", "-Q", "cpu", "-c", "2", "--loglevel", "warning")
    until(lambda: worker.poll() is not None, 60)
    named = "-A tests.workers.engine.orphaned worker"

    def left() -> list[int]:
        found = []
        for pid in psutil.pids():
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(pid)
                if named in " ".join(process.cmdline()) and process.environ().get("DATABASE_URL") == lab.url:
                    found.append(pid)
        return found

    until(lambda: not left(), 20, lambda: f"children without a worker wait for ever: {left()}")


@pytest.mark.slow
def test_a_whole_worker_with_all_its_children(lab: Studio) -> None:
    worker = lab.worker(2)

    def kill() -> None:
        family = [worker.pid, *children(worker.pid)]
        for pid in family:
            os.kill(pid, signal.SIGKILL)
        worker.wait()
        lab.worker(2)

    kill_in_the_middle(lab, kill)


def test_a_worker_that_is_cut_off_and_comes_back_changes_nothing(lab: Studio) -> None:
    worker = lab.worker(1)

    def pause() -> None:
        family = [worker.pid, *children(worker.pid)]
        for pid in family:
            os.kill(pid, signal.SIGSTOP)
        lab.worker(1)
        until(lambda: lab.query("SELECT 1 FROM runs_steprun WHERE step = 'f1' AND attempt = 2"), 30)
        for pid in family:
            os.kill(pid, signal.SIGCONT)

    kill_in_the_middle(lab, pause)


def test_valkey(lab: Studio) -> None:
    lab.worker(2)

    def kill() -> None:
        lab.valkey.kill()
        lab.valkey.wait()
        time.sleep(1)
        lab.start_valkey()

    kill_in_the_middle(lab, kill)


@pytest.mark.slow
def test_valkey_with_all_that_it_held(lab: Studio) -> None:
    lab.worker(2)

    def kill() -> None:
        lab.valkey.kill()
        lab.valkey.wait()
        shutil.rmtree(lab.folder / "vk")
        (lab.folder / "vk").mkdir()
        lab.start_valkey()

    kill_in_the_middle(lab, kill)


def test_a_run_that_starts_while_valkey_is_away_begins_when_it_is_back(lab: Studio) -> None:
    lab.worker(1)
    lab.valkey.kill()
    lab.valkey.wait()
    run = lab.start({"a": step("number", value=1)})
    time.sleep(1.5)
    assert lab.run(run["id"])["status"] == "queued"
    lab.start_valkey()
    assert lab.wait(run["id"])["status"] == "succeeded"


def test_postgresql(lab: Studio) -> None:
    lab.worker(2)

    def kill() -> None:
        lab.postgres.kill()
        lab.postgres.wait()
        time.sleep(1)
        lab.start_postgres()
        lab.wait_for_postgres()

    kill_in_the_middle(lab, kill)


@pytest.mark.slow
def test_postgresql_between_every_two_steps(lab: Studio) -> None:
    """Restarted again and again under short steps: some answers are lost after their commit."""
    lab.worker(2)

    def kill() -> None:
        for _ in range(4):
            lab.postgres.send_signal(signal.SIGQUIT)
            lab.postgres.wait()
            lab.start_postgres()
            lab.wait_for_postgres()
            time.sleep(0.3)

    kill_in_the_middle(lab, kill, begun="b", seconds=90)


def test_the_reaper_and_everything_else_at_once(lab: Studio) -> None:
    worker = lab.worker(2)

    def kill() -> None:
        reaper = lab.processes[0]
        for pid in [worker.pid, *children(worker.pid), reaper.pid, lab.valkey.pid, lab.postgres.pid]:
            os.kill(pid, signal.SIGKILL)
        for process in (worker, reaper, lab.valkey, lab.postgres):
            process.wait()
        lab.start_postgres()
        lab.wait_for_postgres()
        lab.start_valkey()
        lab.reaper()
        lab.worker(2)

    kill_in_the_middle(lab, kill, seconds=90)


@pytest.mark.parametrize("who", ["worker", pytest.param("step", marks=pytest.mark.slow), pytest.param("server", marks=pytest.mark.slow)])
def test_a_step_apart(lab: Studio, who: str) -> None:
    """Its own process, the server it was forked from, or the worker that waits for it: all its processes go, and it runs again."""
    lab.worker(1)
    run = lab.start({"a": step("burn", folder=str(lab.marks), seconds=3), "b": step("add", "a")})
    (name,) = until(lambda: lab.marked("burning.*"), 60)
    pid = int(name.partition(".")[2])
    worker = holder(lab, "a")
    parent = int(next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("PPid:")).split()[1])
    os.kill({"step": pid, "server": parent, "worker": worker}[who], signal.SIGKILL)
    until(lambda: not alive(pid), 5)
    ended = lab.wait(run["id"], 60)
    assert ended["status"] == "succeeded"
    assert lab.steps(run["id"])["a"]["attempt"] == 2 and len(lab.marked("burning.*")) == 2


def test_a_step_that_kills_its_worker_every_time_ends_the_run(lab: Studio) -> None:
    lab.worker(1)
    run = lab.start({"a": step("murder"), "b": step("number", value=5)})
    ended = lab.wait(run["id"], 60)
    assert ended["status"] == "failed" and ended["error"]["code"] == "worker_lost"
    assert {k: s["status"] for k, s in lab.steps(run["id"]).items()} == {"a": "failed", "b": "succeeded"}
