"""Steps of user-written code on the real engine: worker, ledger, sandbox."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.workers.engine.studio import Studio, step, studio, until
from workers import catalog
from workers.engine.sandbox.inspect import inspect
from workers.sdk import graph as graphs
from workers.sdk.graph.code import Code, of_spec
from workers.sdk.graph.nested import of_graph

pytestmark = pytest.mark.timeout(600)
Json = dict[str, Any]
DOUBLE = '''def double(number: Recipe, *, by: Annotated[float, Field(description="How much more.")] = 2) -> Metrics:
    """Double a number"""
    context.log("doubling")
    print("aloud")
    context.progress(0.5, "half way")
    context.metric("series", 3, 1)
    return Metrics.of({"value": number.json()["value"] * by})
'''
LISTED = '''def total(numbers: list[Metrics]) -> Metrics:
    """Add up"""
    return Metrics.of({"value": sum(n.json()["value"] for n in numbers)})
'''
SPY = '''import os, socket, pathlib

def spy(number: Recipe) -> Metrics:
    """Look around"""
    try:
        context.current().client
        reached = "studio"
    except StepError as exc:
        reached = str(exc)
    try:
        socket.create_connection(("127.0.0.1", 9), 1)
        net = "open"
    except OSError as exc:
        net = "closed" if not isinstance(exc, ConnectionRefusedError) else "refused by the other end"
    seen = dict(os.environ)
    for entry in pathlib.Path("/proc").glob("[0-9]*/environ"):
        try:
            seen[str(entry)] = entry.read_text(errors="replace")
        except OSError:
            pass
    told = repr(seen)
    return Metrics.of({"reached": reached, "net": net, "seen": told[:8000]})
'''
BAD = '''def bad(number: Recipe) -> Metrics:
    """Divide"""
    nothing = number.json()["value"] * 0
    return Metrics.of({"value": 1 / nothing})
'''
ENDLESS = '''def endless(number: Recipe) -> Metrics:
    """Never ends"""
    print("begun")
    while True:
        pass
'''


@pytest.fixture(scope="module")
def lab() -> Iterator[Studio]:
    with studio() as made:
        made.worker(2)
        made.reaper()
        yield made


def code(name: str, text: str) -> Code:
    seen = inspect(text)
    assert seen.spec is not None, seen.problems
    return of_spec(f"code:{name}@1", text, seen.spec.model_dump())


def start(lab: Studio, steps: dict[str, Json], *written: Code, tell: bool = True, **pipelines: Json) -> Json:
    """Start a run that holds this code, as the studio does."""
    known: Json = {**catalog.load().components, **{one.name: one for one in written}}
    inner = {
        f"pipeline:{name}@1": of_graph(f"pipeline:{name}@1", name, "", graphs.normalise(graph), known) for name, graph in pipelines.items()
    }
    graph = graphs.normalise({"steps": steps})
    planned, inputs = graphs.plan(graph, {**known, **inner}, uuid.uuid4)
    run, _, _ = lab.plan({})
    run |= {
        "graph": {**graph, "code": {one.name: one.as_json() for one in written}, "pipelines": {n: p.as_json() for n, p in inner.items()}}
    }
    with lab.sql() as connection:
        answer: Json = connection.execute(
            "SELECT ledger_start(%s::jsonb, %s::jsonb, %s::jsonb, 32)", [json.dumps(x) for x in (run, planned, inputs)]
        ).fetchone()[0]  # type: ignore[index]  # it always answers
    if tell:
        lab.wake(answer["ready"])
    return {**answer, "id": run["id"]}


def errors(lab: Studio, run: str) -> Json:
    return {name: one["error"] for name, one in lab.steps(run).items()}


def use(name: str, source: str = "number", output: str = "recipe", port: str = "number", **parameters: Any) -> Json:
    return {"component": f"code:{name}@1", "parameters": parameters, "inputs": {port: [{"step": source, "output": output}]}}


def test_code_runs_as_a_step_with_its_log_its_charts_and_its_cache(lab: Studio) -> None:
    double = code("double", DOUBLE)
    graph = {"number": step("number", value=21), "twice": use("double"), "thrice": use("double", by=3, sandbox_minutes=5)}
    run = start(lab, graph, double)["id"]
    assert lab.wait(run)["status"] == "succeeded", errors(lab, run)
    assert (lab.value(run, "twice"), lab.value(run, "thrice")) == ({"value": 42}, {"value": 63})
    said = lab.lines(run, "twice")
    assert ("stdout", "", "aloud") in said and any(text == "doubling" for _, _, text in said)
    points = lab.query("SELECT name FROM runs_metricpoint m JOIN runs_steprun s ON s.id = m.step_run_id WHERE s.run_id = %s", run)
    assert ("series",) in points
    again = start(lab, graph, double, tell=False)
    assert again["status"] == "succeeded" and again["reused"] == 3, "its text, its form and its inputs are its key"
    other = code("double", DOUBLE.replace("* by", "* by + 1"))
    run = start(lab, graph, other)["id"]
    assert lab.wait(run)["status"] == "succeeded" and lab.value(run, "twice") == {"value": 43}


def test_code_is_mapped_gathered_and_inside_a_pipeline(lab: Studio) -> None:
    double, total = code("double", DOUBLE), code("total", LISTED)
    many = {**use("double"), "map": {"values": [{"by": n} for n in (1, 2, 3)]}}
    run = start(lab, {"number": step("number", value=10), "many": many, "sum": use("total", "many", "metrics", "numbers")}, double, total)[
        "id"
    ]
    assert lab.wait(run)["status"] == "succeeded", errors(lab, run)
    assert lab.value(run, "sum") == {"value": 60}
    inside = {
        "steps": {
            "n": step("number", value=4),
            "d": use("double", "n"),
            "out": step("pipeline_output", "d.metrics", port="value", name="result"),
        }
    }
    run = start(lab, {"sub": {"component": "pipeline:inner@1", "parameters": {}, "inputs": {}}}, double, inner=inside)["id"]
    assert lab.wait(run)["status"] == "succeeded", errors(lab, run)
    assert lab.value(run, "sub") == {"value": 8}


def test_code_reads_no_secret_and_has_no_network_and_no_token(lab: Studio) -> None:
    run = start(lab, {"number": step("number", value=1), "spy": use("spy")}, code("spy", SPY))["id"]
    assert lab.wait(run)["status"] == "succeeded", errors(lab, run)
    got = lab.value(run, "spy")
    assert got["net"] == "closed" and "do not reach the studio" in got["reached"]
    assert lab.env["SECRET_KEY"] not in json.dumps(got) and "hr_" not in json.dumps(got["seen"])
    tokens = lab.query("SELECT count(*) FROM core_apitoken WHERE step_run = %s", lab.steps(run)["spy"]["id"])
    assert tokens == [(0,)], "no token is made for code"


def test_a_failing_step_shows_the_writers_own_line(lab: Studio) -> None:
    run = start(lab, {"number": step("number", value=1), "bad": use("bad")}, code("bad", BAD))["id"]
    assert lab.wait(run)["status"] == "failed"
    error = lab.steps(run)["bad"]["error"]
    assert error["message"].startswith("ZeroDivisionError") and error["hint"] == "Line 4 of the code."
    assert 'File "step.py", line 4' in error["traceback"] and "1 / nothing" in error["traceback"]
    assert any('File "step.py", line 4' in text for _, _, text in lab.lines(run, "bad"))


def test_limits_of_the_form_and_cancelling_end_it(lab: Studio) -> None:
    endless = code("endless", ENDLESS)
    run = start(lab, {"number": step("number", value=1), "slow": use("endless", sandbox_minutes=0.05)}, endless)["id"]
    assert lab.wait(run)["status"] == "failed" and lab.steps(run)["slow"]["error"]["code"] == "timeout"
    run = start(lab, {"number": step("number", value=1), "slow": use("endless", sandbox_minutes=60)}, endless)["id"]
    until(lambda: any(text == "begun" for _, _, text in lab.lines(run, "slow")), 60)
    lab.query("SELECT ledger_cancel(%s)", run)
    assert lab.wait(run)["status"] == "cancelled"
    run = start(lab, {"number": step("number", value=1), "wrong": use("endless", sandbox_minutes=-1)}, endless)["id"]
    assert lab.wait(run)["status"] == "failed" and lab.steps(run)["wrong"]["error"]["code"] == "bad_parameter"
