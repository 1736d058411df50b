"""Secrets of a project over HTTP: set and never seen again, but by the running step that names one."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from backend.core.models import AuditEntry, Project
from backend.pipelines.models import CodeComponent, CodeVersion, Pipeline
from backend.runs.models import ProjectSecret, Run, StepRun
from tests.backend.people import Person, person
from tests.backend.runs.test_runs import claim, finish, sql, step_run, value
from tests.workers.engine.studio import step

Json = dict[str, Any]
VALUE = "correct horse battery"


@pytest.fixture
def owner(project: Project) -> Person:
    return person(project, "owner")


def pipeline(project: Project, slug: str, **steps: Json) -> None:
    Pipeline.objects.create(project=project, slug=slug, name=slug, draft={"steps": steps})


def naming(name: str) -> Json:
    return step("tell", text={"$secret": name})


def token(person_: Person, claimed: Json, word: str) -> Person:
    """Who asks with the token of a claimed step."""
    secret = f"hr_{word}"
    assert sql("ledger_grant(%s::uuid, %s, %s, 'hr_', 1)", claimed["id"], claimed["attempt"], hashlib.sha256(secret.encode()).hexdigest())
    return Person(person_.user, secret, person_.project)


def test_a_secret_is_set_listed_and_deleted_and_its_value_never_shown(owner: Person, editor: Person, project: Project) -> None:
    made = owner.put("/secrets/API_KEY", {"value": VALUE})
    assert set(made) == {"name", "created_by", "created_at", "updated_at"} and made["name"] == "API_KEY"
    kept = ProjectSecret.objects.get().ciphertext
    assert VALUE not in kept
    owner.put("/secrets/API_KEY", {"value": VALUE})
    assert ProjectSecret.objects.get().ciphertext != kept, "the same text never looks the same twice"
    assert [s["name"] for s in editor.get("/secrets")] == ["API_KEY"] and VALUE not in str(editor.get("/secrets"))
    owner.get("/secrets/API_KEY/value", 404)
    for wrong in ("api_key", "1KEY", "A" * 61):
        owner.put(f"/secrets/{wrong}", {"value": VALUE}, 422)
    owner.put("/secrets/SHORT", {"value": "seven77"}, 422)

    viewer, operator = person(project, "viewer"), person(project, "operator")
    viewer.get("/secrets", 403)
    assert [s["name"] for s in operator.get("/secrets")] == ["API_KEY"]
    for caller in (viewer, operator, editor):
        caller.put("/secrets/API_KEY", {"value": VALUE}, 403)
        assert caller.ask("DELETE", "/secrets/API_KEY").status_code == 403
    assert owner.ask("DELETE", "/secrets/API_KEY").status_code == 204
    assert owner.get("/secrets") == []
    entries = AuditEntry.objects.filter(action__startswith="secret.").order_by("id")
    assert [e.action for e in entries] == ["secret.set", "secret.set", "secret.delete"]
    assert all(VALUE not in str(vars(e)) and not e.before_digest and not e.after_digest for e in entries)


def test_a_run_does_not_start_on_a_secret_that_is_not_there(owner: Person, editor: Person, project: Project) -> None:
    other = person(Project.objects.create(slug="other", name="Other"), "owner")
    other.put("/secrets/API_KEY", {"value": VALUE})
    pipeline(project, "line", a=naming("API_KEY"))
    refused = editor.post("/runs", {"pipeline": "line"}, 422)["error"]
    assert refused["field"] == "a.text" and "no secret “API_KEY”" in refused["problems"][0]["message"]
    assert not Run.objects.exists()
    owner.put("/secrets/API_KEY", {"value": VALUE})
    run = editor.post("/runs", {"pipeline": "line"})
    assert step_run(run, "a").parameters["text"] == {"$secret": "API_KEY"} and VALUE not in str(editor.get(f"/runs/{run['id']}"))


def test_only_the_running_step_that_names_a_secret_gets_it(owner: Person, editor: Person, project: Project) -> None:
    other = person(Project.objects.create(slug="other", name="Other"), "owner")
    other.put("/secrets/API_KEY", {"value": "the other project's"})
    owner.put("/secrets/API_KEY", {"value": VALUE})
    owner.put("/secrets/ANOTHER", {"value": "another value"})
    pipeline(project, "line", a=naming("API_KEY"), b=step("number", value=1))
    run = editor.post("/runs", {"pipeline": "line"})
    claimed = claim(step_run(run, "a").pk)["next"]
    named, unnamed = token(editor, claimed, "a"), token(editor, claim(step_run(run, "b").pk, "v")["next"], "b")
    assert named.get("/secrets/API_KEY/value") == {"value": VALUE}
    named.get("/secrets/ANOTHER/value", 404)
    unnamed.get("/secrets/API_KEY/value", 404)
    owner.get("/secrets/API_KEY/value", 404)
    Person(editor.user, named.secret, other.project).get("/secrets/API_KEY/value", 404)
    StepRun.objects.filter(pk=claimed["id"]).update(component="code:mine@1")
    named.get("/secrets/API_KEY/value", 404)
    StepRun.objects.filter(pk=claimed["id"]).update(component="tell")
    finish(claimed, value(3), take=False)
    named.get("/secrets/API_KEY/value", 401)


def test_code_steps_are_refused_a_secret_at_the_start(owner: Person, editor: Person, project: Project) -> None:
    owner.put("/secrets/API_KEY", {"value": VALUE})
    mine = CodeComponent.objects.create(project=project, slug="mine", name="Mine")
    form = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    spec = {"name": "mine", "title": "Mine", "summary": "", "help": "", "inputs": [], "outputs": [], "parameters": form, "cacheable": True}
    CodeVersion.objects.create(component=mine, number=1, source="# as looked at", digest="d", spec=spec)
    pipeline(project, "line", a={"component": "code:mine@1", "parameters": {"text": {"$secret": "API_KEY"}}, "inputs": {}})
    refused = editor.post("/runs", {"pipeline": "line"}, 422)["error"]
    assert refused["field"] == "a.text" and "code steps get no secrets" in refused["problems"][0]["message"]
