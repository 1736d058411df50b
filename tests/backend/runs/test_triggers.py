"""Triggers over HTTP and through the database: what starts a run, what does so once, what is held back and why, in whose name."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from backend.core.models import AuditEntry, Membership, Project
from backend.core.secrets import SecretUnreadable, decrypt, encrypt
from backend.datasets.models import Dataset, DatasetVersion
from backend.pipelines.models import Pipeline
from backend.runs.models import Run, StepRun, TriggerEvent
from backend.runs.triggers import fire
from backend.runs.triggers.events import Missing, take
from backend.runs.triggers.models import Trigger
from backend.runs.triggers.receive import occurred, receive
from tests.backend.people import Person, person
from tests.backend.runs.test_runs import claim, finish, value
from tests.workers.engine.studio import step

Json = dict[str, Any]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pipeline(project: Project, editor: Person) -> Pipeline:
    made = Pipeline.objects.create(project=project, slug="line", name="Line", draft={"steps": {"a": step("number", value=3)}})
    editor.post("/pipelines/line/publish", {"note": ""})
    return made


@pytest.fixture
def make(editor: Person, pipeline: Pipeline) -> Callable[..., Json]:
    def made(kind: str = "webhook", **fields: Any) -> Json:
        found: Json = editor.post("/triggers", {"name": kind, "kind": kind, "pipeline": "line", **fields})
        return found

    return made


def call(trigger: Json, body: bytes = b"{}", *, github: bool = False, at: float | None = None, secret: str = "", **headers: str) -> Any:
    key = (secret or trigger["secret"]).encode()
    moment = str(int(at or time.time()))
    if github:
        headers["X-Hub-Signature-256"] = "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest()
    else:
        headers["X-Headrace-Signature"] = f"t={moment},v1={hmac.new(key, moment.encode() + b'.' + body, hashlib.sha256).hexdigest()}"
    path = trigger["url"].split("/api/v1", 1)[1]
    return Client().generic("POST", f"/api/v1{path}", body, content_type="application/json", headers=headers)


def history(editor: Person, trigger: Json, **query: str) -> list[Json]:
    found: list[Json] = editor.get(f"/triggers/{trigger['slug']}/events?" + "&".join(f"{k}={v}" for k, v in query.items()))["items"]
    return found


def end(run: Run) -> None:
    """As its workers would."""
    finish(claim(StepRun.objects.get(run=run).pk)["next"], value(3))


def test_a_signed_request_starts_a_run_with_what_it_says(editor: Person, make: Callable[..., Json]) -> None:
    hook = make(parameters={"a": {"value": 1}}, mapping={"a": {"value": "$event.data.rows[1].n"}})
    assert hook["secret"].startswith("hr_") and editor.get("/triggers/webhook")["secret"] is None
    answer = call(hook, b'{"rows": [{"n": 1}, {"n": 41}]}')
    assert answer.status_code == 202 and answer.json()["status"] == "received"
    assert fire.advance() is False
    run = Run.objects.get()
    assert run.graph["steps"]["a"]["parameters"]["value"] == 41 and run.parameters == {"a": {"value": 41}} and run.started_by == editor.user
    (event,) = history(editor, hook)
    assert (event["status"], event["run"], event["run_number"]) == ("started", str(run.pk), 1)
    assert editor.get(f"/runs/{run.pk}")["trigger"] == {
        "slug": "webhook", "name": "webhook", "kind": "webhook", "source": "webhook", "event": answer.json()["event"],
    }  # fmt: skip
    call(hook, b'{"rows": []}')
    fire.advance()
    assert history(editor, hook)[0]["status"] == "received", "one at a time: it waits for the first run"
    end(run)
    fire.advance()
    failed = history(editor, hook)[0]
    assert (
        failed["status"] == "failed"
        and "a.value is taken from $event.data.rows[1].n, but the event has no data.rows[1]" in failed["reason"]
    )


def test_requests_that_are_not_good_are_told_so_and_change_nothing(make: Callable[..., Json]) -> None:
    hook = make(config={"types": ["push"], "tolerance_s": 60})
    for answer, status, word in (
        (call(hook, secret="hr_wrong"), 401, "does not belong"),
        (call(hook, at=time.time() - 90), 401, "60 s"),
        (call(hook, github=True, secret="x"), 401, "does not belong"),
        (Client().post("/api/v1" + hook["url"].split("/api/v1")[1], b"{}", content_type="application/json"), 401, "there is none"),
        (call(hook, b'"' + b"x" * 70_000 + b'"'), 413, "64 KiB"),
        (call(hook, b"{no json"), 422, "not JSON"),
        (call(hook, b'{"specversion": "1.0", "id": "1"}'), 422, "no source"),
        (call({**hook, "url": hook["url"] + "x"}), 404, "no webhook"),
    ):
        assert answer.status_code == status and word in answer.json()["error"]["message"], answer.content
    assert not TriggerEvent.objects.exists()
    for n in range(3):
        other = call(hook, b'{"n": %d}' % n, **{"X-GitHub-Event": "star"})
        assert other.status_code == 202 and other.json()["status"] == "ignored"
    rows = [TriggerEvent(trigger_id=hook["id"], key=f"k{n}", source="x") for n in range(600)]
    TriggerEvent.objects.bulk_create(rows)
    busy = call(hook, b'{"new": 1}')
    assert busy.status_code == 429 and busy["Retry-After"] == "30"


def test_one_event_however_often_and_however_named(editor: Person, make: Callable[..., Json]) -> None:
    hook = make(most_at_once=10)
    cloud = {"specversion": "1.0", "id": "7", "source": "/shop", "type": "ready", "data": {"v": 1}}
    first = call(hook, json.dumps(cloud).encode()).json()["event"]
    binary = {"ce-specversion": "1.0", "ce-id": "7", "ce-source": "/shop", "ce-type": "ready"}
    assert call(hook, b'{"v": 1}', **binary).json()["event"] == first, "the same CloudEvent in both modes"
    keyed = call(hook, b'{"v": 2}', **{"Idempotency-Key": "order-2"}).json()["event"]
    assert call(hook, b'{"v": 3}', **{"Idempotency-Key": "order-2"}).json()["event"] == keyed != first
    plain = call(hook, b'{"v": 4}', github=True).json()["event"]
    assert call(hook, b'{"v": 4}').json()["event"] == plain, "without a name the body's digest is the name"
    moment = time.time()
    signed = call(hook, b'{"v": 5}', at=moment, **{"Idempotency-Key": "a"}).json()["event"]
    recorded = call(hook, b'{"v": 5}', at=moment, **{"Idempotency-Key": "b"}).json()["event"]
    assert recorded == signed, "a recorded request is not good again under another name"
    fire.advance()
    assert Run.objects.count() == 4 and len(history(editor, hook)) == 4


def test_fifty_same_requests_at_once_are_one_run(make: Callable[..., Json]) -> None:
    hook = make(most_at_once=50)
    answers: list[Any] = []
    start = threading.Barrier(50)

    def one() -> None:
        start.wait()
        try:
            answers.append(call(hook, b"{}", **{"Idempotency-Key": "once"}))
            fire.advance()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {a.status_code for a in answers} == {202} and len({a.json()["event"] for a in answers}) == 1
    fire.advance()
    assert Run.objects.count() == 1 and TriggerEvent.objects.count() == 1


def test_many_processes_start_each_event_once(make: Callable[..., Json]) -> None:
    hook = Trigger.objects.get(pk=make(most_at_once=100, most_per_hour=100)["id"])
    for n in range(20):
        receive(hook, key=str(n), source="test", payload={"data": n})

    def one() -> None:
        try:
            while fire.advance():
                pass
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while fire.advance():
        pass
    runs = TriggerEvent.objects.filter(status="started").values_list("run_id", flat=True)
    assert len(runs) == len(set(runs)) == Run.objects.count() == 20


def test_a_crash_between_claim_and_start_loses_nothing_and_doubles_nothing(
    make: Callable[..., Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = Trigger.objects.get(pk=make()["id"])
    receive(hook, key="k", source="test", payload={})
    real = fire.changed

    def dies(trigger: Trigger) -> None:
        raise KeyboardInterrupt  # as when the process is killed: after the run was made, before the commit

    monkeypatch.setattr(fire, "changed", dies)
    with pytest.raises(KeyboardInterrupt):
        fire.advance()
    assert Run.objects.count() == 0 and TriggerEvent.objects.get().status == "received"
    monkeypatch.setattr(fire, "changed", real)
    fire.advance()
    fire.advance()
    assert Run.objects.count() == 1 and TriggerEvent.objects.get().status == "started"


def test_a_storm_is_one_run_and_the_rest_is_told(editor: Person, make: Callable[..., Json]) -> None:
    made = make(coalesce_s=60, mapping={"a": {"value": "$event.data.n"}})
    hook = Trigger.objects.select_related("project").get(pk=made["id"])
    for n in range(300):
        receive(hook, key=str(n), source="test", payload={"data": {"n": n}})
    assert fire.advance() is False and not Run.objects.exists(), "the window is open"
    TriggerEvent.objects.update(due_at=timezone.now())
    fire.advance()
    run = Run.objects.get()
    assert run.graph["steps"]["a"]["parameters"]["value"] == 299, "the newest event is the one that counts"
    joined = TriggerEvent.objects.filter(status="coalesced")
    assert joined.count() == 299 and set(joined.values_list("run", flat=True)) == {run.pk}

    wide = make("webhook", name="wide", most_at_once=1000, most_per_hour=5)
    flood = Trigger.objects.select_related("project").get(pk=wide["id"])
    for n in range(300):
        receive(flood, key=str(n), source="test", payload={})
    while fire.advance():
        pass
    counts = {status: TriggerEvent.objects.filter(trigger=flood, status=status).count() for status in ("started", "limited", "received")}
    assert counts == {"started": 5, "limited": 295, "received": 0}
    limited = history(editor, wide, status="limited")[0]
    assert "limit" in limited["reason"] or "were waiting already" in limited["reason"]


def test_by_hand_and_again(editor: Person, make: Callable[..., Json]) -> None:
    hook = make(mapping={"a": {"value": "$event.data.n"}}, enabled=False, most_per_hour=1)
    body = json.dumps({"n": 5}).encode()
    off = call(hook, body).json()
    assert off["status"] == "ignored" and "switched off" in history(editor, hook)[0]["reason"]
    fired = editor.post("/triggers/webhook/fire", {"data": {"n": 6}}, **{"Idempotency-Key": "x"})
    assert editor.post("/triggers/webhook/fire", {"data": {"n": 6}}, **{"Idempotency-Key": "x"})["id"] == fired["id"]
    again = editor.post(f"/triggers/webhook/events/{off['event']}/replay")
    assert (fired["status"], again["status"], again["replay_of"]) == ("started", "started", off["event"])
    assert again["payload"]["data"] == {"n": 5} and again["source"] == "editor@lab.example, again"
    assert [r.graph["steps"]["a"]["parameters"]["value"] for r in Run.objects.order_by("number")] == [6, 5]
    bad = editor.post("/triggers/webhook/fire", {"data": {}})
    assert bad["status"] == "failed" and bad["run"] is None
    assert AuditEntry.objects.filter(action="trigger.replay", target_label="webhook").count() == 1


def test_runs_start_in_the_name_of_whoever_changed_the_trigger_last(editor: Person, make: Callable[..., Json], project: Project) -> None:
    hook = make(most_at_once=10)
    Membership.objects.filter(user=editor.user).update(role="viewer")
    call(hook, b'{"n": 1}')
    fire.advance()
    boss = person(project, "owner")
    (event,) = history(boss, hook)
    assert event["status"] == "failed" and "Editor" in event["reason"] and "may not start runs any more" in event["reason"]
    Membership.objects.filter(user=editor.user).delete()
    call(hook, b'{"n": 2}')
    fire.advance()
    assert "no longer a member" in history(boss, hook)[0]["reason"]
    taken = boss._json(boss.ask("PATCH", "/triggers/webhook", {"most_per_hour": 9}), 200)
    assert taken["owner"]["email"] == boss.user.email
    call(hook, b'{"n": 3}')
    fire.advance()
    assert Run.objects.get().started_by == boss.user
    actions = AuditEntry.objects.filter(action__startswith="trigger.").values_list("action", "actor_label")
    assert list(actions.order_by("id")) == [("trigger.create", "editor@lab.example"), ("trigger.update", boss.user.email)]


def test_what_keeps_a_run_from_starting_is_told(editor: Person, make: Callable[..., Json], pipeline: Pipeline) -> None:
    hook = make(most_at_once=10)
    pipeline.deleted_at = timezone.now()
    pipeline.save()
    call(hook, b"1")
    fire.advance()
    assert "no pipeline “line”" in history(editor, hook)[0]["reason"]


def test_changes_are_checked_and_secrets_stay_secret(editor: Person, make: Callable[..., Json], pipeline: Pipeline) -> None:
    def refused(**fields: Any) -> Json:
        body = {"name": "x", "kind": "webhook", "pipeline": "line", **fields}
        error: Json = editor.post("/triggers", body, status=422)["error"]
        return error

    assert refused(parameters={"b": {}})["field"] == "parameters.b"
    assert refused(mapping={"a": {"valu": "$event.id"}})["field"] == "mapping.a.valu"
    assert refused(mapping={"a": {"value": "event.id; drop"}})["field"] == "mapping.a.value"
    assert refused(parameters={"a": {"value": "text"}})["field"] == "parameters.a.value"
    assert refused(kind="cron", config={"schedule": "61 * * * *"})["field"] == "config.schedule"
    assert refused(kind="cron", config={"time_zone": "Mars/Base"})["field"] == "config.time_zone"
    assert "private network" in refused(kind="redis_stream", config={"address": "127.0.0.1:1", "stream": "s"})["message"]
    assert refused(kind="mqtt", config={"address": "nowhere", "topic": "a/#/b"})["problems"][0]["field"] == "config.address"
    Pipeline.objects.create(project=pipeline.project, slug="new", name="New", draft={"steps": {}})
    assert "never runs a draft" in refused(pipeline="new")["message"]
    assert not Trigger.objects.exists()

    kafka = make("kafka", config={"brokers": ["8.8.8.8:9092"], "topic": "t", "password": "hush"}, enabled=False)
    assert kafka["secrets_set"] == ["password"] and "hush" not in json.dumps(kafka) and "password" not in kafka["config"]
    row = Trigger.objects.get()
    assert decrypt(row.secrets["password"]) == "hush" and "hush" not in str(row.secrets)
    kept = editor._json(editor.ask("PATCH", "/triggers/kafka", {"config": {"brokers": ["8.8.8.8:9092"], "topic": "u"}}), 200)
    assert kept["secrets_set"] == ["password"] and kept["config"]["topic"] == "u"
    gone = {"brokers": ["8.8.8.8:9092"], "topic": "u", "password": None}
    assert editor._json(editor.ask("PATCH", "/triggers/kafka", {"config": gone}), 200)["secrets_set"] == []


def test_a_new_signing_secret_ends_the_earlier_one(editor: Person, make: Callable[..., Json]) -> None:
    hook = make()
    changed = editor.post("/triggers/webhook/secret", status=200)
    assert changed["url"] == hook["url"] and changed["secret"] != hook["secret"]
    assert call(hook, b"1").status_code == 401 and call(changed, b"1").status_code == 202
    editor._json(editor.ask("DELETE", "/triggers/webhook"), 204)
    assert call(changed, b"2").status_code == 404 and editor.get("/triggers") == []
    assert [t["slug"] for t in editor.get("/triggers?deleted=true")] == ["webhook"]
    assert editor.post("/triggers/webhook/fire", {}, status=409)["error"]["code"] == "trigger_deleted"
    editor.post("/triggers/webhook/restore", status=200)
    assert call(changed, b"3").status_code == 202


def test_a_run_that_ends_starts_the_next_and_a_loop_stops(editor: Person, make: Callable[..., Json]) -> None:
    after = make("run_finished", config={"pipeline": "line"})
    make("run_finished", name="on-failure", config={"statuses": ["failed"]})
    editor.post("/runs", {"pipeline": "line", "version": 1, "use_cache": False})
    for _ in range(8):
        for run in Run.objects.exclude(status="succeeded"):
            end(run)
        fire.advance()
    assert Run.objects.count() == 1 + 6, "the first, and those of depth 0 to 5"
    newest = history(editor, after)[0]
    assert (newest["status"], newest["depth"]) == ("limited", 6) and "a chain stops after 5" in newest["reason"]
    assert history(editor, {"slug": "on-failure"}) == []
    first = editor.get(f"/triggers/run-finished/events/{history(editor, after)[-1]['id']}")
    assert first["payload"]["data"]["pipeline"] == "line" and first["payload"]["data"]["status"] == "succeeded"


def test_a_new_data_set_version_is_an_event(editor: Person, make: Callable[..., Json], project: Project) -> None:
    from backend.datasets.actions.announce import version_frozen

    only = make("dataset_version", config={"dataset": "orders"}, most_at_once=10)
    for slug in ("orders", "other"):
        dataset = Dataset.objects.create(project=project, slug=slug, name=slug, modality="table")
        version = DatasetVersion.objects.create(dataset=dataset, number=1, data="0" * 64, item_count=9)
        for _ in range(2):
            version_frozen.send(DatasetVersion, version=version)
    (event,) = history(editor, only)
    assert event["source"] == "orders@1"
    fire.advance()
    detail = editor.get(f"/triggers/dataset-version/events/{event['id']}")
    assert detail["status"] == "started" and detail["payload"]["data"]["reference"] == "orders@1"


def test_events_that_come_from_the_studio_are_kept_with_the_change_or_not_at_all(make: Callable[..., Json], project: Project) -> None:
    from django.db import transaction

    make("dataset_version")
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        occurred(project, "dataset_version", key="k", source="s", data={"dataset": "d"})
        1 / 0  # noqa: B018 - the change fails
    assert not TriggerEvent.objects.exists()


def test_a_mapping_only_looks_up() -> None:
    event = {"data": {"rows": [{"id": 3}], "a-b": None}}
    assert (take(event, "$event.data.rows[0].id"), take(event, "$event.data.a-b"), take(event, "$event")) == (3, None, event)
    for path in ("$event.data.rows[1]", "$event.data.rows.id", "$event.data.__class__", "$event.data.rows[0].id.real"):
        with pytest.raises(Missing):
            take(event, path)


def test_a_secret_of_another_key_is_told(settings: Any) -> None:
    kept = encrypt("hush")
    assert kept != encrypt("hush") and decrypt(kept) == "hush"
    settings.SECRET_KEY = "another"
    with pytest.raises(SecretUnreadable):
        decrypt(kept)


def test_the_clock_is_told_of_what_it_waits_for(make: Callable[..., Json]) -> None:
    import psycopg
    from django.conf import settings

    with psycopg.connect(settings.DATABASE_URL.replace("/postgres?", f"/{connection.settings_dict['NAME']}?"), autocommit=True) as other:
        other.execute("LISTEN headrace_triggers")
        hook = make()
        call(hook, b"1")
        heard = [n.payload for n in other.notifies(timeout=5, stop_after=2)]
        assert heard == ["changed", ""]
        fire.advance()
        end(Run.objects.get())
        assert [n.payload for n in other.notifies(timeout=5, stop_after=1)] == [""], "its place is free"


def test_the_clock_wakes_a_worker_for_every_event(make: Callable[..., Json], monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    from backend.runs.triggers.clock import Clock

    settings.DATABASE_URL = settings.DATABASE_URL.replace("/postgres?", f"/{connection.settings_dict['NAME']}?")
    hook = make(most_at_once=10)
    clock, woken = Clock(), threading.Semaphore(0)
    monkeypatch.setattr(clock, "wake", woken.release)  # in the place of the broker, which has no worker here
    clock.start()
    try:
        for n in range(3):
            call(hook, b"%d" % n)
            assert woken.acquire(timeout=30), f"event {n}"
            fire.advance()
    finally:
        clock.stop()
    assert Run.objects.count() == 3


def test_old_history_is_forgotten(make: Callable[..., Json]) -> None:
    from backend.runs.triggers.actions import KEPT, tidy

    hook = Trigger.objects.get(pk=make()["id"])
    old = timezone.now() - KEPT - timedelta(days=1)
    for key, status in (("a", "started"), ("b", "received")):
        TriggerEvent.objects.create(trigger=hook, key=key, source="x", status=status, received_at=old)
    assert tidy() == 1 and TriggerEvent.objects.get().status == "received"
