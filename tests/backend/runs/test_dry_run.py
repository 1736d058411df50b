"""Dry runs: what they leave out, that nothing comes of them, and what they tell of a full run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from backend.core.models import Project
from backend.pipelines.models import Pipeline
from backend.runs.forecast import span
from backend.runs.models import Attempt, Trigger, TriggerEvent
from tests.backend.people import Person
from tests.backend.runs.test_runs import go, sql, step_run, value
from tests.workers.engine.studio import step
from workers.sdk import sample
from workers.sdk.kinds import Table

Json = dict[str, Any]
GRAPH: Json = {"steps": {"a": step("number", value=3), "b": step("add", "a"), "say": step("announce", "b", port="what"),
                         "after": step("halve", "say"), "both": step("add", "a", "say")}}  # fmt: skip
RESULTS = {"a": value(3), "b": value(3), "both": value(3), "say": value(3), "after": value(1)}


@pytest.fixture
def pipeline(project: Project) -> Pipeline:
    return Pipeline.objects.create(project=project, slug="line", name="Line", draft=GRAPH)


def test_a_dry_run_changes_nothing_and_a_full_run_takes_nothing_from_it(editor: Person, pipeline: Pipeline, project: Project) -> None:
    Trigger.objects.create(project=project, slug="t", name="T", kind="run_finished", pipeline=pipeline, owner=editor.user,
                           config={"statuses": ["succeeded"], "pipeline": ""})  # fmt: skip
    dry = editor.post("/runs", {"pipeline": "line", "sample": {"rows": 10}})
    assert dry["sample"] == {"rows": 10, "how": "stratified", "seed": 0}
    assert go(dry, RESULTS) == ["a", "b", "both"]
    after = editor.get(f"/runs/{dry['id']}")
    told = {s["step"]: (s["status"], s["skip_reason"]) for s in after["step_runs"]}
    assert after["status"] == "succeeded" and told["say"] == told["after"] == ("skipped", "dry run")
    assert not TriggerEvent.objects.exists(), "nothing follows from a dry run"
    assert [r["number"] for r in editor.get("/runs?dry_run=true")["items"]] == [1] and editor.get("/runs?dry_run=false")["items"] == []
    assert editor.post(f"/runs/{dry['id']}/rerun", {})["sample"] == dry["sample"], "again is a dry run again"
    full = editor.post("/runs", {"pipeline": "line"})
    assert full["sample"] is None
    assert "a" in go(full, RESULTS), "a source of a part of the data is not the source of all of it"
    assert TriggerEvent.objects.count() == 1


def test_a_model_of_a_dry_run_cannot_be_registered(editor: Person, pipeline: Pipeline) -> None:
    model = [{**value(1)[0], "kind": "Model", "inline": None, "digest": "ab" * 32}]
    dry = editor.post("/runs", {"pipeline": "line", "sample": {}})
    go(dry, {**RESULTS, "a": model})
    refused = editor.post("/models", {"model": "M", "artifact": "ab" * 32, "parity": {}}, status=422)
    assert "dry run" in str(refused)


def test_the_forecast_says_what_it_rests_on(editor: Person, pipeline: Pipeline) -> None:
    empty = editor.get("/pipelines/line/forecast")
    assert (empty["known"], empty["time"]) == (0, None) and all(s["runs"] == 0 and s["time"] is None for s in empty["steps"])
    run = editor.post("/runs", {"pipeline": "line"})
    for ready in ("a",):
        claimed = sql("ledger_claim(%s::uuid, 'w')", str(step_run(run, ready).pk))["next"]
        sql("ledger_finish(%s::uuid, %s::int, 'w', %s::jsonb, false, 32, %s::jsonb)", claimed["id"], claimed["attempt"], value(3),
            {"peak": 5 << 20, "rows": 100})  # fmt: skip
    (attempt,) = Attempt.objects.all()
    Attempt.objects.update(started_at=attempt.finished_at - timedelta(seconds=2))
    assert (attempt.peak_memory, attempt.rows) == (5 << 20, 100)
    assert editor.get(f"/runs/{run['id']}/steps/a/attempts")[0]["rows"] == 100
    told = {s["step"]: s for s in editor.get("/pipelines/line/forecast")["steps"]}
    assert (told["a"]["runs"], told["a"]["most"], told["a"]["settings"]) == (1, 100, "same")
    assert told["a"]["time"]["likely"] == pytest.approx(2, abs=0.1) and told["a"]["memory"]["likely"] == 5 << 20
    assert told["say"]["time"] is None


@pytest.mark.parametrize(
    ("points", "rows", "low", "likely", "high"),
    [
        ([(100, 2.0)], 1000, 2.0, 11.0, 20.0),  # one run: anything from "the same" to "in proportion"
        ([(100, 1.0), (200, 2.0), (400, 4.0)], 800, 8.0, 8.0, 8.0),
        ([(100, 3.0), (200, 3.0), (400, 3.0)], 800, 3.0, 3.0, 6.0),  # beyond what was seen it may begin to grow
        ([(60, 1.0), (1500, 3.0), (1500, 5.0), (1500, 4.0)], 1500, 3.0, 4.0, 5.0),  # as many rows as before: as it was
        ([(None, 1.0), (None, 5.0), (None, 2.0)], 800, 1.0, 2.0, 5.0),
    ],
)
def test_a_range_is_as_wide_as_what_is_not_known(points: Any, rows: int, low: float, likely: float, high: float) -> None:
    assert span(points, rows) == pytest.approx({"low": low, "likely": likely, "high": high})


def test_memory_that_every_process_holds_does_not_grow_with_the_rows() -> None:
    assert span([(60, 250.0)], 600, floor=240.0) == pytest.approx({"low": 250, "likely": 295, "high": 340})


def test_a_sample_keeps_the_labels_shares_and_is_the_same_for_a_seed(tmp_path: Any) -> None:
    import pyarrow as pa

    from workers.sdk import context

    labels = ["common"] * 900 + ["rare"] * 95 + ["once"] * 5
    with context.local(tmp_path):
        whole = Table.from_arrow(pa.table({"n": list(range(1000)), "y": labels}), label_column="y")

        def cut(rows: int, how: str) -> pa.Table:
            made = sample.cut(whole, {"rows": rows, "how": how, "seed": 3})
            assert isinstance(made, Table)
            return made.arrow()

        part, again, head = cut(100, "stratified"), cut(100, "stratified"), cut(3, "head")
        assert sample.cut(whole, {"rows": 1000, "how": "random", "seed": 1}) is whole
    counts = {name: part["y"].to_pylist().count(name) for name in ("common", "rare", "once")}
    assert counts["once"] >= 1 and counts["common"] == 90 and sum(counts.values()) == 100
    assert part.equals(again) and head["n"].to_pylist() == [0, 1, 2]
    assert sample.stratified(list(range(50)), 10, 1) == sorted(set(sample.stratified(list(range(50)), 10, 1)))
