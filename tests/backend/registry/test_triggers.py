"""A model version that is registered, or named anew, starts what waits for it; through the API that steps and pages use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.pipelines.actions import create_pipeline, publish
from backend.runs.models import Run
from backend.runs.triggers import fire
from tests.backend.models import PARITY, flowers
from tests.backend.people import Person
from tests.workers.engine.studio import plugin, step

Json = dict[str, Any]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def judge(editor: Person, settings: Any, tmp_path: Path) -> Iterator[str]:
    """A published pipeline that a version's number can be given to."""
    settings.ARTIFACT_URL = str(tmp_path / "artifacts")
    with plugin():
        made = create_pipeline(editor.project, editor.user, "Judge", graph={"steps": {"a": step("number", value=3)}})
        publish(made, editor.user)
        yield made.slug


def trigger(editor: Person, judge: str, name: str, **config: str) -> str:
    mapping = {"a": {"value": "$event.data.version"}}
    made: Json = editor.post(
        "/triggers", {"name": name, "kind": "model_registered", "pipeline": judge, "config": config, "mapping": mapping}
    )
    return str(made["slug"])


def happened(editor: Person, slug: str) -> list[tuple[str, str]]:
    fire.advance()
    return [
        (event["source"], event["status"] if event["status"] == "started" else event["reason"])
        for event in reversed(editor.get(f"/triggers/{slug}/events")["items"])
    ]


def test_a_registered_version_and_a_moved_alias_start_only_what_waits_for_them(editor: Person, judge: str, tmp_path: Path) -> None:
    slugs = [
        trigger(editor, judge, "any"),
        trigger(editor, judge, "roses", model="roses"),
        trigger(editor, judge, "champions", model="flowers", alias="champion"),
    ]
    artifact = flowers(editor.project, tmp_path / "m")

    def register(model: str, **more: Any) -> None:
        editor.post("/models", {"model": model, "artifact": artifact.digest, "metrics": {"accuracy": 0.9}, "parity": PARITY, **more}, 201)

    register("Flowers")
    assert [happened(editor, slug) for slug in slugs] == [[("flowers@1", "started")], [], []]
    assert Run.objects.get().parameters == {"a": {"value": 1}}, "the run is told which version it is about"
    register("Roses", aliases=["champion"])
    register("Flowers", aliases=["champion"])
    editor.put("/models/flowers/aliases/champion", {"version": 1})
    editor.put("/models/flowers/aliases/champion", {"version": 1})
    told = [happened(editor, slug) for slug in slugs]
    assert [[source for source, _ in events] for events in told] == [
        ["flowers@1", "roses@1", "flowers@2"], ["roses@1"], ["flowers@2", "flowers@1"],
    ], "an alias that stays where it was is no event"  # fmt: skip
    event = editor.get(f"/triggers/{slugs[2]}/events")["items"][0]
    data = editor.get(f"/triggers/{slugs[2]}/events/{event['id']}")["payload"]["data"]
    assert (data["alias"], data["version"], data["metrics"]) == ("champion", 1, {"accuracy": 0.9})
