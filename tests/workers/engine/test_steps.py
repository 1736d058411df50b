"""What happens to one step on a real worker: its words, its errors, its retries, its end by force."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workers.engine.studio import Json, Studio, alive, step, studio, until


@pytest.fixture(scope="module")
def lab() -> Iterator[Studio]:
    with studio() as made:
        made.worker(2)
        made.reaper()
        yield made


def test_three_steps_run_in_order_and_give_their_result(lab: Studio) -> None:
    run = lab.start({"a": step("number", value=3), "b": step("add", "a", plus=4), "c": step("score", "b")})
    ended = lab.wait(run["id"])
    assert ended["status"] == "succeeded" and ended["steps_done"] == 3 and ended["metrics"] == {"score": 7}
    assert lab.value(run["id"], "b") == {"value": 7}


def test_everything_a_step_says_is_kept_and_secrets_are_not(lab: Studio) -> None:
    run = lab.start({"a": step("speak", secret=lab.env["SECRET_KEY"])})
    assert lab.wait(run["id"])["status"] == "succeeded"
    lines = lab.lines(run["id"], "a")
    texts = [t for _, _, t in lines]
    said = {t: (stream, level) for stream, level, t in lines}
    assert said["by print"][0] == said["by a C library"][0] == said["by a child process"][0] == "stdout"
    assert said["by stderr"][0] == "stderr"
    assert said["by logging"] == ("log", "warning") and said["by the context"] == ("log", "info")
    assert {"coloured", "100%", "no newline"} <= set(texts)
    assert any(t.startswith("x" * 4000 + "… (6000 more") for t in texts)
    assert "token Bearer •••" in texts
    everything = "\n".join(texts)
    assert "hr_" not in everything and lab.env["SECRET_KEY"] not in everything and lab.url not in everything
    points = lab.query("SELECT name, index, value FROM runs_metricpoint WHERE run_id = %s ORDER BY id", run["id"])
    assert [(n, i) for n, i, _ in points] == [("loss", float(i)) for i in range(6)] and points[-1][2] is None


def test_words_of_one_step_do_not_reach_the_next(lab: Studio) -> None:
    run = lab.start({"a": step("speak"), "b": step("nothing", "a", note=str(time.time()))})
    lab.wait(run["id"])
    assert lab.lines(run["id"], "b") == []


def test_a_flood_of_lines_is_bounded_and_says_so(lab: Studio) -> None:
    run = lab.start({"a": step("speak", lines=300_000)})
    assert lab.wait(run["id"], 120)["status"] == "succeeded"
    ((count,),) = lab.query("SELECT count(*) FROM runs_logline WHERE run_id = %s", run["id"])
    assert count <= 100_100
    lines = lab.lines(run["id"], "a")
    dropped = [int(m[1]) for _, _, t in lines if (m := re.match(r"… (\d+) lines dropped", t))]
    kept = sum(1 for _, _, t in lines if t.isdigit())
    assert dropped and 300_000 <= sum(dropped) + kept <= 300_020


def test_a_users_mistake_is_told_in_words_and_not_tried_again(lab: Studio) -> None:
    run = lab.start({"a": {**step("fail", mistake=True), "retries": 3}, "b": step("add", "a")})
    ended = lab.wait(run["id"])
    assert ended["status"] == "failed"
    error = ended["error"]
    assert (error["code"], error["message"], error["hint"], error["step"]) == (
        "step_error",
        "The column “age” is not there.",
        "Choose one of: height.",
        "a",
    )
    assert lab.steps(run["id"])["a"]["attempt"] == 1


def test_a_crash_is_tried_again_and_its_traceback_kept(lab: Studio) -> None:
    folder = lab.folder / "again"
    folder.mkdir()
    run = lab.start({"a": {**step("fail", folder=str(folder), times=2), "retries": 3}})
    assert lab.wait(run["id"])["status"] == "succeeded"
    attempts = lab.query(
        "SELECT number, a.status, a.error FROM runs_attempt a JOIN runs_steprun s ON s.id = a.step_run_id WHERE s.run_id = %s ORDER"
        " BY number",
        run["id"],
    )
    assert [(n, s) for n, s, _ in attempts] == [(1, "failed"), (2, "failed"), (3, "succeeded")]
    assert attempts[0][2]["message"] == "RuntimeError: failure 1"
    assert "headrace_test_steps" in attempts[0][2]["traceback"] and "engine/perform" not in attempts[0][2]["traceback"]
    assert any("RuntimeError: failure 1" in t for _, _, t in lab.lines(run["id"], "a"))


def test_folders_and_large_values_travel_between_steps(lab: Studio) -> None:
    run = lab.start({"a": step("big", size=200_000)})
    assert lab.wait(run["id"])["status"] == "succeeded"
    ((media, size, metadata),) = lab.query(
        "SELECT a.media_type, a.size, o.metadata FROM runs_stepoutput o JOIN artifacts_artifact a ON a.id = o.artifact_id JOIN"
        " runs_steprun s ON s.id = o.step_run_id"
        " WHERE s.run_id = %s", run["id"])  # fmt: skip
    assert (media, size, metadata) == ("application/vnd.headrace.tree+json", 200_000, {"files": 1})
    assert not (lab.folder / "data" / "scratch" / run["steps"]["a"]).exists()


def test_a_step_apart_has_a_process_of_its_own_and_no_secrets(lab: Studio) -> None:
    run = lab.start({"a": step("apart"), "b": step("apart")})
    assert lab.wait(run["id"])["status"] == "succeeded", lab.run(run["id"])
    a, b = lab.value(run["id"], "a"), lab.value(run["id"], "b")
    assert a["pid"] != b["pid"] and a["random"] != b["random"]
    assert a["hidden"] == [] and a["device"] == "cpu"
    assert "said apart" in [t for _, _, t in lab.lines(run["id"], "a")]
    assert lab.query("SELECT name FROM runs_metricpoint WHERE run_id = %s", run["id"])[0] == ("seen",)


@pytest.mark.parametrize(
    ("how", "code", "words"),
    [("segfault", "process_crashed", "SIGSEGV"), ("exit", "exit", "exit 3"), ("raise", "crash", "ValueError: apart and wrong")],
)
def test_how_a_step_apart_ended_is_told(lab: Studio, how: str, code: str, words: str) -> None:
    run = lab.start({"a": step("apart", how=how)})
    error = lab.wait(run["id"])["error"]
    assert error["code"] == code and words in error["message"]


@pytest.fixture
def small_group(lab: Studio) -> Iterator[Path]:
    """A control group with 96 MiB, in which the kernel kills what wants more."""
    first = Path("/sys/fs/cgroup/memory")
    base, limit = (first, "memory.limit_in_bytes") if first.is_dir() else (Path("/sys/fs/cgroup"), "memory.max")
    group = base / f"hr-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / limit).write_text(str(96 << 20))
    except OSError as exc:
        pytest.skip(f"no control group can be made here: {exc}")
    (lab.folder / "cgroup").unlink(missing_ok=True)
    (lab.folder / "cgroup").symlink_to(group)
    yield group
    until(lambda: not (group / "cgroup.procs").read_text().strip(), 10)
    group.rmdir()


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("limit", r"ran out of memory: it had [\d.]+ GiB, needed more"),  # Python's MemoryError, under a limit of the process
        ("numpy", r"ran out of memory: it had .*, needed more \(it asked for another 8.00 PiB\)"),
        ("torch", r"ran out of memory: it had .*, needed more \(it asked for another 4.0 PiB\)"),
        ("cuda", r"ran out of the GPU's memory: it had 79.10 GiB, needed more \(it asked for another 2.00 GiB\)"),
        ("kernel", r"ran out of memory: it had .*, needed more"),  # the kernel's killer, for a control group
    ],
)
def test_too_little_memory_is_told_as_such_whoever_ended_the_step(
    lab: Studio, request: pytest.FixtureRequest, how: str, words: str
) -> None:
    if how == "kernel":
        request.getfixturevalue("small_group")
    run = lab.start({"a": step("swallow", how=how)})
    error = lab.wait(run["id"])["error"]
    assert error["code"] == "out_of_memory" and re.search(words, error["message"]), error
    assert "Try " in error["hint"]


def test_what_an_attempt_took_is_kept(lab: Studio) -> None:
    run = lab.start({"a": step("swallow"), "b": step("number", value=1)})
    assert lab.wait(run["id"])["status"] == "succeeded"
    peaks = dict(
        lab.query(
            "SELECT s.step, a.peak_memory FROM runs_attempt a JOIN runs_steprun s ON s.id = a.step_run_id WHERE s.run_id = %s", run["id"]
        )
    )
    assert peaks["a"] > 200 << 20 and peaks["b"] > 10 << 20


def cancel(lab: Studio, run_id: str) -> float:
    lab.query("SELECT ledger_cancel(%s::uuid)", run_id)
    return time.monotonic()


def test_a_running_torch_step_stops_within_two_seconds_of_cancel(lab: Studio) -> None:
    run = lab.start({"a": step("burn", folder=str(lab.marks)), "b": step("add", "a")})
    (name,) = until(lambda: lab.marked("burning.*"), 60)
    pid = int(name.partition(".")[2])
    time.sleep(0.5)
    begun = cancel(lab, run["id"])
    until(lambda: not alive(pid), 10)
    took = time.monotonic() - begun
    ended = lab.wait(run["id"])
    assert ended["status"] == "cancelled" and ended["error"] is None
    assert {k: s["status"] for k, s in lab.steps(run["id"]).items()} == {"a": "cancelled", "b": "cancelled"}
    assert took < 2.5, took  # the promise is 2 s on a machine that does nothing else


def test_a_step_that_listens_stops_by_itself_and_one_that_is_deaf_loses_its_process(lab: Studio) -> None:
    run = lab.start({"a": step("mark", folder=str(lab.marks), name="polite", seconds=60), "b": step("stubborn", folder=str(lab.marks))})
    until(lambda: lab.marked("polite.begun.*") and lab.marked("deaf.*"), 30)
    cancel(lab, run["id"])
    assert lab.wait(run["id"], 20)["status"] == "cancelled"
    assert lab.marked("polite.done.*") == []
    after = lab.start({"c": step("number", value=time.time()), "d": step("number", value=time.time() + 1)})
    assert lab.wait(after["id"])["status"] == "succeeded"  # another process has taken the place


@pytest.mark.parametrize("component", ["mark", "burn"])
def test_a_time_limit_ends_a_step(lab: Studio, component: str) -> None:
    given = {"name": "slow"} if component == "mark" else {}
    run = lab.start({"a": {**step(component, folder=str(lab.marks), seconds=60, **given), "timeout_s": 1}})
    ended = lab.wait(run["id"], 60)
    assert ended["status"] == "failed" and ended["error"]["code"] == "timeout"


def test_what_a_step_leaves_running_cannot_speak_into_the_next(lab: Studio) -> None:
    run = lab.start({"a": step("leave"), "b": step("mark", "a", folder=str(lab.marks), name="after", seconds=1.5)})
    assert lab.wait(run["id"])["status"] == "succeeded"
    assert lab.lines(run["id"], "b") == []


def test_runs_that_come_at_once_share_the_workers(lab: Studio) -> None:
    """The last of many short runs has begun before the first is over, though each could run through in one go."""

    def chain(note: str) -> dict[str, Json]:
        steps = {"s0": step("nothing", note=note)}
        return steps | {f"s{i}": step("nothing", f"s{i - 1}", note=f"{note} {i}") for i in range(1, 80)}

    runs = [lab.start(chain(f"shared {n}"), tell=False) for n in range(20)]
    lab.wake([ready for run in runs for ready in run["ready"]])
    for run in runs:
        assert lab.wait(run["id"])["status"] == "succeeded"
    ((begun, ended),) = lab.query("SELECT max(started_at), min(finished_at) FROM runs_run WHERE id = ANY (%s)", [r["id"] for r in runs])
    assert begun < ended


def test_a_slow_step_of_a_fan_does_not_hold_back_those_its_worker_was_given_with_it(lab: Studio) -> None:
    def one(name: str, *after: str) -> Json:
        return step("mark", *after, folder=str(lab.marks), name=name, seconds=8 if name == "fan20" else 0)

    names = [f"fan{n}" for n in range(64)]
    run = lab.start({"first": one("first"), **{name: one(name, "first") for name in names}})
    until(lambda: lab.marked("fan20.begun.*"), 30)
    until(lambda: len(lab.marked("fan*.done.*")) == 63 or lab.marked("fan20.done.*"), 30)
    assert not lab.marked("fan20.done.*"), "steps waited for a slow one that has nothing to do with them"
    assert lab.wait(run["id"])["status"] == "succeeded"
    assert len(lab.marked("fan*.begun.*")) == 64, "a step that was given back was run twice"
    assert {s["attempt"] for s in lab.steps(run["id"]).values()} == {1}
