"""Starting, continuing and answering runs over HTTP: parameters of a pipeline, parts of it, what is taken over, who may decide."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail as outbox

from backend.core import mail
from backend.core.models import AuditEntry, Project
from backend.pipelines.models import Pipeline
from backend.runs.models import StepRun
from backend.runs.tasks import asked
from tests.backend.people import Person, person
from tests.backend.runs.test_runs import RESULTS, claim, fail, finish, go, sql, step_run, value
from tests.workers.engine.studio import step

Json = dict[str, Any]
DIAMOND = {
    "a": step("number", value=3), "b": step("add", "a", plus=4), "c": step("score", "b"), "d": step("mark", "b", folder="/tmp", name="d"),
}  # fmt: skip


def made(project: Project, graph: Json, slug: str = "line") -> Pipeline:
    return Pipeline.objects.create(project=project, slug=slug, name=slug.capitalize(), draft=graph)


def statuses(editor: Person, run: Json) -> dict[str, tuple[str, str]]:
    return {s["step"]: (s["status"], s["skip_reason"]) for s in editor.get(f"/runs/{run['id']}")["step_runs"]}


def test_a_pipelines_own_parameters_are_filled_in_at_the_start_and_refused_by_name(editor: Person, project: Project) -> None:
    graph = {
        "parameters": {"plus": {"type": "number", "maximum": 10}, "note": {"type": "string", "default": "fine"}},
        "steps": {"a": step("number", value=3), "b": step("add", "a", plus={"$parameter": "plus"}, note={"$parameter": "note"})},
    }
    made(project, graph)
    refused = editor.post("/runs", {"pipeline": "line", "values": {"plus": 11, "colour": "red"}}, status=422)["error"]
    assert [p["field"] for p in refused["problems"]] == ["values.colour", "values.plus"]
    assert "needs a value" in editor.post("/runs", {"pipeline": "line"}, status=422)["error"]["problems"][0]["message"]
    run = editor.post("/runs", {"pipeline": "line", "values": {"plus": 4}})
    assert run["values"] == {"plus": 4, "note": "fine"} and step_run(run, "b").parameters == {"plus": 4, "note": "fine"}
    again = editor.post(f"/runs/{run['id']}/rerun", {"values": {"plus": 5}})
    assert again["values"] == {"plus": 5, "note": "fine"} and step_run(again, "b").parameters["plus"] == 5


def test_only_a_part_runs_and_what_must_be_fresh_runs_in_any_case(editor: Person, project: Project) -> None:
    made(project, {"steps": DIAMOND})
    part = editor.post("/runs", {"pipeline": "line", "until": ["b"]})
    assert [s["step"] for s in part["step_runs"]] == ["a", "b"]
    assert go(part, RESULTS) == ["a", "b"]
    again = editor.post("/runs", {"pipeline": "line", "until": ["c"], "fresh": ["b"]})
    assert statuses(editor, again) == {"a": ("skipped", "cached"), "b": ("queued", ""), "c": ("queued", "")}
    wrong = editor.post("/runs", {"pipeline": "line", "until": ["z"]}, status=422)["error"]
    assert wrong["field"] == "until" and "a, b, c, d" in wrong["hint"]


def test_a_failed_run_is_continued_with_what_is_unaffected_taken_over(editor: Person, project: Project) -> None:
    made(project, {"steps": {**DIAMOND, "e": step("mark", "d", folder="/tmp", name="e")}})
    first = editor.post("/runs", {"pipeline": "line"})
    answer = claim(step_run(first, "a").pk)
    answer = finish(answer["next"], RESULTS["a"])
    answer = finish(answer["next"], RESULTS["b"])
    for _ in range(2):
        name = answer["next"]["step"]
        answer = fail(answer["next"], retry=False) if name == "c" else finish(answer["next"], value(1))
    assert answer["next"]["step"] == "e"
    fail(answer["next"], retry=False)
    assert editor.get(f"/runs/{first['id']}")["status"] == "failed"
    plain = editor.post(f"/runs/{first['id']}/rerun", {})
    assert statuses(editor, plain)["d"] == ("queued", ""), "what changes the world outside runs again in a run that is not continued"
    on = editor.post(f"/runs/{first['id']}/rerun", {"reuse": True})
    assert statuses(editor, on) == {
        "a": ("skipped", "reused"), "b": ("skipped", "reused"), "c": ("queued", ""), "d": ("skipped", "reused"), "e": ("queued", ""),
    }  # fmt: skip
    assert len(StepRun.objects.get(run=on["id"], step="d").outputs.all()) == 1
    changed = editor.post(f"/runs/{first['id']}/rerun", {"reuse": True, "parameters": {"b": {"plus": 5}}})
    assert statuses(editor, changed) == {
        "a": ("skipped", "reused"), "b": ("queued", ""), "c": ("queued", ""), "d": ("queued", ""), "e": ("queued", ""),
    }  # fmt: skip


def test_what_was_put_right_after_a_failure_is_done_again_when_the_run_goes_on(editor: Person, project: Project) -> None:
    mark = {"component": "mark", "parameters": {"folder": "/tmp", "name": "undone"}}
    made(project, {"steps": {
        "a": step("number", value=3), "told": {**step("mark", "a", folder="/tmp", name="told"), "undo": mark}, "b": step("add", "a"),
    }})  # fmt: skip
    run = editor.post("/runs", {"pipeline": "line"})
    answer = finish(claim(step_run(run, "a").pk)["next"], RESULTS["a"], take=False)
    assert {r["id"] for r in answer["ready"]} == {str(step_run(run, "told").pk), str(step_run(run, "b").pk)}
    finish(claim(step_run(run, "told").pk)["next"], value(1), take=False)
    fail(claim(step_run(run, "b").pk)["next"], retry=False, take=False)
    finish(claim(step_run(run, "told~undo").pk)["next"], value(1), take=False)
    assert statuses(editor, run)["told"] == ("succeeded", "") and editor.get(f"/runs/{run['id']}")["status"] == "failed"
    on = editor.post(f"/runs/{run['id']}/rerun", {"reuse": True})
    assert statuses(editor, on) == {"a": ("skipped", "reused"), "told": ("queued", ""), "b": ("queued", "")}


def test_the_right_people_are_asked_and_the_first_answer_counts(
    editor: Person, project: Project, django_capture_on_commit_callbacks: Any
) -> None:
    operator, reviewer, viewer = (person(project, role) for role in ("operator", "reviewer", "viewer"))
    fields = [{"name": "threshold", "type": "number", "value": "0.5"}]
    parameters = {"question": "Deploy it?", "role": "operator", "fields": fields}
    made(project, {"steps": {
        "a": step("number", value=3), "ask": step("approval", "a", port="value", **parameters),
    }})  # fmt: skip
    run = editor.post("/runs", {"pipeline": "line"})
    answer = finish(claim(step_run(run, "a").pk)["next"], RESULTS["a"], take=False)
    claimed = claim(answer["ready"][0]["id"])["next"]
    question = {"question": "Deploy it?", "role": "operator", "people": [], "fields": fields, "at_deadline": "reject", "metrics": None}
    sql("ledger_suspend(%s::uuid, %s::int, 'w', %s::jsonb, '[]'::jsonb, '[]'::jsonb, 1, true, NULL, false, 1)",
        claimed["id"], claimed["attempt"], {"question": question})  # fmt: skip
    here = editor.get(f"/runs/{run['id']}")
    assert here["status"] == "waiting" and here["step_runs"][1]["question"]["fields"] == fields
    with django_capture_on_commit_callbacks(execute=True):
        asked(claimed["id"])
    mail.wait()
    assert [m.to for m in outbox.outbox] == [[operator.user.email]] and f"/runs/{run['id']}" in outbox.outbox[0].body
    assert [a["step"] for a in operator.get("/approvals")] == ["ask"] and reviewer.get("/approvals") == editor.get("/approvals") == []
    path = f"/runs/{run['id']}/steps/ask/decision"
    assert "operator" in reviewer.post(path, {"answer": "approve"}, status=403)["error"]["message"]
    viewer.post(path, {"answer": "approve"}, status=403)
    wrong = operator.post(path, {"answer": "approve", "values": {"threshold": "high"}}, status=422)["error"]
    assert wrong["field"] == "values.threshold"
    told = operator.post(path, {"answer": "approve", "values": {"threshold": 0.7}, "comment": "Good."}, status=200)
    assert told["status"] == "queued" and told["decision"]["values"] == {"threshold": 0.7}
    assert "does not wait" in operator.post(path, {"answer": "reject"}, status=409)["error"]["message"]
    assert AuditEntry.objects.get(action="run.decide").details["answer"] == "approve"
    assert claim(claimed["id"])["next"]["state"]["decision"]["name"], "the worker finds the answer"


def test_a_published_pipeline_is_a_step_of_another_and_its_snapshot_goes_with_the_run(editor: Person, project: Project) -> None:
    inner = {
        "parameters": {"more": {"type": "number", "default": 0}},
        "steps": {
            "into": step("pipeline_input", name="whole", kind="Recipe"),
            "plus": step("add", "into.artifact", plus={"$parameter": "more"}),
            "out": step("pipeline_output", "plus", port="value", name="result"),
        },
    }
    made(project, inner, "inner")
    editor.post("/pipelines/inner/publish", {})
    offered = {c["name"]: c for c in editor.get("/catalog")["components"]}["pipeline:inner@1"]
    assert [(p["name"], p["kind"], p["required"]) for p in offered["inputs"]] == [("whole", "Recipe", True)]
    assert [(p["name"], p["kind"]) for p in offered["outputs"]] == [("result", "Recipe")]
    assert list(offered["parameters"]["properties"]) == ["more"]
    use = {"component": "pipeline:inner@1", "parameters": {"more": 2}, "inputs": {"whole": [{"step": "a", "output": "recipe"}]}}
    made(project, {"steps": {"a": step("number", value=3), "sub": use, "end": step("add", "sub.result")}})
    run = editor.post("/runs", {"pipeline": "line"})
    found = sql("ledger_pipeline(%s::uuid, %s)", run["id"], "pipeline:inner@1")
    assert set(found["graph"]["steps"]) == {"into", "plus", "out"}
    broken = {"steps": {"sub": {**use, "component": "pipeline:inner@7", "inputs": {}}}}
    problems = editor.post("/pipelines/check", broken, status=200)["problems"]
    assert problems[0]["code"] == "unknown_component" and "palette" in problems[0]["hint"]
    wired = {
        "steps": {
            "t": step("score", "n"),
            "n": step("number", value=1),
            "sub": {**use, "inputs": {"whole": [{"step": "t", "output": "metrics"}]}},
        }
    }
    assert [p["code"] for p in editor.post("/pipelines/check", wired, status=200)["problems"]] == ["kind_mismatch"]


@pytest.mark.parametrize(
    ("flow", "code"),
    [
        ({"map": {"port": "nowhere"}}, "unknown_port"),
        ({"map": {"values": [{"plus": "many"}]}}, "bad_parameter"),
        ({"map": {"values": [{"colour": 1}]}}, "unknown_parameter"),
        ({"map": {"values": [{"plus": 1}], "policy": 2}}, "bad_policy"),
        ({"repeat": {"at_most": 3, "until": "accuracy >"}}, "bad_condition"),
        ({"repeat": {"at_most": 3, "carry": {"first": "nothing"}}}, "unknown_output"),
        ({"undo": {"component": "no_such"}}, "unknown_component"),
        ({"undo": {"component": "halve"}}, "missing_input"),
    ],
)
def test_what_is_wrong_with_how_a_step_is_run_is_told_beside_it(editor: Person, flow: Json, code: str) -> None:
    graph = {"steps": {"a": step("number", value=3), "b": {**step("add", "a"), **flow}}}
    problems = editor.post("/pipelines/check", graph, status=200)["problems"]
    assert [(p["code"], p["step"]) for p in problems] == [(code, "b")]


def test_a_list_does_not_fit_an_input_that_takes_one(editor: Person) -> None:
    many = {**step("add", "a"), "map": {"values": [{"plus": 1}, {"plus": 2}]}}
    graph = {"steps": {"a": step("number", value=3), "b": many, "c": step("halve", "b"), "d": step("add", "b")}}
    problems = editor.post("/pipelines/check", graph, status=200)["problems"]
    assert [(p["code"], p["step"]) for p in problems] == [("list_to_one", "c")]
    graph["steps"]["c"] = {**step("halve", "b"), "map": {"port": "whole"}}
    assert editor.post("/pipelines/check", graph, status=200)["problems"] == []
