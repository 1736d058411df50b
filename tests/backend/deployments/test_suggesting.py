"""A deployed model suggests labels for what is still open, with the real predictor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backend.artifacts.actions import create_artifact
from backend.artifacts.storage import store
from backend.deployments.suggesting import prelabel
from backend.labeling.actions.fill import fill
from backend.labeling.models import LabelSchema, Suggestion
from backend.registry.actions import register
from tests.backend.datasets.conftest import Uploader, image, zipped
from tests.backend.deployments.conftest import Predictor
from tests.backend.labeling.conftest import say, take
from tests.backend.models import PARITY, flowers
from tests.backend.people import Person, person
from tests.workers.serving.models import brightness_model

QUESTION = (
    '<View><Text name="note" value="$note"/><Choices name="kind" toName="note">'
    '<Choice value="setosa"/><Choice value="versicolor"/><Choice value="virginica"/></Choices></View>'
)
VERSICOLOR: dict[str, Any] = {"id": "v", "from_name": "kind", "to_name": "note", "type": "choices", "value": {"choices": ["versicolor"]}}
LIGHT = """<View>
  <Image name="image" value="$image"/>
  <Choices name="light" toName="image"><Choice value="dark"/><Choice value="bright"/></Choices>
</View>"""
ROWS = [("a", 1.4, 0.2), ("b", 5.0, 1.7), ("c", 6.0, 2.3), ("d", "", 0.3)]
"""Clear, in doubt, clear, and one whose length is missing."""


def queue(owner: Person, dataset: str, xml: str) -> LabelSchema:
    schema = LabelSchema.objects.get(
        slug=owner.post("/label-schemas", {"name": "Kinds", "dataset": dataset, "xml": xml, "review_share": 0.0})["slug"]
    )
    fill(schema.pk)
    return schema


def test_rows_are_answered_kept_with_their_certainty_and_the_least_sure_comes_first(
    owner: Person, predictor: Predictor, tmp_path: Path
) -> None:
    register(owner.project, owner.user, "Flowers", flowers(owner.project, tmp_path / "m").digest)
    predictor.start()
    owner.post("/endpoints", {"model": "Flowers"})
    rows = "note,length,width\n" + "".join(f"{n},{length},{width}\n" for n, length, width in ROWS)
    table = Uploader(owner).ready(rows.encode(), "flowers.csv", options={"freeze": True})["dataset"]
    schema = queue(owner, table, QUESTION)
    where = f"/label-schemas/{schema.slug}/suggestions"
    assert owner.get(where)["prelabelling"] is None
    owner.ask("PATCH", f"/label-schemas/{schema.slug}", {"order": "uncertain"})
    assert owner.post(where, {"endpoint": "flowers"}, 202)["prelabelling"]["status"] == "queued"
    prelabel(schema.pk)
    told = owner.get(where)["prelabelling"]
    assert (told["status"], told["total"], told["done"], told["refused"]) == ("done", 4, 3, 1), told
    said = {s.item.data["note"]: s for s in Suggestion.objects.select_related("item")}
    assert {n: s.result[0]["value"]["choices"][0] for n, s in said.items()} == {"a": "setosa", "b": "virginica", "c": "virginica"}
    assert all(s.model_version == "flowers: flowers@1" and 1 / 3 < s.score <= 1 for s in said.values())
    annotator = person(owner.project, "annotator")
    given = take(annotator, schema.slug)
    assert given and given["data"]["note"] == min(said, key=lambda n: said[n].score) == "b"
    assert given["suggestions"][0]["result"][0]["value"] == {"choices": ["virginica"]}
    say(annotator, schema.slug, given["id"], [VERSICOLOR])
    owner.post(where, {"endpoint": "flowers"}, 202)
    prelabel(schema.pk)
    assert owner.get(where)["prelabelling"]["total"] == 3, "what a person has labelled is not asked about again"
    owner.post(f"/label-schemas/{schema.slug}/quality/honeypots", {"items": [{"item": given["id"], "result": [VERSICOLOR]}]})
    owner.post(where, {"endpoint": "flowers"}, 202)
    assert owner.get(where)["prelabelling"]["total"] == 4, "but for a honeypot, which would be noticed without"
    prelabel(schema.pk)
    assert Suggestion.objects.count() == 3, "an answer takes the place of the same endpoint's earlier one"


def test_pictures_are_answered_and_what_cannot_suggest_says_why(owner: Person, predictor: Predictor, tmp_path: Path) -> None:
    upload = Uploader(owner)
    register(
        owner.project,
        owner.user,
        "Light",
        create_artifact(owner.project, "Model", store().put_folder(brightness_model(tmp_path / "eye"))).digest,
        parity=PARITY,
    )
    register(owner.project, owner.user, "Flowers", flowers(owner.project, tmp_path / "m").digest)
    predictor.start()
    for model in ("Light", "Flowers"):
        owner.post("/endpoints", {"model": model})
    shades = {f"{n:02}.png": image((n * 12, n * 12, n * 12), (8, 8)) for n in range(20)}
    pictures = upload.ready(zipped(shades), "shades.zip", options={"freeze": True})["dataset"]
    schema = queue(owner, pictures, LIGHT)
    where = f"/label-schemas/{schema.slug}/suggestions"
    assert "rows of a table" in owner.post(where, {"endpoint": "flowers"}, 409)["error"]["message"]
    other = queue(owner, pictures, LIGHT.replace("bright", "pale"))
    assert "(bright, dark)" in owner.post(f"/label-schemas/{other.slug}/suggestions", {"endpoint": "light"}, 409)["error"]["message"]
    viewer = person(owner.project, "viewer")
    viewer.post(where, {"endpoint": "light"}, 403)
    owner.post(where, {"endpoint": "light"}, 202)
    assert owner.ask("DELETE", where).status_code == 204
    prelabel(schema.pk)
    assert (viewer.get(where)["prelabelling"]["status"], Suggestion.objects.count()) == ("cancelled", 0), "a stopped one stays stopped"
    owner.post(where, {"endpoint": "light"}, 202)
    prelabel(schema.pk)
    assert viewer.get(where)["prelabelling"]["done"] == 20
    said = {s.item.key: s.result[0]["value"]["choices"][0] for s in Suggestion.objects.select_related("item")}
    assert (said["00.png"], said["19.png"], len(said)) == ("dark", "bright", 20)
    predictor.stop()
    owner.post(where, {"endpoint": "light"}, 202)
    prelabel(schema.pk)
    failed = viewer.get(where)["prelabelling"]
    assert failed["status"] == "failed" and "predictor does not answer" in failed["message"] and Suggestion.objects.count() == 20
