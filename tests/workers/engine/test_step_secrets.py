"""A secret in a step's parameters on the real engine, web server and all: the step has it, and nothing it says shows it."""

from __future__ import annotations

import json
import socket
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from backend.core.secrets import _fernet
from tests.workers.engine.studio import Studio, step, studio, until

Json = dict[str, Any]
VALUE = 'correct "horse"\nbattery staple é'
TABLES = (
    "runs_logline",
    "runs_metricpoint",
    "runs_steprun",
    "runs_run",
    "runs_attempt",
    "runs_runevent",
    "artifacts_artifact",
    "core_auditentry",
)


@pytest.fixture(scope="module")
def lab() -> Iterator[Studio]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with studio(HEADRACE_API_URL=f"http://127.0.0.1:{port}", ALLOWED_HOSTS="127.0.0.1") as made:
        made.spawn("uvicorn", "backend.config.asgi:application", "--host", "127.0.0.1", "--port", str(port), "--log-level", "warning")
        kept = _fernet(made.env["SECRET_KEY"]).encrypt(VALUE.encode()).decode()
        with made.sql() as connection:
            connection.execute(
                "INSERT INTO core_membership (project_id, user_id, role, created_at) VALUES (%s, %s, 'editor', now())",
                (made.project, made.user),
            )
            connection.execute(
                "INSERT INTO runs_projectsecret (id, project_id, name, ciphertext, created_at, updated_at)"
                " VALUES (%s, %s, 'API_KEY', %s, now(), now())", (uuid.uuid4(), made.project, kept))  # fmt: skip
        until(lambda: _answers(f"http://127.0.0.1:{port}/healthz"), 90)
        made.worker(1)
        made.reaper()
        yield made


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


def everything(lab: Studio) -> str:
    return "\n".join(str(row[0]) for table in TABLES for row in lab.query(f"SELECT to_jsonb(t)::text FROM {table} t"))


@pytest.mark.parametrize("component", ["tell", "tell_apart"])
def test_the_step_has_it_and_nothing_it_says_shows_it(lab: Studio, component: str) -> None:
    run = lab.start({"a": step(component, text={"$secret": "API_KEY"})})["id"]
    assert lab.wait(run)["status"] == "succeeded", lab.steps(run)["a"]["error"]
    assert lab.value(run, "a") == {"length": len(VALUE)}, "it had the value itself"
    broken = lab.start({"a": step(component, text={"$secret": "API_KEY"}, how="raise")})["id"]
    assert lab.wait(broken)["status"] == "failed" and "RuntimeError: failed with" in lab.steps(broken)["a"]["error"]["message"]
    assert any("printed •••" in text for _, _, text in lab.lines(run, "a"))
    assert lab.steps(run)["a"]["parameters"]["text"] == {"$secret": "API_KEY"}
    seen = everything(lab)
    assert "series •••" in seen
    for part in (*VALUE.splitlines(), json.dumps(VALUE)[1:-1], repr(VALUE)[1:-1], "battery staple"):
        assert part not in seen, part


def test_a_secret_that_is_gone_fails_the_step_by_its_parameter(lab: Studio) -> None:
    run = lab.start({"a": step("tell", text={"$secret": "GONE"})})["id"]
    assert lab.wait(run)["status"] == "failed"
    error = lab.steps(run)["a"]["error"]
    assert error["code"] == "step_error" and error["field"] == "text" and "no secret “GONE”" in error["message"]
