"""A loop on boxes: what it learns from, what it refuses, and how its models are measured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from backend.datasets.models import Item
from backend.labeling.models import HeldBack, LabelSchema, QueueItem
from backend.learning.actions import boxes, rounds
from backend.learning.models import Draw, Loop, Round
from backend.registry.models import Model, ModelVersion
from tests.backend.labeling.conftest import Labs, say, take
from tests.backend.people import Person
from tests.scenes import region
from workers.sdk.labels.config import LabelControl

BOXES = """<View>
  <Image name="image" value="$image"/>
  <RectangleLabels name="box" toName="image"><Label value="cat"/><Label value="dog"/></RectangleLabels>
  <RectangleLabels name="else" toName="image"><Label value="cat"/></RectangleLabels>
</View>"""
LOOP = {"template": "object-detection", "every": 4, "test_size": 6, "draws": 2}
CAT = {"label": "cat", "x": 10, "y": 20, "width": 30, "height": 40}
DOG = {"label": "dog", "x": 60, "y": 60, "width": 20, "height": 20}


def label(who: Person, slug: str, count: int, result: list[Any]) -> None:
    for _ in range(count):
        item = take(who, slug)
        assert item and not item["suggestions"]
        say(who, slug, item["id"], result)


def advance(slug: str) -> Loop:
    schema = LabelSchema.objects.get(slug=slug)
    rounds.advance(schema.pk)
    found: Loop = Loop.objects.get(schema=schema)
    return found


def test_a_round_learns_the_boxes_of_its_question_and_pictures_without_one(labs: Labs, ann: Person) -> None:
    slug = labs.schema(labs.pictures(30), BOXES, review_share=0.0)
    where = f"/label-schemas/{slug}/loop"
    classes = labs.editor.post("/pipelines", {"name": "Classes", "template": "image-classification"})["slug"]
    objects = labs.editor.post("/pipelines", {"name": "Objects", "template": "object-detection"})["slug"]
    told = labs.editor.get(where)
    assert told["template"] == "object-detection" and [one["slug"] for one in told["candidates"]] == [objects]
    refused = labs.editor.ask("PUT", where, {**LOOP, "template": None, "pipeline": classes})
    assert "does not learn boxes, for which “box” asks" in refused.json()["error"]["message"]
    loop = labs.editor.ask("PUT", where, LOOP).json()["loop"]
    assert (loop["control"], loop["measure"]) == ("box", "map_50")

    label(ann, slug, 10, [])
    advance(slug)
    assert Round.objects.get().status == "failed" and "Nobody has drawn a box" in Round.objects.get().message
    label(ann, slug, 3, [region(CAT), region(DOG, 1), region(CAT, 2, name="else")])
    label(ann, slug, 1, [])
    advance(slug)
    row = Round.objects.get(number=2)
    assert (row.status, row.stage, row.labels) == ("running", "train", 8), row.message
    learned = list(Item.objects.filter(dataset=row.version.dataset))
    assert len(learned) == 8 and all(item.label is None for item in learned)
    results = [item.data["annotations"]["result"] for item in learned]
    assert sorted(len(one) for one in results) == [0] * 5 + [2] * 3
    assert {r["from_name"] for one in results for r in one} == {"box"}, "only the question's own boxes"
    test = set(QueueItem.objects.filter(held_back__part="test").values_list("key", flat=True))
    assert not test & {item.key for item in learned}
    assert "annotations" in [c["name"] for c in row.version.columns], "the trainer is given them"


def test_the_curve_shows_precision_beside_random_order(labs: Labs, ann: Person) -> None:
    slug = labs.schema(labs.pictures(60), BOXES, review_share=0.0)
    labs.editor.ask("PUT", f"/label-schemas/{slug}/loop", {**LOOP, "every": 14, "test_size": 36})
    label(ann, slug, 50, [region(CAT)])
    advance(slug)
    Round.objects.update(status="succeeded", right=3, tested=36, value=0.5, low=0.4, high=0.7)
    for turn, value in ((1, 0.25), (2, 0.75)):
        advance(slug)
        Draw.objects.filter(turn=turn).update(status="succeeded", right=1, tested=36, value=value)
    told = labs.editor.get(f"/label-schemas/{slug}/loop")["loop"]
    assert [(r["accuracy"], r["low"], r["high"], r["tested"]) for r in told["rounds"]] == [(0.5, 0.4, 0.7, 36)]
    assert told["random"] == [{"labels": 14, "accuracy": 0.5, "low": 0.25, "high": 0.75, "draws": 2, "tested": 36}]


def test_a_model_is_measured_by_how_well_its_boxes_lie_on_those_of_people(labs: Labs, ann: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    slug = labs.schema(labs.pictures(24), BOXES, review_share=0.0)
    labs.editor.ask("PUT", f"/label-schemas/{slug}/loop", {**LOOP, "every": 2})
    label(ann, slug, 8, [region(CAT), region(DOG, 1)])
    loop = Loop.objects.select_related("schema__dataset", "schema__created_by", "started_by").get()
    items = list(QueueItem.objects.filter(held_back__in=HeldBack.objects.filter(part="test")))
    labelled = [(item, [region(CAT), region(DOG, 1)]) for item in items]
    output = {"labels": ["cat"], "threshold": 0.5, "kind": "detection"}
    manifest = {"input": {"kind": "image"}, "output": output}
    version = ModelVersion(model=Model(slug="m", name="M"), number=1, manifest=manifest)
    control = LabelControl(name="box", to="image", tag="RectangleLabels", type="rectanglelabels")

    def measured(*answers: Any) -> dict[str, Any]:
        @contextmanager
        def asked(whom: Any, user: Any) -> Iterator[Any]:
            left = iter(answers)
            yield lambda instances: ([next(left) for _ in instances], "m@1")

        monkeypatch.setattr(boxes, "asking", asked)
        return boxes.precise(loop, version, control, labelled)

    cat, dog = ({**box, "score": 0.9} for box in (CAT, DOG))
    output["labels"] = ["cat", "dog"]
    assert measured(*[{"boxes": [cat, dog], "unsure": []}] * 6) == {"right": 6, "tested": 6, "value": 1.0, "low": 1.0, "high": 1.0}
    half = measured(*[{"boxes": [cat], "unsure": [{**dog, "score": 0.2}]}] * 6)
    assert (half["right"], half["value"]) == (0, 1.0), "what it is unsure of counts for precision by recall, as in an evaluation"
    output["labels"] = ["cat"]
    assert measured(*[{"boxes": [cat], "unsure": []}] * 6)["value"] == 0.5, "of a label that it does not know it finds nothing"
    mixed = measured(*[{"boxes": [cat], "unsure": []}] * 3, *[None] * 3)
    assert mixed["low"] < mixed["value"] < mixed["high"] and 0.2 < mixed["value"] < 0.3, "nothing is found in what cannot be answered"
