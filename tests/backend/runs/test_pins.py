"""A step that is pinned takes what a past run gave, and nothing runs for it."""

from __future__ import annotations

import copy
import uuid
from typing import Any

import pytest

from backend.core.models import Project
from backend.pipelines.models import Pipeline
from backend.runs.models import StepRun
from tests.backend.people import Person
from tests.backend.runs.test_runs import RESULTS, go, step_run, value
from tests.workers.engine.studio import step

Json = dict[str, Any]
GRAPH: Json = {"steps": {"a": step("number", value=3), "b": step("add", "a", plus=4), "c": step("score", "b"), "d": step("halve", "a"),
                         "e": step("number", value=9), "f": step("add", "e")}}  # fmt: skip


@pytest.fixture
def pipeline(project: Project) -> Pipeline:
    return Pipeline.objects.create(project=project, slug="line", name="Line", draft=copy.deepcopy(GRAPH))


def pin(pipeline: Pipeline, key: str, run: Json, of: str = "") -> Json:
    found: Json = {"step_run": str(step_run(run, of or key).pk), "run": run["number"]}
    pipeline.draft["steps"][key]["pin"] = found
    pipeline.save()
    return found


def ends(who: Person, run: Json) -> dict[str, tuple[str, str]]:
    return {s["step"]: (s["status"], s["skip_reason"]) for s in who.get(f"/runs/{run['id']}")["step_runs"]}


ALL = {**RESULTS, "d": value(1), "e": value(9), "f": value(9)}


def test_a_pinned_step_is_taken_until_it_is_unpinned_and_leaves_no_trace_in_the_cache(editor: Person, pipeline: Pipeline) -> None:
    first = editor.post("/runs", {"pipeline": "line"})
    go(first, ALL)
    pin(pipeline, "b", first)
    pin(pipeline, "f", first)
    pipeline.draft["steps"]["a"]["parameters"] = {"value": 5}  # what is pinned does not follow a change above it
    pipeline.save()
    pinned = editor.post("/runs", {"pipeline": "line", "use_cache": False})
    assert sorted(go(pinned, {**ALL, "a": value(5), "d": value(2)})) == ["a", "c", "d"]
    told = ends(editor, pinned)
    assert told["b"] == ("skipped", "pinned") and told["f"] == ("skipped", "pinned")
    assert told["e"] == ("skipped", "only needed by what is pinned"), "nothing above a pinned step runs for the pin alone"
    given = {s["step"]: s["outputs"] for s in editor.get(f"/runs/{pinned['id']}")["step_runs"]}
    assert given["b"] == [o for s in editor.get(f"/runs/{first['id']}")["step_runs"] if s["step"] == "b" for o in s["outputs"]]
    assert "pin:" in editor.ask("GET", "/pipelines/line/yaml").content.decode()
    # Unpinned, the step runs again; what ran behind the pin has no name that this run could find.
    for one in pipeline.draft["steps"].values():
        one.pop("pin", None)
    pipeline.save()
    free = editor.post("/runs", {"pipeline": "line"})
    assert go(free, {**ALL, "b": value(9), "c": value({"score": {"value": 9}}, "Metrics", "metrics")}) == ["b", "c"]
    assert editor.get(f"/runs/{free['id']}")["metrics"] == {"score": 9.0}


@pytest.mark.parametrize(
    ("how", "words"),
    [("gone", "is not in this project"), ("kind", "which gave Metrics there"), ("bytes", "is not in the artifact store any more"),
     ("port", "gave nothing at"), ("fresh", "is pinned, so it does not run")],
)  # fmt: skip
def test_a_pin_that_cannot_be_taken_is_refused_where_it_is(editor: Person, pipeline: Pipeline, how: str, words: str) -> None:
    first = editor.post("/runs", {"pipeline": "line"})
    results = copy.deepcopy(ALL)
    if how == "kind":
        results["b"][0]["kind"] = "Metrics"
    if how == "bytes":
        results["b"][0]["inline"] = None
    go(first, results)
    found = pin(pipeline, "b", first, "c" if how == "port" else "b")
    if how == "gone":
        found["step_run"] = str(uuid.uuid4())
        pipeline.save()
    refused = editor.post("/runs", {"pipeline": "line", "fresh": ["b"] if how == "fresh" else []}, status=422)
    assert words in str(refused) and StepRun.objects.exclude(run=first["id"]).count() == 0
    if how != "fresh":
        problems = editor.post("/pipelines/check", pipeline.draft, status=200)["problems"]
        assert [p["step"] for p in problems if words in p["message"]] == ["b"], "the canvas shows it before anyone starts a run"
