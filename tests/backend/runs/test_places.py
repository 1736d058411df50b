"""Who goes first, how many may run, and what a step that waits is said to wait for."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from backend.core.ids import new_id
from backend.core.models import AuditEntry, Project
from backend.pipelines.models import Pipeline
from backend.runs import why as waiting
from backend.runs.models import Run, StepRun
from tests.backend.people import Person, person
from tests.backend.runs.test_runs import claim, fail, finish, sql, step_run, value
from tests.workers.engine.studio import step

Json = dict[str, Any]
FREE = {"a": step("number", value=1), "b": step("number", value=2), "c": step("number", value=3), "d": step("add", "a", "b", "c")}


@pytest.fixture
def owner(project: Project) -> Person:
    return person(project, "owner")


@pytest.fixture
def pipeline(project: Project) -> Pipeline:
    return Pipeline.objects.create(project=project, slug="line", name="Line", draft={"steps": FREE})


@pytest.fixture(autouse=True)
def workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, list[str]]]:
    """Which workers are up, by queue."""
    up = {"cpu": ["idle"]}
    monkeypatch.setattr(waiting, "workers_up", lambda queue: up.get(queue, []))
    yield up


def start(who: Person, **more: Any) -> Json:
    run: Json = who.post("/runs", {"pipeline": "line", "use_cache": False, **more})
    return run


def reasons(who: Person, run: Json) -> dict[str, str]:
    return {w["step"]: w["why"] for w in who.get(f"/runs/{run['id']}/waits")}


def test_a_wake_up_for_any_run_takes_the_best_step_and_announces_its_own_again(owner: Person, pipeline: Pipeline) -> None:
    low, normal = start(owner, priority="low"), start(owner)
    urgent = start(owner, priority="urgent")
    mine = step_run(low, "a")
    first = claim(mine.pk)
    assert (first["next"]["run"], first["ready"]) == (urgent["id"], [{"id": str(mine.pk), "queue": "cpu"}])
    assert first["info"]["run"] == urgent["id"]
    # Whoever goes on with a run of lower priority stops for a better one, and says that its own next step waits.
    other = claim(step_run(urgent, "b").pk, "v")["next"]
    done = finish(other, value(2), "v")
    assert done["next"]["run"] == urgent["id"]
    finish(done["next"], value(3), "v", take=False)
    taken = claim(step_run(normal, "a").pk, "u")["next"]
    assert taken["run"] == normal["id"], "nothing of the urgent run is ready now"
    finish(first["next"], value(1), take=False)  # d of the urgent run is ready now
    left = finish(taken, value(1), "u")
    assert left["next"] is None
    assert {r["id"] for r in left["ready"]} & {str(s.pk) for s in StepRun.objects.filter(run=normal["id"])}
    assert claim(step_run(low, "b").pk, "u")["next"]["step"] == "d"


def test_the_priority_of_a_run_under_way_is_an_operators_to_change(owner: Person, editor: Person, pipeline: Pipeline) -> None:
    one, two = start(owner), start(owner)
    editor._json(editor.ask("PUT", f"/runs/{two['id']}/priority", {"priority": "high"}), 403)
    assert owner.put(f"/runs/{two['id']}/priority", {"priority": "high"})["priority"] == "high"
    assert claim(step_run(one, "a").pk)["next"]["run"] == two["id"]
    assert AuditEntry.objects.filter(action="run.priority").count() == 1
    assert owner.post(f"/runs/{two['id']}/rerun", {})["priority"] == "high", "a run again has the priority of the one before"
    owner.post(f"/runs/{one['id']}/cancel", status=202)
    assert "cancelled" in str(owner._json(owner.ask("PUT", f"/runs/{one['id']}/priority", {"priority": "low"}), 409))


def test_a_project_runs_no_more_steps_than_it_may_and_a_free_place_wakes_the_best(owner: Person, pipeline: Pipeline) -> None:
    one, two = start(owner), start(owner, priority="high")
    owner.put("/limits", {"steps_at_once": 2, "runs_at_once": None})
    first, second = claim(step_run(two, "a").pk)["next"], claim(step_run(two, "b").pk)["next"]
    assert claim(step_run(one, "a").pk)["next"] is None
    told = reasons(owner, one)
    assert told["a"] == f"2 of this project's 2 places are taken by #{two['number']} a and #{two['number']} b"
    assert told["d"] == "waits for “A number”, which has not begun, and 2 other steps"
    assert owner.get("/limits") == {"steps_at_once": 2, "runs_at_once": None, "steps_running": 2, "runs_running": 1}
    freed = finish(first, value(1), take=False)
    assert freed["ready"][0]["id"] == str(step_run(two, "c").pk), "the better run's step is woken for the free place"
    fail(second, "lost", take=False)
    # A second limit, lifted: what waited for it is announced at once, not at a sweep.
    owner.put("/limits", {"steps_at_once": None, "runs_at_once": 1})
    assert claim(step_run(one, "a").pk)["next"]["run"] == two["id"]  # of higher priority, and begun
    owner.put(f"/runs/{two['id']}/priority", {"priority": "normal"})
    assert claim(step_run(one, "a").pk, "v")["next"] is None
    assert reasons(owner, one)["a"] == f"this project's only place for a run is taken by #{two['number']}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_unclaimed('cpu', 0, 100)")
        (unclaimed,) = cursor.fetchone()
    assert step_run(one, "a").pk not in unclaimed, "the reaper must not wake workers for what may not run"
    assert AuditEntry.objects.filter(action="project.limits").count() == 2
    owner.put("/limits", {"steps_at_once": None, "runs_at_once": None})
    assert claim(step_run(one, "a").pk, "v")["next"]["run"] == one["id"]


@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_never_overshoot_and_nothing_is_left_waiting(project: Project) -> None:
    owner = person(project, "owner")
    Pipeline.objects.create(
        project=project, slug="line", name="Line", draft={"steps": {f"s{i}": step("number", value=i) for i in range(12)}}
    )
    owner.put("/limits", {"steps_at_once": 3, "runs_at_once": 2})
    runs = [start(owner) for _ in range(4)]
    settings = connection.settings_dict
    address = {"host": settings["HOST"], "port": settings["PORT"] or None, "user": settings["USER"],
               "password": settings["PASSWORD"] or None,
               "dbname": settings["NAME"]}  # fmt: skip
    wakes = [str(s.pk) for s in StepRun.objects.filter(run__in=[r["id"] for r in runs], status="queued")]
    most: list[tuple[int, int]] = []
    problems: list[BaseException] = []
    gate = threading.Lock()

    def work(name: str) -> None:
        try:
            with psycopg.connect(**{k: v for k, v in address.items() if v}, autocommit=True) as own:

                def ask(call: str, *given: Any) -> Json:
                    ((answer,),) = own.execute(f"SELECT {call}", given).fetchall()
                    return answer  # type: ignore[no-any-return]  # jsonb

                while True:
                    with gate:
                        if not wakes:
                            return
                        one = wakes.pop(0)
                    answer = ask("ledger_claim(%s::uuid, %s)", one, name)
                    while answer.get("next"):
                        most.extend(own.execute("SELECT steps, runs FROM ledger_room(%s)", [project.pk]).fetchall())
                        held = answer["next"]
                        answer = ask("ledger_finish(%s::uuid, %s::int, %s, %s::jsonb, %s, 32)", held["id"], held["attempt"], name,
                                     json.dumps(value(1)), len(most) % 3 > 0)  # fmt: skip
                        with gate:
                            wakes.extend(r["id"] for r in answer.get("ready") or ())
        except BaseException as exc:
            problems.append(exc)

    threads = [threading.Thread(target=work, args=(f"w{i}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not problems
    assert min(steps for steps, _ in most) >= 0 and min(runs for _, runs in most) >= 0
    # Wake-ups alone, no sweep, have brought everything to its end.
    assert set(Run.objects.values_list("status", flat=True)) == {"succeeded"}


def test_every_reason_is_told_in_a_sentence(owner: Person, pipeline: Pipeline, workers: dict[str, list[str]]) -> None:
    run = start(owner)
    assert reasons(owner, run)["a"] == "it is next: a worker of the queue cpu takes it when one is free"
    better = [start(owner, priority="high") for _ in range(3)]
    assert reasons(owner, run)["a"] == "3 runs of higher priority are before it"
    workers["cpu"] = []
    assert reasons(owner, run)["a"] == "no worker of the queue cpu is up"
    workers["cpu"] = ["idle"]
    for one in better:
        owner.post(f"/runs/{one['id']}/cancel", status=202)
    claimed = claim(step_run(run, "a").pk)["next"]
    sql("ledger_beat(%s::uuid, 1, 0.43, '', 1, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')", claimed["id"])
    assert reasons(owner, run)["d"] == "waits for “A number”, which is running (43 %), and 2 other steps"
    fail(claimed, pause=60, take=False)
    StepRun.objects.filter(pk=claimed["id"]).update(status="queued", ready_at=timezone.now() + timedelta(seconds=8), failures=1)
    assert reasons(owner, run)["a"] == "tried again in 8 s after: no"
    asked = claim(step_run(run, "b").pk)["next"]
    for question, told in (
        ({"people": [owner.user.email, "sam@lab.example"]}, "waits for Owner or sam@lab.example to decide"),
        ({"role": "operator"}, "waits for an operator or an owner to decide"),
    ):
        StepRun.objects.filter(pk=asked["id"]).update(status="waiting", state={"question": question})
        assert reasons(owner, run)["b"] == told


def test_whoever_waits_for_a_worker_is_told_what_all_of_them_do(owner: Person, pipeline: Pipeline, workers: dict[str, list[str]]) -> None:
    workers["cpu"] = ["w", "v"]
    one, other = start(owner), person(Project.objects.create(slug="other", name="Other"), "owner")
    Pipeline.objects.create(project=other.project, slug="line", name="Secret line", draft={"steps": FREE})
    claim(step_run(one, "a").pk)
    assert reasons(owner, one)["b"] == "it is next: a worker of the queue cpu takes it when one is free"
    claim(step_run(one, "b").pk, "v")
    assert reasons(owner, one)["c"] == f"all 2 cpu workers are busy: #{one['number']} a and #{one['number']} b"
    run = start(owner)
    assert (
        reasons(owner, run)["a"]
        == f"all 2 cpu workers are busy: #{one['number']} a and #{one['number']} b; 1 step of the queue cpu was ready before it"
    )
    theirs = start(other, priority="urgent")
    assert reasons(other, theirs)["a"] == "all 2 cpu workers are busy: 2 steps of other projects"
    assert reasons(owner, one)["c"].endswith(" b; 1 run of higher priority is before it")
    workers["cpu"] = ["v"]
    assert reasons(other, theirs)["a"] == "the only cpu worker is busy with 1 step of other projects"


def test_a_shard_that_its_step_holds_back_is_told_how_many_go_at_once(owner: Person, project: Project) -> None:
    mapped = {**step("add", "a"), "name": "Train each", "map": {"values": [{"plus": n} for n in range(4)], "at_once": 2}}
    Pipeline.objects.create(project=project, slug="line", name="Line", draft={"steps": {"a": step("number", value=1), "many": mapped}})
    run = start(owner)
    finish(claim(step_run(run, "a").pk)["next"], value(1), take=False)
    many = claim(step_run(run, "many").pk)["next"]
    shards = [{"id": str(new_id()), "step": f"many[{n}]", "shard": n, "parameters": {}} for n in range(4)]
    sql("ledger_suspend(%s::uuid, %s, 'w', '{}', %s::jsonb, '[]', 2, false, null, false, 32)", many["id"], many["attempt"], shards)

    def told(path: str) -> str:
        return owner.get(f"/runs/{run['id']}/waits?step={path}")[0]["why"]  # type: ignore[no-any-return]  # JSON

    assert told("many[0]") == "it is next: a worker of the queue cpu takes it when one is free"
    assert told("many[2]") == "2 of the 2 shards that “Train each” runs at once are under way; it is the next"
    assert told("many[3]") == "2 of the 2 shards that “Train each” runs at once are under way; 1 other is before it"
