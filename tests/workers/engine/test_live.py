"""Those who watch hear of a run as it happens, over the same channel layer as the studio's."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from channels_redis.serializers import registry

from tests.workers.engine.studio import Studio, step, studio


@pytest.fixture(scope="module")
def lab() -> Iterator[Studio]:
    with studio() as made:
        made.worker(1)
        yield made


def test_a_watcher_hears_statuses_progress_lines_and_points(lab: Studio) -> None:
    watcher = lab.connect_valkey().pubsub()
    run, planned, inputs = lab.plan({"a": step("speak")})
    watcher.subscribe(f"headrace__group__run.{run['id']}", f"headrace__group__project.{lab.project}")
    from psycopg.types.json import Jsonb

    ((answer,),) = lab.query("SELECT ledger_start(%s, %s, %s, 32)", Jsonb(run), Jsonb(planned), Jsonb(inputs))
    lab.wake(answer["ready"])
    lab.wait(run["id"])
    heard: list[tuple[str, dict]] = []
    end = time.monotonic() + 3
    serializer = registry.get_serializer("msgpack")
    while time.monotonic() < end:
        message = watcher.get_message(timeout=0.2)
        if message and message["type"] == "message":
            content = serializer.deserialize(message["data"])
            assert content["type"] == "live.event"
            heard.append((message["channel"].decode().rpartition("__")[2].partition(".")[0], content["event"]))
    of_run = [e for group, e in heard if group == "run"]
    assert [e["status"] for e in of_run if e["type"] == "step_run_changed" and e["seq"]] == ["running", "succeeded"]
    assert {e["type"] for group, e in heard if group == "project"} == {"run_changed", "step_run_changed"}
    lines = [line for e in of_run if e["type"] == "lines_logged" for line in e["lines"]]
    kept = lab.query("SELECT id, text FROM runs_logline WHERE run_id = %s ORDER BY id", run["id"])
    assert [(line["id"], line["text"]) for line in lines] == kept
    assert [p["index"] for e in of_run if e["type"] == "metrics_logged" for p in e["points"]] == [0, 1, 2, 3, 4, 5]
    stored = [n for (n,) in lab.query("SELECT id FROM runs_runevent WHERE run_id = %s ORDER BY id", run["id"])]
    assert sorted({e["seq"] for e in of_run if e["seq"]}) == stored[1:]  # all but the start, which the studio tells
