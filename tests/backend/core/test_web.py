"""What every answer has in common: error shape, headers, the OpenAPI document, repeats with a key."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from backend.config.api import api
from backend.core.errors import Conflict
from backend.core.idempotency import idempotent
from backend.core.models import IdempotencyKey, Project
from tests.backend.core.people import PASSWORD, Api, project, token, user

pytestmark = pytest.mark.django_db


def test_error_is_our_json_wherever_it_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    project(owner=(ada := user()))
    page = Api(ada, raises=False)
    assert page.error(404, "GET", "/nothing/here")["code"] == "route_not_found"
    wrong = page("PUT", "/projects/wine", {})
    assert (wrong.status_code, set(wrong["Allow"].split(", ")), wrong.json()["error"]["code"]) == (
        405,
        {"GET", "PATCH", "DELETE"},
        "method_not_allowed",
    )
    strange = page.client.get("/api/v1/studio", headers={"Host": "evil.example"})
    assert (strange.status_code, "error" in strange.json()) == (400, True)

    def crash() -> None:
        raise RuntimeError("secret internals")

    monkeypatch.setattr("backend.core.queries.people.first_account", crash)
    answer = page("GET", "/studio")
    error = answer.json()["error"]
    assert answer.status_code == 500 and "internals" not in answer.content.decode()
    assert error["details"]["request_id"] == answer["X-Request-Id"] and answer["X-Request-Id"] in error["message"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", "application/json"),
        (b"\xff", "application/json"),
        (b"[" * 100_000, "application/json"),
        (b'{"name": NaN}', "application/json"),
        (b"name=x", "application/x-www-form-urlencoded"),
    ],
)
def test_body_that_is_not_json_is_told_so(body: bytes, kind: str) -> None:
    page = Api(user())
    answer = page.client.generic("POST", "/api/v1/projects", body, content_type=kind)
    assert answer.status_code == 400 and answer.json()["error"]["code"] == "not_json"


@pytest.mark.parametrize("name", ["a\\u0000b", "\\ud800", "x" * 121, "", " \\t ", "\\u2028"])
def test_text_the_database_cannot_keep_is_refused_before_it_gets_there(name: str) -> None:
    answer = Api(user()).client.generic("POST", "/api/v1/projects", f'{{"name": "{name}"}}', content_type="application/json")
    assert answer.status_code == 422 and answer.json()["error"]["field"] == "name"


@pytest.mark.parametrize("body", ["[]", "[null]", "null", '"x"', "7"])
def test_body_that_is_no_object_is_refused_even_where_all_fields_are_optional(body: str) -> None:
    project(owner=(ada := user()))
    answer = Api(ada).client.generic("PATCH", "/api/v1/projects/wine", body, content_type="application/json")
    assert answer.status_code == 422 and "object" in answer.json()["error"]["message"]


def test_address_with_a_nul_is_refused() -> None:
    page = Api(user())
    for path in ("/projects/a%00b", "/projects/wine/audit?action=%00", "/invitations/%00"):
        page.error(422, "GET", path)


def test_page_may_run_only_the_studios_own_scripts() -> None:
    answer = Client().get("/p/wine")
    policy = dict(rule.split(" ", 1) for rule in answer["Content-Security-Policy"].split("; "))
    assert policy["script-src"] == "'self'" and policy["object-src"] == "'none'" and policy["frame-ancestors"] == "'none'"
    assert "blob:" in policy["img-src"] and "ws://localhost:8000" in policy["connect-src"]
    assert (
        answer["X-Content-Type-Options"] == "nosniff"
        and answer["Referrer-Policy"] == "same-origin"
        and "camera=()" in answer["Permissions-Policy"]
    )
    assert Api().client.get("/api/v1/studio")["Cache-Control"] == "no-store"


def test_openapi_document_names_every_error_and_who_may() -> None:
    document = Client().get("/api/v1/openapi.json").json()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert {"401", "422", "500"} <= set(operation["responses"]), f"{method} {path}"
            assert ("404" in operation["responses"]) or "{" not in path
    assert document["paths"]["/api/v1/studio"]["get"]["security"] == []
    assert set(document["components"]["schemas"]["ErrorBody"]["properties"]) >= {"code", "message", "field", "hint", "problems", "details"}
    assert Client().get("/api/v1/docs").status_code == 404, "no page that loads scripts from elsewhere"


def test_empty_secret_key_is_refused_in_one_sentence() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "django", "check"],
        env={**os.environ, "SECRET_KEY": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1 and done.stderr.startswith("SECRET_KEY is empty") and done.stderr.count("\n") == 1


# --- repeats --------------------------------------------------------------------------------------------------------


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """`PATCH /projects/{project}` made repeatable, with a count of how often it was really done."""
    done: list[str] = []
    (operation,) = [o for o in _operations() if o.view_func.__name__ == "update_project"]
    inner = operation.view_func.__wrapped__

    def view(request: Any, **kwargs: Any) -> Any:
        done.append(kwargs["payload"].name)
        if kwargs["payload"].name == "refuse":
            raise Conflict(message="no")
        return inner(request, **kwargs)

    monkeypatch.setattr(operation, "view_func", idempotent()(view))
    return done


def _operations() -> list[Any]:
    return [o for router in api._get_bound_routers() for view in router.path_operations.values() for o in view.operations]


@pytest.mark.django_db(transaction=True)
def test_repeat_with_the_same_key_is_answered_the_same_and_done_once(counted: list[str]) -> None:
    project("wine", owner=(ada := user()))
    project("beer", owner=ada)
    script = Api(token=token(ada))

    def rename(name: str, key: str, slug: str = "wine") -> Any:
        return script("PATCH", f"/projects/{slug}", {"name": name}, **{"Idempotency-Key": key})

    first, second = rename("One", "k1"), rename("One", "k1")
    assert (
        first.json() == second.json() and (first.status_code, second.status_code) == (200, 200) and second["Idempotent-Replayed"] == "true"
    )
    assert counted == ["One"]
    assert rename("Two", "k1").status_code == 409, "another body"
    assert script("PATCH", "/projects/beer", {"name": "One"}, **{"Idempotency-Key": "k1"}).status_code == 200, "keys belong to a project"
    assert rename("refuse", "k2").status_code == 409 and not IdempotencyKey.objects.filter(key="k2").exists()
    assert rename("Three", "k2").status_code == 200, "after an error the key is free again"
    assert rename("x", "k" * 201).status_code == 422
    stranger = Api(user("stranger@example.com"))
    assert stranger("PATCH", "/projects/wine", {"name": "One"}, **{"Idempotency-Key": "k1"}).status_code == 404, (
        "the answer is not for strangers"
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("atomic", [True, False])
def test_repeats_at_the_same_time_do_it_once(counted: list[str], monkeypatch: pytest.MonkeyPatch, atomic: bool) -> None:
    project("wine", owner=(ada := user()))
    (operation,) = [o for o in _operations() if o.view_func.__name__ == "view"]
    monkeypatch.setattr(operation, "view_func", idempotent(atomic=atomic)(operation.view_func.__wrapped__))
    secret, start, answers = token(ada), threading.Barrier(6), []

    def go() -> None:
        start.wait()
        answers.append(Api(token=secret)("PATCH", "/projects/wine", {"name": "Once"}, **{"Idempotency-Key": "same"}))
        connection.close()

    threads = [threading.Thread(target=go) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted == ["Once"] and {a.status_code for a in answers} == {200} and all(a.json() == answers[0].json() for a in answers)
    assert Project.objects.get().name == "Once"


def test_database_away_is_503_and_not_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    def away() -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr("backend.core.queries.people.first_account", away)
    answer = Api()("GET", "/studio")
    assert answer.status_code == 503 and answer["Retry-After"] and PASSWORD not in answer.content.decode()
