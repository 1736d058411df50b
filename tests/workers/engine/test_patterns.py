"""Shards, rounds, branches, people, compensations and pipelines in pipelines, on the real engine."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.workers.engine.studio import Studio, step, studio, until
from workers import catalog
from workers.sdk import graph as graphs
from workers.sdk.graph.nested import of_graph

Json = dict[str, Any]


@pytest.fixture(scope="module")
def lab() -> Iterator[Studio]:
    with studio() as made:
        made.worker(2)
        made.reaper()
        yield made


def listed(lab: Studio, run: str, name: str) -> list[float]:
    """The numbers in a list that a mapped step gave."""
    return [item["inline"]["value"] for item in lab.value(run, name)["items"]]


def shards(lab: Studio, run: str, name: str) -> dict[int, Json]:
    return {s["shard"]: s for s in lab.steps(run).values() if s["step"].startswith(f"{name}[")}


def test_settings_become_shards_and_are_gathered_in_their_order(lab: Studio) -> None:
    run = lab.start({
        "base": step("number", value=1),
        "many": {**step("add", "base"), "map": {"values": [{"plus": n} for n in range(40)], "at_once": 3}},
        "sum": step("add", "many"),
    })["id"]  # fmt: skip
    assert lab.wait(run)["status"] == "succeeded"
    assert listed(lab, run, "many") == [1 + n for n in range(40)]
    assert lab.value(run, "sum") == {"value": sum(1 + n for n in range(40))}
    parts = shards(lab, run, "many")
    assert len(parts) == 40 and all(p["attempt"] == 1 and p["status"] == "succeeded" for p in parts.values())
    assert lab.run(run)["steps_total"] == lab.run(run)["steps_done"] == 3
    again = lab.start({
        "base": step("number", value=1),
        "many": {**step("add", "base"), "map": {"values": [{"plus": n} for n in range(40)], "at_once": 3}},
        "sum": step("add", "many"),
    }, tell=False)  # fmt: skip
    assert again["status"] == "succeeded" and again["reused"] == 3, "a mapped step is found in the cache like any other"


def test_no_more_shards_run_at_once_than_are_allowed(lab: Studio) -> None:
    folder = lab.marks / "few"
    folder.mkdir()
    run = lab.start({
        "many": {**step("mark", folder=str(folder), seconds=0.1), "map": {"values": [{"name": f"m{n}"} for n in range(6)], "at_once": 1}},
    })["id"]  # fmt: skip
    assert lab.wait(run)["status"] == "succeeded"
    begun = sorted(int(p.name.split(".")[2]) for p in folder.glob("*.begun.*"))
    done = sorted(int(p.name.split(".")[2]) for p in folder.glob("*.done.*"))
    assert len(begun) == len(done) == 6
    assert all(b >= d for b, d in zip(begun[1:], done, strict=False)), "a shard began before the one before it had ended"


def test_a_failed_shard_fails_the_step_by_its_policy_and_alone_runs_again(lab: Studio) -> None:
    folder = lab.marks / "policy"
    folder.mkdir()

    def graph(policy: str | int) -> dict[str, Json]:
        values = [{"times": 0}, {"times": 10**6}, {"times": 0}]
        return {"many": {**step("fail", folder=str(folder)), "map": {"values": values, "policy": policy}}, "sum": step("add", "many")}

    strict = lab.start(graph("all"))["id"]
    ended = lab.wait(strict)
    assert ended["status"] == "failed" and "1 of 3 shards failed. Shard 1: RuntimeError: failure" in ended["error"]["message"]
    assert lab.steps(strict)["sum"]["skip_reason"] == "upstream failed"
    lenient = lab.start(graph(2))["id"]
    assert lab.wait(lenient)["status"] == "succeeded" and len(listed(lab, lenient, "many")) == 2
    # Cacheable shards that succeeded are found again; only the failed one runs.
    values = [{"value": 4}, {"value": "no number"}, {"value": 6}]
    first = lab.start({"many": {**step("number"), "map": {"values": values}}})["id"]
    assert lab.wait(first)["status"] == "failed"
    values[1] = {"value": 5}
    second = lab.start({"many": {**step("number"), "map": {"values": values}}})["id"]
    assert lab.wait(second)["status"] == "succeeded" and listed(lab, second, "many") == [4, 5, 6]
    assert [p["status"] for _, p in sorted(shards(lab, second, "many").items())] == ["skipped", "succeeded", "skipped"]


def test_rounds_carry_their_result_on_until_the_condition_holds(lab: Studio) -> None:
    run = lab.start({
        "start": step("number", value=1000),
        "half": {**step("halve", "start"), "repeat": {"at_most": 50, "until": "round >= 3", "carry": {"whole": "recipe"}}},
        "end": step("add", "half"),
    })["id"]  # fmt: skip
    assert lab.wait(run)["status"] == "succeeded"
    assert lab.value(run, "half") == {"value": 125} and lab.value(run, "end") == {"value": 125}
    assert sorted(s["shard"] for s in shards(lab, run, "half").values()) == [1, 2, 3]
    wrong = lab.start({"half": {**step("number", value=1), "repeat": {"at_most": 5, "until": "accuracy > 1"}}})["id"]
    assert "accuracy" in lab.wait(wrong)["error"]["message"]


def test_only_the_branch_that_holds_runs_and_the_run_goes_on_where_they_meet(lab: Studio) -> None:
    run = lab.start({
        "number": step("number", value=7),
        "score": step("score", "number"),
        "is_high": {"component": "condition", "parameters": {"when": "score > 5"},
                    "inputs": {"value": [{"step": "number", "output": "recipe"}], "metrics": [{"step": "score", "output": "metrics"}]}},
        "high": step("add", "is_high.then", plus=100),
        "low": step("add", "is_high.otherwise", plus=-100),
        "lower": step("halve", "low"),
        "after": step("first_of", "lower", "high", port="branches"),
        "end": step("halve", "after.artifact"),
    })["id"]  # fmt: skip
    assert lab.wait(run)["status"] == "succeeded"
    steps = lab.steps(run)
    assert {n: (s["status"], s["skip_reason"]) for n, s in steps.items() if s["status"] == "skipped"} == {
        "low": ("skipped", "branch not taken"), "lower": ("skipped", "branch not taken"),
    }  # fmt: skip
    assert lab.value(run, "end") == {"value": 53}


def test_a_run_waits_for_a_person_without_a_worker_and_goes_on_with_the_answer(lab: Studio) -> None:
    graph = {
        "number": step("number", value=7),
        "ask": {
            "component": "approval",
            "parameters": {"question": "Go on?"},
            "inputs": {"value": [{"step": "number", "output": "recipe"}]},
        },
        "yes": step("add", "ask.approved", plus=1),
        "no": step("add", "ask.rejected", plus=2),
    }
    run = lab.start(graph)["id"]
    until(lambda: lab.run(run)["status"] == "waiting", 20, lambda: f"{lab.run(run)} {lab.steps(run)['ask']}")
    asked = lab.steps(run)["ask"]
    assert asked["status"] == "waiting" and asked["worker"] == "" and asked["state"]["question"]["question"] == "Go on?"
    ((answer,),) = lab.query(
        "SELECT ledger_decide(%s, %s::jsonb, false)", asked["id"], json.dumps({"answer": "approve", "name": "Ann", "values": {}})
    )
    lab.wake(answer["ready"])
    assert lab.wait(run)["status"] == "succeeded" and lab.value(run, "yes") == {"value": 8}
    assert lab.steps(run)["no"]["skip_reason"] == "branch not taken"
    ((twice,),) = lab.query("SELECT ledger_decide(%s, '{}'::jsonb, false)", asked["id"])
    assert twice["ok"] is False
    graph["ask"]["parameters"] |= {"deadline_hours": 0.0003, "at_deadline": "reject"}
    late = lab.start(graph)["id"]
    assert lab.wait(late)["status"] == "succeeded" and lab.value(late, "no") == {"value": 9}, "the deadline decides when nobody does"
    left = lab.start({**graph, "ask": {**graph["ask"], "parameters": {"question": "Still?"}}})["id"]
    until(lambda: lab.run(left)["status"] == "waiting", 20)
    lab.query("SELECT ledger_cancel(%s)", left)
    assert lab.run(left)["status"] == "cancelled"


def test_what_succeeded_is_undone_in_reverse_when_the_run_fails(lab: Studio) -> None:
    folder = lab.marks / "undo"
    folder.mkdir()

    def done(name: str, *after: str) -> Json:
        put_right = {"component": "mark", "parameters": {"folder": str(folder), "name": f"undo-{name}"}}
        return {**step("mark", *after, folder=str(folder), name=name), "undo": put_right}

    for broken in ({"mistake": True}, {"folder": str(lab.marks), "times": 10**6}):
        for file in folder.glob("*"):
            file.unlink()
        run = lab.start({"a": done("a"), "b": done("b", "a"), "c": step("fail", "b", **broken), "d": done("d", "c")})["id"]
        assert lab.wait(run)["status"] == "failed"
        order = [p.name.partition(".")[0] for p in sorted(folder.glob("*.begun.*"), key=lambda p: int(p.name.split(".")[2]))]
        assert order == ["a", "b", "undo-b", "undo-a"]
        steps = lab.steps(run)
        assert steps["b~undo"]["undoes_id"] == steps["b"]["id"] and steps["a~undo"]["status"] == "succeeded"
        assert lab.run(run)["steps_done"] == lab.run(run)["steps_total"] == 6


def test_a_cancelled_run_undoes_too_and_a_compensation_that_fails_does_not_stop_the_others(lab: Studio) -> None:
    folder = lab.marks / "cancelled"
    folder.mkdir()
    put_right = {"component": "mark", "parameters": {"folder": str(folder), "name": "undone"}}
    run = lab.start({
        "a": {**step("mark", folder=str(folder), name="a"), "undo": put_right},
        "b": {**step("nothing", "a"), "undo": {"component": "fail", "parameters": {"mistake": True}}},
        "c": step("mark", "b", folder=str(folder), name="c", seconds=60),
    })["id"]  # fmt: skip
    until(lambda: list(folder.glob("c.begun.*")), 20)
    lab.query("SELECT ledger_cancel(%s)", run)
    assert lab.wait(run)["status"] == "cancelled"
    steps = lab.steps(run)
    assert steps["b~undo"]["status"] == "failed" and steps["a~undo"]["status"] == "succeeded" and list(folder.glob("undone.done.*"))


def inner() -> graphs.Graph:
    """halve (what comes in + `more`), out as `result`; alone it runs on 10."""
    return graphs.normalise({
        "parameters": {"more": {"type": "number", "default": 0}},
        "steps": {
            "ten": step("number", value=10),
            "into": step("pipeline_input", "ten", port="default", name="whole", kind="Recipe"),
            "plus": {**step("add", "into.artifact"), "parameters": {"plus": {"$parameter": "more"}}},
            "half": step("halve", "plus"),
            "out": step("pipeline_output", "half", port="value", name="result"),
        },
    })  # fmt: skip


def nested_start(lab: Studio, steps: dict[str, Json], **options: Any) -> str:
    """Start a run with the pipeline `pipeline:inner@1`, as the studio does."""
    known = catalog.load().components
    one = of_graph("pipeline:inner@1", "Inner", "", inner(), known)
    graph = graphs.normalise({"steps": steps})
    planned, inputs = graphs.plan(graph, {**known, one.name: one}, uuid.uuid4)
    run, _, _ = lab.plan({})
    run |= {"graph": {**graph, "pipelines": {one.name: one.as_json()}}, **options}
    with lab.sql() as connection:
        answer = connection.execute(
            "SELECT ledger_start(%s::jsonb, %s::jsonb, %s::jsonb, 32)", [json.dumps(x) for x in (run, planned, inputs)]
        ).fetchone()[0]
    lab.wake(answer["ready"])
    return str(run["id"])


def test_a_pipeline_runs_as_a_step_of_another_mapped_and_repeated_too(lab: Studio) -> None:
    use = {"component": "pipeline:inner@1", "parameters": {"more": 2}, "inputs": {"whole": [{"step": "number", "output": "recipe"}]}}
    run = nested_start(lab, {"number": step("number", value=40), "sub": use, "end": step("add", "sub.result", plus=1)})
    assert lab.wait(run)["status"] == "succeeded" and lab.value(run, "end") == {"value": 22}
    inside = {n: s for n, s in lab.steps(run).items() if n.startswith("sub.")}
    assert set(inside) == {"sub.plus", "sub.half"}, "what only feeds a replaced input does not run, nor do the ports themselves"
    assert lab.run(run)["steps_total"] == 3
    mapped = {**use, "map": {"values": [{"more": n} for n in (0, 10, 20)]}}
    run = nested_start(lab, {"number": step("number", value=40), "sub": mapped, "end": step("add", "sub.result")})
    assert lab.wait(run)["status"] == "succeeded" and listed(lab, run, "sub") == [20, 25, 30]
    rounds = {**use, "repeat": {"at_most": 3, "carry": {"whole": "result"}}}
    run = nested_start(lab, {"number": step("number", value=40), "sub": rounds})
    assert lab.wait(run)["status"] == "succeeded" and lab.value(run, "sub") == {"value": 6}  # 40→21→11→6


def test_cancelling_ends_a_mapped_step_with_all_its_shards(lab: Studio) -> None:
    folder = lab.marks / "stop"
    folder.mkdir()
    run = lab.start({
        "many": {**step("mark", folder=str(folder), seconds=60), "map": {"values": [{"name": f"m{n}"} for n in range(50)]}},
        "sum": step("add", "many"),
    })["id"]  # fmt: skip
    until(lambda: list(folder.glob("*.begun.*")), 20)
    lab.query("SELECT ledger_cancel(%s)", run)
    assert lab.wait(run)["status"] == "cancelled"
    assert {s["status"] for s in lab.steps(run).values()} == {"cancelled"} and not list(folder.glob("*.done.*"))


def test_only_the_named_classes_of_error_are_tried_again(lab: Studio) -> None:
    for classes, attempts in ((["timeout"], 1), (["crash"], 3)):
        run = lab.start({"a": {**step("fail", times=10**6, folder=str(lab.marks)), "retries": 2, "retry_on": classes}})["id"]
        assert lab.wait(run)["status"] == "failed" and lab.steps(run)["a"]["attempt"] == attempts
