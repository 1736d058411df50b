"""Registering, finding and naming model versions, as steps, scripts and pages do it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from backend.core.auth import new_secret
from backend.core.models import ApiToken, AuditEntry, Project
from backend.pipelines.actions import create_pipeline, publish
from backend.registry.errors import BadReference
from backend.registry.models import ModelVersion
from backend.registry.queries import resolve
from backend.runs.models import Run, StepRun
from tests.backend.models import PARITY, flowers
from tests.backend.people import Person, person

METRICS = {"accuracy": {"value": 0.97, "low": 0.95, "high": 0.99}, "rounds": 3}
GRAPH: dict[str, Any] = {
    "steps": {
        "read": {"component": "read_table", "parameters": {"dataset": "iris@3#" + "0" * 64}},
        "other": {"component": "read_table", "parameters": {"dataset": "unused@1"}},
        "train": {"component": "train_forest", "inputs": {"train": ["read.table"]}},
        "register": {"component": "register_model", "parameters": {"name": "Flowers"}, "inputs": {"model": ["train.model"]}},
    }
}


@pytest.fixture(autouse=True)
def _store(settings: Any, tmp_path: Path) -> None:
    settings.ARTIFACT_URL = str(tmp_path / "artifacts")


def step_of_a_run(editor: Person) -> tuple[Person, StepRun]:
    """A step that registers, asking with its own token."""
    pipeline = create_pipeline(editor.project, editor.user, "Iris", graph=GRAPH)
    version = publish(pipeline, editor.user)
    run = Run.objects.create(project=editor.project, number=7, pipeline_version=version, graph=version.graph, started_by=editor.user)
    step = StepRun.objects.create(
        project=editor.project, run=run, step="register", component="register_model", component_version="1", queue="io"
    )
    secret, digest, prefix = new_secret()
    ApiToken.objects.create(user=editor.user, project=editor.project, name="step", token_hash=digest, prefix=prefix, step_run=step.pk)
    return Person(editor.user, secret, editor.project), step


def body(artifact: Any, **more: Any) -> dict[str, Any]:
    return {"model": "Flowers of Spring", "artifact": artifact.digest, "metrics": METRICS, "parity": PARITY, **more}


def test_a_step_registers_once_however_often_it_is_repeated_and_the_version_tells_where_it_came_from(
    editor: Person, tmp_path: Path
) -> None:
    artifact = flowers(editor.project, tmp_path / "m")
    asking, step = step_of_a_run(editor)
    key = {"Idempotency-Key": f"{step.pk}:register"}
    made = asking.post("/models", body(artifact, aliases=["champion"]), 201, **key)
    assert asking.post("/models", body(artifact, aliases=["champion"]), 201, **key) == made  # the answer was lost
    assert asking.post("/models", body(artifact, aliases=["champion"]), 201) == made  # the step ran again and sent no key
    assert ModelVersion.objects.count() == 1
    told = (made["model"], made["number"], made["aliases"], made["run_number"], made["step"], made["pipeline"], made["pipeline_version"])
    assert told == ("flowers-of-spring", 1, ["champion"], 7, "register", "iris", 1)
    assert made["dataset_versions"] == ["iris@3"] and made["parameters"] == {"C": 1}
    assert made["metrics"] == {**METRICS, "rounds": {"value": 3}} and made["manifest"]["input"]["columns"][0]["name"] == "length"
    lineage = editor.get(f"/lineage/model_version/{made['id']}")
    assert {node["type"] for node in lineage["nodes"]} == {"artifact", "step_run", "model_version"}
    assert "flowers-of-spring@1" in {node["label"] for node in lineage["nodes"]}


def test_versions_count_up_aliases_move_and_the_audit_keeps_where_they_were(editor: Person, tmp_path: Path) -> None:
    first, second = (flowers(editor.project, tmp_path / str(n), offset=n) for n in (0, 1))
    editor.post("/models", body(first, aliases=["champion"]))
    assert editor.post("/models", body(second, model="flowers-of-spring"))["number"] == 2
    assert editor.post("/models", body(first))["number"] == 3  # without a step, the same artifact again is meant
    model = editor.put("/models/flowers-of-spring/aliases/champion", {"version": 2})
    assert model["aliases"] == {"champion": 2} and model["latest_version"] == 3 and model["metrics"] == {"accuracy": 0.97, "rounds": 3}
    moved = [e.details for e in AuditEntry.objects.filter(action="model.alias").order_by("id")]
    assert [(d["alias"], d["from"], d["to"]) for d in moved] == [("champion", None, 1), ("champion", 1, 2)]
    for text, number in [
        ("Flowers of Spring", 3),
        ("flowers-of-spring@latest", 3),
        ("flowers-of-spring@1", 1),
        ("flowers-of-spring@champion", 2),
    ]:
        assert resolve(editor.project, text).number == number
    with pytest.raises(BadReference):
        resolve(editor.project, "flowers-of-spring@")
    assert editor.ask("DELETE", "/models/flowers-of-spring/aliases/champion").json()["aliases"] == {}
    assert editor.ask("DELETE", "/models/flowers-of-spring/aliases/champion").status_code == 404
    assert editor.ask("PUT", "/models/flowers-of-spring/aliases/latest", {"version": 1}).json()["error"]["code"] == "bad_alias"


def test_lists_ask_the_database_equally_often_for_few_and_for_many(editor: Person, tmp_path: Path, django_assert_num_queries: Any) -> None:
    artifact = flowers(editor.project, tmp_path / "m")
    for name in ("a", "b", "c"):
        for _ in range(3):
            editor.post("/models", body(artifact, model=name, aliases=[f"{name}-best"]))
    with django_assert_num_queries(4):  # who asks, models, aliases with their versions, endpoints
        assert [m["slug"] for m in editor.get("/models")] == ["c", "b", "a"]
    with django_assert_num_queries(4):
        assert [v["number"] for v in editor.get("/models/a/versions")] == [3, 2, 1]


@pytest.mark.parametrize(
    ("change", "sent", "code", "words"),
    [
        ({"format": "pickle/1"}, {}, "not_a_model", "headrace-model/1"),
        ({"task": "poetry"}, {}, "not_a_model", "task"),
        ({}, {"parity": {"largest_difference": 0.01, "rows": 5}}, "differs_from_original", "0.01"),
        ({"parity": None}, {"parity": {}}, "parity_unknown", "checked"),
        ({}, {"aliases": ["latest"]}, "bad_alias", "latest"),
    ],
)
def test_what_is_not_a_sound_model_is_refused_and_nothing_is_registered(
    editor: Person, tmp_path: Path, change: dict[str, Any], sent: dict[str, Any], code: str, words: str
) -> None:
    artifact = flowers(editor.project, tmp_path / "m", **change)
    error = editor.post("/models", body(artifact, **sent), 422)["error"]
    assert error["code"] == code and words in error["message"]
    assert editor.get("/models") == []


def test_artifacts_of_other_projects_and_kinds_are_not_found(editor: Person, tmp_path: Path) -> None:
    other = person(Project.objects.create(slug="other", name="Other", created_at=timezone.now()), "owner")
    theirs = flowers(other.project, tmp_path / "m")
    assert editor.post("/models", body(theirs), 404)["error"]["code"] == "no_such_model_artifact"
    assert editor.post("/models", {**body(theirs), "artifact": "../../etc"}, 404)["error"]["code"] == "no_such_model_artifact"
