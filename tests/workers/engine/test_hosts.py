"""What a step needs and who is given it, on real workers: devices are held alone or in shares, memory is set aside."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.workers.engine.studio import Studio, plugin, step, until

Json = dict[str, Any]
GB = 10**9


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    made = Studio()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def nobody(studio: Studio) -> None:
    """Hosts and steps of an earlier test are gone."""
    with studio.sql() as connection:
        connection.execute("DELETE FROM runs_devicelease")
        connection.execute("DELETE FROM runs_host")
        connection.execute("UPDATE runs_steprun SET status = 'cancelled' WHERE status IN ('queued', 'running')")


def host(studio: Studio, *, wanted: str = "running", queues: tuple[str, ...] = ("io", "cpu", "gpu"), **said: Any) -> str:
    """A host that has just been heard of; gives its id."""
    one = str(uuid.uuid4())
    about = {"id": one, "name": said.pop("name", one[:6]), "studio": True, "place": "", "labels": {}, "memory_bytes": 16 * GB,
             "memory_free": 8 * GB, "devices": [], "share": 1, "versions": {}, **said}  # fmt: skip
    group = {"queues": list(queues), "processes": []}
    studio.query("SELECT ledger_host_beat(%s::jsonb, 'steps', %s::jsonb)", json.dumps(about), json.dumps(group))
    studio.query("UPDATE runs_host SET wanted = %s WHERE id = %s RETURNING 1", wanted, one)
    return one


def worker(host_id: str, number: int = 1) -> str:
    return f"machine:{number}:0:here:{host_id}"


def claim(studio: Studio, step_run: str, by: str) -> Json | None:
    found: Json | None = studio.query("SELECT ledger_claim(%s::uuid, %s)", step_run, by)[0][0]["next"]
    return found


def ready(studio: Studio, count: int = 1, *, queue: str = "cpu", needs: Json | None = None) -> tuple[list[str], list[Json]]:
    """Ready step runs of one run each, and what was to be announced."""
    ids, told = [], []
    for _ in range(count):
        run, one = str(uuid.uuid4()), str(uuid.uuid4())
        about = {"id": run, "project_id": str(studio.project), "name": "", "pipeline_version_id": str(studio.version), "graph": {},
                 "parameters": {}, "use_cache": False, "rerun_of": None, "started_by": str(studio.user)}  # fmt: skip
        row = {"id": one, "step": "s", "component": "nothing", "component_version": "1", "queue": queue, "parameters": {},
               "max_attempts": 1, "timeout_s": None, "cacheable": False, "cache_key": "", "needs": needs}  # fmt: skip
        answer = studio.query("SELECT ledger_start(%s::jsonb, %s::jsonb, '[]'::jsonb, 32)", json.dumps(about), json.dumps([row]))[0][0]
        ids.append(one)
        told += answer["ready"]
    return ids, told


def finish(studio: Studio, claimed: Json, by: str) -> None:
    studio.query("SELECT ledger_finish(%s::uuid, %s, %s, '[]', false, 0)", claimed["id"], claimed["attempt"], by)


def test_a_step_is_announced_to_and_taken_by_hosts_it_suits_only(studio: Studio) -> None:
    plain, here = host(studio), host(studio, labels={"site": "factory-3", "rack": "2"})
    host(studio, labels={"site": "factory-3"}, wanted="paused")
    (one,), told = ready(studio, needs={"labels": {"site": "factory-3"}})
    assert [t["queue"] for t in told] == [f"cpu.{here}"], "no wake-up goes where it would be lost"
    assert claim(studio, one, worker(plain)) is None and claim(studio, one, "somebody") is None
    taken = claim(studio, one, worker(here))
    assert taken is not None and taken["id"] == one

    (two,), told = ready(studio, needs={"labels": {"site": "factory-4"}})
    assert told == [] and claim(studio, two, worker(here)) is None
    late = host(studio, labels={"site": "factory-4"})
    again = studio.query("SELECT ledger_unplaced(0, 10)")[0][0]
    assert again == [{"id": two, "queue": f"cpu.{late}"}], "a host that comes later hears of it"


def test_memory_is_set_aside_while_a_step_runs(studio: Studio) -> None:
    here = host(studio, memory_bytes=16 * GB)
    (first, second), _ = ready(studio, 2, needs={"memory_gb": 10})
    held = claim(studio, first, worker(here, 1))
    assert held is not None and claim(studio, second, worker(here, 2)) is None
    finish(studio, held, worker(here, 1))
    assert claim(studio, second, worker(here, 2)) is not None


def test_a_device_is_one_steps_alone_or_shared_by_setting(studio: Studio) -> None:
    """Many workers ask at once; every device is held once, or as often as the host's share says."""
    for share in (1, 2):
        here = host(studio, devices=[{"name": "fake0", "memory": 0}, {"name": "fake1", "memory": 0}], share=share)
        steps, told = ready(studio, 6, queue="gpu")
        assert {t["queue"] for t in told} == {f"gpu.{here}"}
        with ThreadPoolExecutor(6) as pool:
            taken = [t for t in pool.map(claim, [studio] * 6, steps, [worker(here, n) for n in range(6)]) if t is not None]
        assert sorted(d for t in taken for d in t["devices"]) == sorted([0, 1] * share)
        finish(studio, taken[0], worker(here, steps.index(taken[0]["id"])))
        waiting = [s for s in steps if s not in {t["id"] for t in taken}]
        following = claim(studio, waiting[0], worker(here, 9))
        assert following is not None and following["devices"] == taken[0]["devices"], "what was given back goes to the next"
        studio.query("UPDATE runs_host SET beat_at = now() - interval '1 hour' WHERE id = %s RETURNING 1", here)


def test_a_lost_worker_gives_its_device_back(studio: Studio) -> None:
    here = host(studio, devices=[{"name": "fake0", "memory": 0}])
    (one,), _ = ready(studio, queue="gpu")
    assert claim(studio, one, worker(here)) is not None
    studio.query("UPDATE runs_steprun SET heartbeat_at = now() - interval '1 hour' WHERE id = %s RETURNING 1", one)
    until(lambda: studio.query("SELECT ledger_reap(0.01, 10, 3, 10, '{}')")[0][0]["answers"], 20)
    assert studio.query("SELECT count(*) FROM runs_devicelease") == [(0,)]
    again = claim(studio, one, worker(here, 2))
    assert again is not None and (again["attempt"], again["devices"]) == (2, [0])


def test_what_only_likes_a_gpu_waits_for_none(studio: Studio) -> None:
    plain = host(studio)
    (one, two), told = ready(studio, 2, queue="gpu")
    assert {t["queue"] for t in told} == {f"gpu.{plain}"}
    taken = claim(studio, one, worker(plain))
    assert taken is not None and taken["devices"] is None, "with no GPU anywhere it runs on the CPU"
    (must,), told = ready(studio, queue="gpu", needs={"gpu": 1})
    assert told == [] and claim(studio, must, worker(plain)) is None, "but what needs one waits"
    better = host(studio, devices=[{"name": "fake0", "memory": 0}])
    assert claim(studio, two, worker(plain)) is None, "and what likes one goes to it once there is one"
    assert claim(studio, two, worker(better)) is not None


def test_a_host_that_is_not_to_run_is_given_nothing(studio: Studio) -> None:
    here = host(studio, wanted="draining")
    (one,), _ = ready(studio)
    assert claim(studio, one, worker(here)) is None
    studio.query("UPDATE runs_host SET wanted = 'running' WHERE id = %s RETURNING 1", here)
    assert claim(studio, one, worker(here)) is not None


@pytest.mark.slow
def test_workers_tell_what_they_are_and_a_step_sees_its_device_alone() -> None:
    """A real worker with two declared devices: it registers, holds a device for a step's time, and the step sees no other."""
    studio = Studio(HEADRACE_DEVICES="fake0,fake1", HEADRACE_LABELS="site=lab")
    try:
        studio.reaper()
        studio.worker(2)
        found = until(lambda: studio.query("SELECT labels, devices, queues, groups FROM runs_host WHERE queues <> '[]'"), 60)[0]
        assert found[0] == {"site": "lab"} and [d["name"] for d in found[1]] == ["fake0", "fake1"] and found[2] == ["cpu", "gpu", "io"]
        assert len(found[3]["steps"]["processes"]) == 2
        with plugin():
            run = studio.start({"a": step("devices"), "b": step("devices"), "c": {**step("devices"), "needs": {"gpu": 2}}})["id"]
        assert studio.wait(run, 120)["status"] == "succeeded"
        seen = {n: studio.value(run, n)["visible"] for n in ("a", "b", "c")}
        assert {seen["a"], seen["b"]} <= {"fake0", "fake1"} and seen["c"] == "fake0,fake1"
        assert studio.query("SELECT count(*) FROM runs_devicelease") == [(0,)]
        assert any("running on the CPU" in text for _, _, text in studio.lines(run, "a")), "no CUDA here: the step says so"
    finally:
        studio.close()
