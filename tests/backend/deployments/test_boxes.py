"""A detector draws boxes for what is open; people keep, move or throw them away; what it is sure of becomes a label."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.artifacts.actions import create_artifact
from backend.artifacts.storage import store
from backend.deployments.suggesting import prelabel
from backend.labeling.actions.auto_accept import accept_sure
from backend.labeling.models import Annotation, LabelSchema, QueueItem, Suggestion
from backend.labeling.queries.items import wording
from backend.labeling.queries.schemas import newest_version
from backend.registry.actions import register
from tests import scenes
from tests.backend.datasets.conftest import Uploader, zipped
from tests.backend.deployments.conftest import Predictor
from tests.backend.deployments.test_suggesting import queue
from tests.backend.labeling.conftest import say, take
from tests.backend.people import Person, person
from workers import catalog
from workers.sdk import context
from workers.sdk.labels.results import check
from workers.serving.model import LoadedModel

BOXES = """<View>
  <Image name="image" value="$image"/>
  <RectangleLabels name="box" toName="image"><Label value="0"/><Label value="1"/></RectangleLabels>
</View>"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with context.local(tmp_path_factory.mktemp("boxes")):
        train = scenes.images(60, kinds=(0, 1), size=(96, 128), most=3)
        settings = {"epochs": 16, "width": 8, "learning_rate": 0.006, "patience": 0}
        found: Path = catalog.load().components["train_object_detector"].call({"train": train}, settings)["model"].file()
    return found


@pytest.fixture
def model(owner: Person, trained: Path) -> LoadedModel:
    register(owner.project, owner.user, "Digits", create_artifact(owner.project, "Model", store().put_folder(trained)).digest)
    return LoadedModel(trained, "digits@1")


def pictures(count: int) -> dict[str, bytes]:
    random = np.random.default_rng(7)
    return {f"{n:02}.png": scenes.scene(random, (0, 1), 96, 128, 3)[0] for n in range(count)}


def test_boxes_are_suggested_fit_the_schema_and_are_counted_as_people_keep_them(
    owner: Person, predictor: Predictor, model: LoadedModel
) -> None:
    files = pictures(12)
    dataset = Uploader(owner).ready(zipped(files), "scenes.zip", options={"freeze": True})["dataset"]
    schema = queue(owner, dataset, BOXES)
    right = dict(
        zip(
            files,
            model.answers(model.infer(model.check([{"image": base64.b64encode(d).decode()} for d in files.values()])[0])),
            strict=True,
        )
    )
    predictor.start()
    owner.post("/endpoints", {"model": "Digits"})
    where = f"/label-schemas/{schema.slug}/suggestions"
    owner.put(where + "/on-opening", {"endpoint": "digits"})
    opened = QueueItem.objects.filter(schema=schema).earliest("id")
    (alone,) = owner.post(f"/label-schemas/{schema.slug}/items/{opened.pk}/suggestions", None, 200)["suggestions"]
    assert [r["value"]["rectanglelabels"][0] for r in alone["result"]] == [b["label"] for b in right[opened.key]["boxes"]]
    owner.ask("PATCH", f"/label-schemas/{schema.slug}", {"order": "uncertain"})
    for whom in ({"model": "digits@1"}, {"endpoint": "digits"}):
        owner.post(where, whom, 202)
        prelabel(schema.pk)
        told = owner.get(where)["prelabelling"]
        assert (told["status"], told["done"], told["control"]) == ("done", 12, "box"), told
        family = "digits: " if "endpoint" in whom else "digits@"
        rows = Suggestion.objects.filter(model_version__startswith=family).select_related("item")
        assert rows.count() == 12
        for row in rows:
            answer = right[row.item.key]
            kept, problems = check(wording(newest_version(schema)), row.result, {})
            assert not problems and len({r["id"] for r in kept}) == len(answer["boxes"]), problems
            assert [r["value"]["rectanglelabels"][0] for r in kept] == [b["label"] for b in answer["boxes"]]
            assert row.score == pytest.approx(answer["certainty"], abs=1e-6)
            assert all((r["original_width"], r["original_height"]) == (128, 96) for r in kept)
    assert any(one["boxes"] for one in right.values())

    annotator = person(owner.project, "annotator")
    first = QueueItem.objects.filter(schema=schema).order_by("rank").first()
    assert first is not None and first.key == min(right, key=lambda key: right[key]["certainty"]), "the least sure comes first"
    outcomes = {"accepted": 0, "adjusted": 0, "rejected": 0}
    for turn in range(12):
        item = take(annotator, schema.slug)
        assert item
        given = item["suggestions"][0]["result"]
        if not given:
            say(annotator, schema.slug, item["id"], [])
            continue
        what = ("accepted", "adjusted", "rejected")[turn % 3]
        outcomes[what] += 1
        result = [{k: v for k, v in region.items() if k != "score"} for region in given]
        if what == "adjusted":
            result[0]["value"] = {**result[0]["value"], "x": max(0.0, result[0]["value"]["x"] - 1)}
        say(annotator, schema.slug, item["id"], result if what != "rejected" else [])
    (counted,) = [o for o in owner.get(where + "/outcomes") if o["model_version"].startswith("digits: ")]
    assert {name: counted[name] for name in outcomes} == outcomes and sum(outcomes.values()) > 3


def test_pictures_the_model_is_sure_of_are_labelled_without_a_person(
    owner: Person, model: LoadedModel, settings: Any, tmp_path: Path
) -> None:
    dataset = Uploader(owner).ready(zipped(pictures(20)), "scenes.zip", options={"freeze": True})["dataset"]
    schema = queue(owner, dataset, BOXES)
    owner.post(f"/label-schemas/{schema.slug}/suggestions", {"model": "digits@1"}, 202)
    prelabel(schema.pk)
    scores = list(Suggestion.objects.exclude(result=[]).values_list("score", flat=True))
    least = sorted(score for score in scores if score >= 0.5)
    assert least, scores
    wanted = {"enabled": True, "threshold": least[0], "audit_share": 0.01, "max_error": 0.5}
    assert owner.ask("PUT", f"/label-schemas/{schema.slug}/auto-accept", wanted).status_code == 202
    accept_sure(schema.pk)
    labels = Annotation.objects.filter(schema=schema, how="model")
    assert labels.count() == len(least) - 1, "all but the one that goes to a person"
    assert all(label.result and label.support >= least[0] for label in labels)


def test_a_detector_says_what_the_schema_lacks(owner: Person, model: LoadedModel, settings: Any, tmp_path: Path) -> None:
    dataset = Uploader(owner).ready(zipped(pictures(3)), "scenes.zip", options={"freeze": True})["dataset"]
    rows = Uploader(owner).ready(b"note\na\nb\n", "notes.csv", options={"freeze": True})["dataset"]
    note = (
        '<View><Text name="note" value="$note"/><Choices name="box" toName="note"><Choice value="0"/><Choice value="1"/></Choices></View>'
    )
    for data, xml, words in (
        (dataset, BOXES.replace('<Label value="1"/>', ""), "“box” has no label “1”"),
        (dataset, BOXES.replace("RectangleLabels", "PolygonLabels"), "asks for none"),
        (rows, note, "takes pictures"),
    ):
        schema: LabelSchema = queue(owner, data, xml)
        refused = owner.post(f"/label-schemas/{schema.slug}/suggestions", {"model": "digits@1"}, 409)["error"]
        assert words in refused["message"], refused
