"""Runs over HTTP: what starting refuses, what a page of a run costs, what a client that was away is told."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.core.models import ApiToken, AuditEntry, Project
from backend.pipelines.models import Pipeline
from backend.runs.models import LogLine, MetricPoint, Run, StepRun
from tests.backend.people import Person
from tests.workers.engine.studio import step

Json = dict[str, Any]
CHAIN = {"a": step("number", value=3), "b": step("add", "a", plus=4), "c": step("score", "b")}


@pytest.fixture
def pipeline(project: Project) -> Pipeline:
    return Pipeline.objects.create(project=project, slug="line", name="Line", draft={"steps": CHAIN})


def sql(function: str, *arguments: Any) -> Any:
    """Call a ledger function as a worker does."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}", [json.dumps(a) if isinstance(a, dict | list) else a for a in arguments])
        found = cursor.fetchone()[0]
    return json.loads(found) if isinstance(found, str) else found


def value(of: Any, kind: str = "Recipe", port: str = "recipe") -> list[Json]:
    body = {"value": of} if kind == "Recipe" else {"values": of}
    digest = uuid.uuid5(uuid.NAMESPACE_OID, json.dumps([kind, body])).hex * 2
    return [{"port": port, "kind": kind, "digest": digest, "size": 9, "media_type": "application/json", "inline": body, "metadata": {}}]


def claim(step_run: Any, worker: str = "w") -> Json:
    return sql("ledger_claim(%s::uuid, %s)", str(step_run), worker)


def finish(claimed: Json, outputs: list[Json], worker: str = "w", take: bool = True) -> Json:
    return sql("ledger_finish(%s::uuid, %s::int, %s, %s::jsonb, %s, 32)", claimed["id"], claimed["attempt"], worker, outputs, take)


def fail(claimed: Json, outcome: str = "failed", worker: str = "w", retry: bool = True, pause: float = 0, take: bool = True) -> Json:
    error = {"code": "crash", "message": "no", "hint": "", "traceback": ""}
    return sql("ledger_fail(%s::uuid, %s::int, %s, %s, %s::jsonb, %s, %s::float8, 3, %s, 32)",
               claimed["id"], claimed["attempt"], worker, outcome, error, retry, pause, take)  # fmt: skip


def step_run(run: Json, key: str) -> StepRun:
    return StepRun.objects.get(run=run["id"], step=key)


def go(run: Json, results: dict[str, list[Json]]) -> list[str]:
    """Run what is ready to its end, as one worker would; gives the steps in the order in which they ran."""
    order = []
    for ready in StepRun.objects.filter(run=run["id"], status="queued", blocked_by=0).order_by("position"):
        answer = claim(ready.pk)
        while answer["next"] is not None:
            order.append(answer["next"]["step"])
            answer = finish(answer["next"], results[answer["next"]["step"]])
    return order


RESULTS = {"a": value(3), "b": value(7), "c": value({"score": {"value": 7}}, "Metrics", "metrics")}


def test_a_draft_runs_through_the_ledger_and_its_page_tells_everything(editor: Person, pipeline: Pipeline) -> None:
    run = editor.post("/runs", {"pipeline": "line", "name": "first"})
    assert (run["status"], run["number"], run["pipeline_version"], run["steps_total"]) == ("queued", 1, 1, 3)
    assert [s["status"] for s in run["step_runs"]] == ["queued"] * 3
    assert go(run, RESULTS) == ["a", "b", "c"]
    after = editor.get(f"/runs/{run['id']}")
    assert (after["status"], after["steps_done"], after["metrics"]) == ("succeeded", 3, {"score": 7.0})
    assert [s["outputs"][0]["artifact"]["kind"] for s in after["step_runs"]] == ["Recipe", "Recipe", "Metrics"]
    missed = editor.get(f"/runs/{run['id']}/events?after={run['last_event']}")
    told = [(e["type"], e.get("step"), e["status"]) for e in missed["events"]]
    assert told == [
        ("step_run_changed", "a", "running"), ("run_changed", None, "running"), ("step_run_changed", "a", "succeeded"),
        ("step_run_changed", "b", "running"),
        ("step_run_changed", "b", "succeeded"), ("step_run_changed", "c", "running"), ("step_run_changed", "c", "succeeded"),
        ("run_changed", None, "succeeded"),
    ]  # fmt: skip
    assert missed["last"] == after["last_event"]
    assert editor.get("/runs?sort=-metric:score")["items"][0]["id"] == run["id"]
    assert AuditEntry.objects.filter(action="run.start", target_id=run["id"]).count() == 1


def test_the_same_graph_again_takes_everything_from_the_cache_at_once(editor: Person, pipeline: Pipeline) -> None:
    go(editor.post("/runs", {"pipeline": "line"}), RESULTS)
    again = editor.post("/runs", {"pipeline": "line"})
    assert (again["status"], again["pipeline_version"], again["metrics"]) == ("succeeded", 1, {"score": 7.0})
    assert [(s["status"], s["skip_reason"], len(s["outputs"])) for s in again["step_runs"]] == [("skipped", "cached", 1)] * 3
    without = editor.post("/runs", {"pipeline": "line", "use_cache": False})
    assert [s["status"] for s in without["step_runs"]] == ["queued"] * 3


def test_a_changed_step_that_gives_the_same_result_lets_what_follows_be_reused(editor: Person, pipeline: Pipeline) -> None:
    first = editor.post("/runs", {"pipeline": "line"})
    go(first, RESULTS)
    changed = editor.post(f"/runs/{first['id']}/rerun", {"parameters": {"a": {"value": 4}}})
    assert changed["rerun_of"] == first["id"] and changed["parameters"] == {"a": {"value": 4}}
    assert go(changed, {**RESULTS, "a": value(3)}) == ["a"]
    after = editor.get(f"/runs/{changed['id']}")
    assert [(s["status"], s["skip_reason"]) for s in after["step_runs"]] == [
        ("succeeded", ""),
        ("skipped", "cached"),
        ("skipped", "cached"),
    ]
    assert (after["status"], after["metrics"]) == ("succeeded", {"score": 7.0})


def test_a_zombie_changes_nothing(editor: Person, pipeline: Pipeline) -> None:
    run = editor.post("/runs", {"pipeline": "line"})
    old = claim(step_run(run, "a").pk, "zombie")["next"]
    assert fail(old, "lost", "", take=False)["outcome"] == "queued"
    new = claim(step_run(run, "a").pk, "living")["next"]
    assert new["attempt"] == old["attempt"] + 1
    before = list(StepRun.objects.values()), LogLine.objects.count(), Run.objects.values("status", "steps_done").get()
    assert not finish(old, value(666), "zombie")["ok"]
    assert not fail(old, "failed", "zombie")["ok"]
    beat = sql(
        "ledger_beat(%s::uuid, %s, 0.9, 'boo', 1, ARRAY[now()], ARRAY['log'], ARRAY[''], ARRAY['boo'], '{}', '{}', '{}', '{}')",
        old["id"],
        old["attempt"],
    )
    assert not beat["ok"]
    assert not sql("ledger_grant(%s::uuid, %s, 'hash', 'hr_', 1)", old["id"], old["attempt"])
    assert (list(StepRun.objects.values()), LogLine.objects.count(), Run.objects.values("status", "steps_done").get()) == before
    assert ApiToken.objects.filter(step_run=old["id"]).count() == 0
    assert finish(new, value(3), "living")["ok"]


def test_asking_again_after_a_lost_answer_gives_the_first_answer(editor: Person, pipeline: Pipeline) -> None:
    run = editor.post("/runs", {"pipeline": "line"})
    first = claim(step_run(run, "a").pk)["next"]
    assert claim(step_run(run, "a").pk)["next"] == first
    answer = finish(first, value(3))
    again = finish(first, value(3))
    assert again["ok"] and again["next"] == answer["next"] and again["next"]["step"] == "b"
    assert step_run(run, "b").attempt == 1


def test_a_failure_takes_only_what_needs_it_and_other_branches_go_on(editor: Person, project: Project) -> None:
    graph = {
        "a": step("number"),
        "bad": step("add", "a", plus=1),
        "worse": step("add", "bad"),
        "good": step("add", "a", plus=2),
        "end": step("add", "good"),
    }
    Pipeline.objects.create(project=project, slug="fork", name="Fork", draft={"steps": graph})
    run = editor.post("/runs", {"pipeline": "fork"})
    a = claim(step_run(run, "a").pk)["next"]
    answer = finish(a, value(0))
    order = []
    while answer["next"] is not None:
        order.append(answer["next"]["step"])
        answer = fail(answer["next"]) if answer["next"]["step"] == "bad" else finish(answer["next"], value(order[-1]))
    assert sorted(order) == ["bad", "end", "good"]
    after = editor.get(f"/runs/{run['id']}")
    assert after["status"] == "failed" and after["error"]["message"] == "no"
    assert {s["step"]: (s["status"], s["skip_reason"]) for s in after["step_runs"]} == {
        "a": ("succeeded", ""), "bad": ("failed", ""), "worse": ("skipped", "upstream failed"), "good": ("succeeded", ""),
        "end": ("succeeded", ""),
    }  # fmt: skip


def test_retries_pause_longer_each_time_and_end(editor: Person, project: Project) -> None:
    Pipeline.objects.create(project=project, slug="again", name="Again", draft={"steps": {"a": {**step("number"), "retries": 2}}})
    run = editor.post("/runs", {"pipeline": "again"})
    pauses = []
    for expected in ("queued", "queued", "failed"):
        StepRun.objects.filter(run=run["id"]).update(ready_at="2020-01-01T00:00:00Z")
        claimed = claim(step_run(run, "a").pk)["next"]
        assert fail(claimed, pause=10, take=False)["outcome"] == expected
        now = step_run(run, "a")
        pauses.append((now.ready_at - now.started_at).total_seconds())  # type: ignore[operator]
    assert 9 < pauses[0] < 15 and 19 < pauses[1] < 25
    assert [a["status"] for a in editor.get(f"/runs/{run['id']}/steps/a/attempts")] == ["failed"] * 3
    assert editor.get(f"/runs/{run['id']}")["status"] == "failed"


def test_cancel_ends_what_waits_and_tells_what_runs(editor: Person, pipeline: Pipeline) -> None:
    run = editor.post("/runs", {"pipeline": "line"})
    claimed = claim(step_run(run, "a").pk)["next"]
    answer = editor.post(f"/runs/{run['id']}/cancel", {}, 202)
    assert [s["status"] for s in answer["step_runs"]] == ["running", "cancelled", "cancelled"]
    assert sql("ledger_beat(%s::uuid, %s, 0, '', 1, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')", claimed["id"], claimed["attempt"])[
        "cancel"
    ]
    assert fail(claimed, "cancelled")["next"] is None
    assert editor.get(f"/runs/{run['id']}")["status"] == "cancelled"
    editor.post(f"/runs/{run['id']}/cancel", {}, 202)
    done = editor.post("/runs", {"pipeline": "line", "use_cache": False})
    go(done, RESULTS)
    assert editor.post(f"/runs/{done['id']}/cancel", {}, 409)["error"]["code"] == "run_over"


def test_a_step_token_lives_as_long_as_its_attempt(editor: Person, pipeline: Pipeline) -> None:
    run = editor.post("/runs", {"pipeline": "line"})
    claimed = claim(step_run(run, "a").pk)["next"]
    assert sql("ledger_grant(%s::uuid, %s, %s, 'hr_', 1)", claimed["id"], claimed["attempt"], "f" * 64)
    token = ApiToken.objects.get(step_run=claimed["id"])
    assert (token.user, token.project, token.revoked_at) == (editor.user, editor.project, None)
    finish(claimed, value(3), take=False)
    token.refresh_from_db()
    assert token.revoked_at is not None


@pytest.mark.parametrize(
    ("parameters", "field", "words"),
    [
        ({"a": {"value": "three"}}, "a.value", "number"),
        ({"a": {"valeu": 3}}, "a.valeu", "no parameter"),
        ({"z": {"value": 3}}, "z", "no step"),
        ({"b": {"plus": None}}, "b.plus", "number"),
    ],
)
def test_wrong_parameters_are_refused_by_step_and_name_and_nothing_starts(
    editor: Person, pipeline: Pipeline, parameters: Json, field: str, words: str
) -> None:
    error = editor.post("/runs", {"pipeline": "line", "parameters": parameters}, 422)["error"]
    assert error["field"] == field and words in json.dumps(error["problems"], ensure_ascii=False)
    assert Run.objects.count() == 0


def test_a_graph_with_problems_is_refused_and_each_is_named(editor: Person, project: Project) -> None:
    graph = {"b": step("add"), "c": step("score", "b"), "d": step("nowhere")}
    Pipeline.objects.create(project=project, slug="bad", name="Bad", draft={"steps": graph})
    error = editor.post("/runs", {"pipeline": "bad"}, 422)["error"]
    assert error["code"] == "run_refused"
    assert {p["field"] for p in error["problems"]} >= {"b.first", "d"}
    assert Run.objects.count() == 0


def test_ten_thousand_runs_list_in_few_queries_without_reading_their_graphs(editor: Person, pipeline: Pipeline) -> None:
    editor.post("/runs", {"pipeline": "line"})
    with connection.cursor() as cursor:
        cursor.execute("""
          INSERT INTO runs_run (id, project_id, number, name, pipeline_version_id, graph, parameters, status, steps_total,
            steps_done, cancel_requested,
                                use_cache, metrics, created_at, started_at, finished_at)
          SELECT gen_random_uuid(), project_id, n, 'run ' || n, pipeline_version_id, '{}', '{}', CASE n % 3 WHEN 0 THEN 'failed'
            ELSE 'succeeded' END, 3, 3, false,
                 true, jsonb_build_object('auc', (n * 7919 % 10000) / 10000.0), created_at - n * interval '1 s', created_at,
                   created_at + (n % 100) * interval '1 s'
            FROM runs_run, generate_series(2, 10000) n""")
    seen: list[int] = []
    cursor_text = ""
    for _ in range(3):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page = editor.get(f"/runs?sort=-metric:auc&limit=100{cursor_text}")
        listing = [q["sql"] for q in queries if 'FROM "runs_run"' in q["sql"]]
        assert len(listing) == 2 and not any('"runs_run"."graph"' in q for q in listing)
        seen += [r["number"] for r in page["items"]]
        cursor_text = f"&cursor={page['next']}"
    assert page["total"] == 10_000 and len(set(seen)) == 300
    values = [n * 7919 % 10000 for n in seen]
    assert values == sorted(values, reverse=True)
    assert editor.get("/runs?sort=duration&limit=1")["items"][0]["number"] % 100 == 0
    assert [r["number"] for r in editor.get("/runs?search=%2342")["items"]][:1] == [42]
    assert {r["status"] for r in editor.get("/runs?status=failed")["items"]} == {"failed"}
    assert editor.ask("GET", "/runs?sort=price").status_code == 422


def test_a_runs_page_takes_the_same_number_of_queries_however_many_steps(editor: Person, project: Project) -> None:
    counts = []
    for n in (2, 40):
        graph = {"a": step("number"), **{f"b{i}": step("add", "a", plus=i) for i in range(n)}}
        Pipeline.objects.create(project=project, slug=f"wide-{n}", name="Wide", draft={"steps": graph})
        run = editor.post("/runs", {"pipeline": f"wide-{n}", "use_cache": False})
        go(run, {"a": value(1), **{f"b{i}": value(i) for i in range(n)}})
        with CaptureQueriesContext(connection) as queries:
            editor.get(f"/runs/{run['id']}")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_two_runs_side_by_side_show_what_differs(editor: Person, pipeline: Pipeline) -> None:
    first = editor.post("/runs", {"pipeline": "line"})
    go(first, RESULTS)
    second = editor.post(f"/runs/{first['id']}/rerun", {"parameters": {"b": {"plus": 5}}})
    go(second, {**RESULTS, "b": value(8), "c": value({"score": {"value": 8}}, "Metrics", "metrics")})
    found = editor.get(f"/runs/compare?ids={first['id']},{second['id']}")
    assert [(p["step"], p["parameter"], p["values"]) for p in found["parameters"] if p["differs"]] == [("b", "plus", [4.0, 5])]
    assert found["metrics"] == [{"name": "score", "values": [7, 8], "differs": True}]
    assert editor.ask("GET", f"/runs/compare?ids={first['id']}").status_code == 422
    assert editor.ask("GET", f"/runs/compare?ids={first['id']},{uuid.uuid4()}").status_code == 404


def test_logs_follow_by_number_and_can_be_searched(editor: Person, pipeline: Pipeline) -> None:
    run = editor.post("/runs", {"pipeline": "line"})
    claimed = claim(step_run(run, "a").pk)["next"]
    for batch, texts in ((1, ["one", "two"]), (1, ["one", "two"]), (2, ["Three"])):
        sql("ledger_beat(%s::uuid, %s, 0, '', %s::int, array_fill(now(), ARRAY[cardinality(%s::text[])]),"
        " array_fill('stdout'::text, ARRAY[cardinality(%s::text[])]),"
            " array_fill(''::text, ARRAY[cardinality(%s::text[])]), %s::text[], '{}', '{}', '{}', '{}')",
            claimed["id"], claimed["attempt"], batch, *["{" + ",".join(texts) + "}"] * 4)  # fmt: skip
    lines = editor.get(f"/runs/{run['id']}/logs")
    assert [(line["step"], line["attempt"], line["text"]) for line in lines["lines"]] == [
        ("a", 1, "one"),
        ("a", 1, "two"),
        ("a", 1, "Three"),
    ]
    assert editor.get(f"/runs/{run['id']}/logs?after={lines['last']}") == {"lines": [], "last": lines["last"]}
    assert [line["text"] for line in editor.get(f"/runs/{run['id']}/logs?search=thr&step=a&attempt=1")["lines"]] == ["Three"]
    assert editor.ask("GET", f"/runs/{run['id']}/logs?step=zzz").status_code == 404


def test_a_long_series_is_thinned_but_keeps_its_peaks(editor: Person, pipeline: Pipeline) -> None:
    run = editor.post("/runs", {"pipeline": "line"})
    claim(step_run(run, "a").pk)
    a = step_run(run, "a")
    with connection.cursor() as cursor:
        cursor.execute("""INSERT INTO runs_metricpoint (run_id, step_run_id, attempt, name, index, value, at)
          SELECT %s, %s, 1, 'loss', n, CASE n WHEN 31415 THEN 1000 WHEN 27182 THEN -1000 WHEN 5 THEN NULL ELSE sin(n) END, now()
            FROM generate_series(0, 49999) n""",
                       [run["id"], a.pk])  # fmt: skip
    MetricPoint.objects.create(run_id=run["id"], step_run=a, attempt=1, name="accuracy", index=0, value=0.5, at="2026-01-01T00:00:00Z")
    found = editor.get(f"/runs/{run['id']}/metrics?max_points=500")
    loss = [p for p in found["points"] if p["name"] == "loss"]
    assert found["names"] == ["accuracy", "loss"] and len(loss) <= 500
    assert {1000, -1000} <= {p["value"] for p in loss} and {0, 49999} <= {p["index"] for p in loss}
    assert editor.get(f"/runs/{run['id']}/metrics?after={found['last']}")["points"] == []


def test_a_run_of_what_is_not_there_is_refused_and_starts_nothing(editor: Person, pipeline: Pipeline) -> None:
    def refused(**body: Any) -> str:
        answer = editor.ask("POST", "/runs", {"pipeline": "line", **body})
        assert answer.status_code == 404, answer.content
        return str(answer.json()["error"]["message"])

    assert "version of this pipeline" in refused(version=7) and "version of this pipeline" in refused(version=2**31 - 1)
    assert "other" in refused(pipeline="other", version=1)
    Pipeline.objects.filter(pk=pipeline.pk).update(deleted_at="2026-01-01T00:00Z")
    assert "line" in refused(version=1) and not Run.objects.exists()
