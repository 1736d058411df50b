"""Hosts as people and joining machines meet them: what is told, who may act, and what a token opens."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from redis.lock import Lock

from backend.core.models import AuditEntry
from backend.runs.hosts import actions, queries, unmet
from backend.runs.hosts.gate import BrokerGate, DatabaseGate, Refused
from backend.runs.models import DeviceLease, Host, Run, StepRun
from tests.backend.core import people

pytestmark = pytest.mark.django_db
GB = 10**9


def host(name: str, **fields: Any) -> Host:
    usual = {"queues": ["io", "cpu", "gpu"], "memory_bytes": 16 * GB, "beat_at": timezone.now(), "studio": True}
    return Host.objects.create(name=name, **{**usual, **fields})


def waiting(run: Run, needs: Any, queue: str = "cpu") -> StepRun:
    return StepRun.objects.create(
        project=run.project, run=run, step=str(uuid4()), component="x", component_version="1", queue=queue, needs=needs, status="queued"
    )


@pytest.fixture
def run() -> Run:
    from backend.pipelines.models import Pipeline, PipelineVersion

    project = people.project("ours", owner=people.user("ada@example.com"))
    pipeline = Pipeline.objects.create(project=project, slug="line", name="Line")
    version = PipelineVersion.objects.create(pipeline=pipeline, number=1, graph={"steps": {}}, digest="")
    return Run.objects.create(project=project, number=1, pipeline_version=version, graph={"steps": {}})


def test_one_sentence_says_which_need_is_not_met(run: Run) -> None:
    def why(needs: Any, queue: str = "cpu") -> str | None:
        step = waiting(run, needs, queue)
        return unmet([step.pk]).get(step.pk)

    assert why(None) == "No host has joined the studio yet."
    gpu = host("forge", labels={"site": "lab"}, devices=[{"name": "A", "memory": 0}])
    factory = host("factory", labels={"site": "factory-3"})
    assert why(None) is None and why({"labels": {"site": "lab"}, "gpu": 1}, "gpu") is None
    assert why({"labels": {"site": "factory-4"}}) == "No host has label site=factory-4 (there is site=factory-3, site=lab)."
    assert why({"labels": {"rack": "2"}}) == "No host has label rack=2."
    assert why({"gpu": 2}, "gpu") == "No host has 2 GPUs; the most that one has is 1."
    assert why({"gpu": 1, "labels": {"site": "factory-3"}}, "gpu") == "No host with site=factory-3 has 1 GPU; none has any."
    assert why({"memory_gb": 64}) == "No host has 64 GB of memory; the most that one has is 16.0 GB."
    holder = waiting(run, None, "gpu")
    DeviceLease.objects.create(host=gpu, device=0, slot=0, step_run=holder)
    assert why({"gpu": 1}, "gpu") == "All GPUs of forge are taken by other steps."
    Host.objects.filter(pk=factory.pk).update(wanted="draining")
    assert why({"labels": {"site": "factory-3"}}) == "factory could run it, but is being drained."
    Host.objects.filter(pk=factory.pk).update(wanted="running", beat_at=timezone.now() - timedelta(minutes=1))
    assert why({"labels": {"site": "factory-3"}}) == "factory could run it, but has not been heard of lately."


def test_a_step_is_named_to_members_of_its_project_only(run: Run) -> None:
    here = host("forge")
    worker = f"forge:7:1:here:{here.pk}"
    Host.objects.filter(pk=here.pk).update(
        groups={"steps": {"queues": ["cpu"], "at": timezone.now().isoformat(), "processes": [{"worker": worker, "pid": 7, "memory": 1}]}}
    )
    step = waiting(run, None)
    StepRun.objects.filter(pk=step.pk).update(status="running", worker=worker, started_at=timezone.now())
    member, stranger = run.project.members.get(), people.user("stranger@example.com")
    seen = {who: queries.list_hosts(who)[0]["processes"][0]["step"] for who in (member, stranger)}
    assert (seen[member]["step"], seen[member]["run"]) == (step.step, run.pk)
    assert (seen[stranger]["step"], seen[stranger]["run"], seen[stranger]["project"]) == ("", None, None)
    assert seen[stranger]["since"] is not None, "that something runs is no secret"


def test_a_token_joins_until_it_is_revoked_or_expires_and_a_removed_host_is_out() -> None:
    keeper = people.user("keeper@example.com")
    token, secret = actions.make_token(keeper, "Hall", 1)
    assert secret not in json.dumps(list(AuditEntry.objects.values("details", "after_digest")), default=str)
    script, body = (
        Client(enforce_csrf_checks=True),
        {"token": secret, "id": str(uuid4()), "name": "factory", "labels": {"site": "factory-3"}},
    )

    def join(**changes: Any) -> Any:
        return script.post("/api/v1/hosts/join", json.dumps({**body, **changes}), content_type="application/json")

    joined = join()
    assert joined.status_code == 201
    own = joined.json()["token"]
    assert Host.objects.get().labels == {"site": "factory-3"} and own not in Host.objects.get().token_hash
    digest = "ab" * 32

    def ask(with_: str) -> int:
        return int(script.get(f"/hosts/v1/blobs/{digest}", headers={"Authorization": f"Bearer {with_}"}).status_code)

    assert (ask(own), ask(secret), ask(""), ask("hr_nothing")) == (404, 401, 401, 401)
    assert script.get("/api/v1/me", headers={"Authorization": f"Bearer {own}"}).status_code == 401, "a host is no person"
    again = join().json()["token"]
    assert (Host.objects.count(), ask(own), ask(again)) == (1, 401, 404), "joining again replaces what was given"
    assert join(id=str(host("mine").pk)).status_code == 409, "nobody takes the place of the studio's own host"

    put = script.put(f"/hosts/v1/blobs/{digest}", b"other bytes", headers={"Authorization": f"Bearer {again}"})
    assert put.status_code == 422, "bytes keep the name that they give themselves"
    actions.want(Host.objects.get(name="factory").pk, keeper, "stopped")
    actions.remove(Host.objects.get(name="factory").pk, keeper)
    assert ask(again) == 401
    token.expires_at = timezone.now()
    token.save()
    assert join().status_code == 403
    other, another = actions.make_token(keeper, "Second", 1)
    actions.revoke_token(keeper, other.pk)
    assert join(token=another).status_code == 403
    noted = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"host.join", "host.stop", "host.remove", "join_token.create", "join_token.revoke"} <= noted


def test_what_a_host_says_is_looked_at_before_it_is_passed_on() -> None:
    start = b"user\0headrace\0database\0postgres\0options\0-c x=1\0\0"
    told = DatabaseGate("studio").feed((len(start) + 8).to_bytes(4, "big") + (3 << 16).to_bytes(4, "big") + start)
    assert b"user\0headrace_worker\0database\0studio\0" in told and b"options" not in told
    with pytest.raises(Refused):
        DatabaseGate("studio").feed((16).to_bytes(4, "big") + (80877102).to_bytes(4, "big") + b"12345678")  # cancel somebody else's query

    def command(*words: str) -> bytes:
        return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w.encode()), w.encode()) for w in words)

    good = command("LPUSH", "cpu", "x" * 5000) + command("SCRIPT", "LOAD", Lock.LUA_RELEASE_SCRIPT)
    gate = BrokerGate()
    assert gate.feed(good[:40]) == b"" and gate.feed(good[40:]) == good, "whole commands, however they arrive"
    script = command("SCRIPT", "LOAD", "return redis.call('FLUSHALL')")
    bad_ones = [
        command(*words.split()) for words in ("FLUSHALL", "CONFIG SET dir /", "EVAL x 0", "CLIENT KILL x", "KEYS *", "PUBSUB CHANNELS")
    ]
    for bad in (*bad_ones, script, b"FLUSHALL\r\n", command("PING") + command("SHUTDOWN")):
        with pytest.raises(Refused):
            BrokerGate().feed(bad)


def test_the_workers_role_may_call_the_ledger_and_read_nothing() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE headrace_worker")
        cursor.execute("SELECT ledger_claim(gen_random_uuid(), 'a:1:2:here:' || gen_random_uuid())")
        assert json.loads(cursor.fetchone()[0])["ok"] is False
        cursor.execute("SELECT has_table_privilege('runs_host', 'SELECT') OR has_table_privilege('core_user', 'SELECT')")
        assert cursor.fetchone() == (False,)
