"""A loop as far as it goes without workers: what it draws, when a round is due, what is learned from, what goes wrong, how it ends."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pyarrow.parquet as pq
import pytest

from backend.artifacts.storage import store
from backend.datasets.models import Item
from backend.labeling.models import Annotation, HeldBack, LabelSchema, QueueItem, Suggestion
from backend.learning.actions import rounds
from backend.learning.models import Draw, Loop, Round
from backend.runs.models import Run
from backend.runs.triggers.counting import count_labels
from backend.runs.triggers.models import TriggerEvent
from tests.backend.datasets.conftest import zipped
from tests.backend.labeling.conftest import WORDS, Labs, choice, say, take
from tests.backend.labeling.test_suggestions import KINDS
from tests.backend.people import Person
from tests.media import wav
from workers.training import spans as truth

turn: Counter[bool] = Counter()
LOOP = {"template": "image-classification", "every": 4, "test_size": 6, "draws": 2}


def label(who: Person, slug: str, count: int) -> None:
    """Both kinds in turn, among what is learned from and among the rest."""
    for _ in range(count):
        item = take(who, slug)
        assert item and not item["suggestions"]
        seed = HeldBack.objects.filter(item=item["id"], part="seed").exists()
        turn[seed] += 1
        say(who, slug, item["id"], [choice("cat" if turn[seed] % 2 else "dog")])


def advance(slug: str) -> Loop:
    schema = LabelSchema.objects.get(slug=slug)
    rounds.advance(schema.pk)
    found: Loop = Loop.objects.get(schema=schema)
    return found


def test_a_round_is_due_when_a_random_sample_is_labelled_and_learns_from_nothing_that_it_is_measured_on(labs: Labs, ann: Person) -> None:
    slug = labs.schema(labs.pictures(30), KINDS, review_share=0.0)
    where = f"/label-schemas/{slug}/loop"
    told = labs.editor.get(where)
    assert (told["loop"], told["template"]) == (None, "image-classification")
    assert ann.ask("PUT", where, LOOP).status_code == 403
    loop = labs.editor.ask("PUT", where, LOOP).json()["loop"]
    assert (loop["active"], loop["test_items"], loop["next_at"], loop["pipeline_name"]) == (True, 6, 4, "Pets · training")
    assert labs.editor.get(f"/label-schemas/{slug}")["order"] == "uncertain"
    test, seed = (set(HeldBack.objects.filter(part=part).values_list("item", flat=True)) for part in ("test", "seed"))
    assert (len(test), len(seed), test & seed) == (6, 4, set())
    Suggestion.objects.bulk_create(
        [Suggestion(item_id=item, model_version="pets@1", score=0.6, result=[choice("cat")]) for item in test | seed]
    )

    label(ann, slug, 9)
    advance(slug)
    assert not Round.objects.exists(), "one of the first labels is missing"
    label(ann, slug, 1)
    assert (
        QueueItem.objects.filter(truth__isnull=False).count() == QueueItem.objects.filter(pk__in=test | seed, truth__isnull=False).count()
    )
    advance(slug)
    (row,) = Round.objects.all()
    assert (row.status, row.stage, row.labels) == ("running", "train", 4), row.message
    learned = Item.objects.filter(dataset=row.version.dataset)
    keys = set(QueueItem.objects.filter(pk__in=seed).values_list("key", flat=True))
    assert {i.key for i in learned} == keys and {i.label for i in learned} <= {"cat", "dog"}
    run = row.run
    assert run.graph["steps"]["read"]["parameters"]["dataset"].startswith(f"{row.version.dataset.slug}@1#")
    assert labs.editor.get(f"/label-schemas/{slug}")["newest_data"] == 1, "the labelled data set has no version of it"

    Run.objects.filter(pk=run.pk).update(status="failed")
    advance(slug)
    row.refresh_from_db()
    assert row.status == "failed" and f"Run #{run.number} failed" in row.message
    advance(slug)
    assert Round.objects.count() == 1, "it goes on at the next count, not at once"
    for _ in range(4):
        item = take(ann, slug)
        assert item
        say(ann, slug, item["id"], [choice("cat")])
    advance(slug)
    assert list(Round.objects.order_by("number").values_list("labels", "status")) == [(4, "failed"), (8, "running")]

    stopped = labs.editor.ask("DELETE", where).json()["loop"]
    assert stopped["active"] is False and stopped["rounds"][1]["status"] == "cancelled"
    assert Run.objects.get(pk=Round.objects.get(number=2).run_id).status == "cancelled"
    advance(slug)
    assert Round.objects.count() == 2
    again = labs.editor.ask("PUT", where, LOOP).json()["loop"]
    assert again["active"] and set(HeldBack.objects.filter(part="test").values_list("item", flat=True)) == test, "the yardstick stays"


def test_random_order_is_drawn_from_the_random_sample_as_far_as_it_reaches(labs: Labs, ann: Person) -> None:
    slug = labs.schema(labs.pictures(60), KINDS, review_share=0.0)
    labs.editor.ask("PUT", f"/label-schemas/{slug}/loop", {**LOOP, "every": 14, "test_size": 36})
    label(ann, slug, 50)
    loop = advance(slug)
    Round.objects.update(status="succeeded", right=20, tested=36)
    Round.objects.create(loop=loop, number=2, labels=28, status="succeeded")
    advance(slug)
    (draw,) = Draw.objects.all()
    held = set(HeldBack.objects.values_list("item", flat=True))
    assert (draw.labels, draw.turn, draw.stage) == (14, 1, "train") and len(set(draw.items)) == 14 and set(draw.items) <= held
    graph = draw.run.graph["steps"]
    assert "train" in graph and "register" not in graph, "nobody deploys a draw"
    Draw.objects.update(status="succeeded", right=18, tested=36)
    advance(slug)
    Draw.objects.filter(turn=2).update(status="succeeded", right=27, tested=36)
    advance(slug)
    assert Draw.objects.count() == 2, "28 labels are more than the sample can spare"
    told = labs.editor.get(f"/label-schemas/{slug}/loop")["loop"]
    assert told["random"] == [{"labels": 14, "accuracy": 0.625, "low": 0.5, "high": 0.75, "draws": 2, "tested": 36}]
    assert told["reach"] == 20


def test_what_cannot_be_learned_says_why(labs: Labs) -> None:
    slug = labs.schema(labs.pictures(8), KINDS)
    where = f"/label-schemas/{slug}/loop"

    def refused(body: Any) -> str:
        answer = labs.editor.ask("PUT", where, body)
        assert answer.status_code in (400, 409, 422), answer.content
        return str(answer.json()["error"]["message"])

    assert "8 items" in refused(LOOP)
    assert "must read images" in refused({**LOOP, "test_size": 5, "every": 2, "template": "table-classification"})
    made = labs.editor.post("/pipelines", {"name": "Empty", "graph": {"steps": {"read": {"component": "read_images"}}}})["slug"]
    assert "register exactly one model" in refused({**LOOP, "template": None, "pipeline": made, "test_size": 5, "every": 2})
    assert not Loop.objects.exists() and not HeldBack.objects.exists()


def test_texts_are_learned_with_the_template_for_texts_wherever_they_are(labs: Labs) -> None:
    asked = WORDS.partition("  <Labels")[0] + "</View>"
    said = [
        f"The {food} in {place} was {mood}" for food in ("soup", "bread", "wine") for place in ("Rome", "Bern") for mood in ("good", "bad")
    ]
    rows = "id,review,town\n" + "".join(f"r{n},{text},{text.split()[3]}\n" for n, text in enumerate(said))
    table = labs.upload.ready(rows.encode(), "said.csv", options={"freeze": True})["dataset"]
    files = labs.upload.ready(zipped({f"{n}.txt": text.encode() for n, text in enumerate(said)}), "said.zip", options={"freeze": True})[
        "dataset"
    ]
    sounds = labs.upload.ready(zipped({f"{n}.wav": wav(0.2, tone=300.0 + n) for n in range(3)}), "said-aloud.zip", options={"freeze": True})
    for dataset, xml, template in (
        (table, asked, "text-classification"),
        (files, asked.replace("$review", "$text"), "text-classification"),
        (table, asked.replace("$review", "$id"), "table-classification"),
        (table, asked.replace("$review", "$town"), "table-classification"),
        (sounds["dataset"], asked.replace("<Text", "<Audio").replace("$review", "$audio"), None),
    ):
        where = f"/label-schemas/{labs.schema(dataset, xml)}/loop"
        assert labs.editor.get(where)["template"] == template, xml
        answer = labs.editor.ask("PUT", where, {**LOOP, "template": template or "text-classification", "test_size": 5, "every": 3})
        if template:
            assert answer.status_code == 202 and answer.json()["loop"]["test_items"] == 5, answer.content
        else:
            assert "no training pipeline for sounds" in answer.json()["error"]["message"]


def test_a_trigger_counts_labels_from_when_it_is_made(labs: Labs, ann: Person) -> None:
    slug = labs.schema(labs.pictures(9), KINDS, review_share=0.0)
    label(ann, slug, 2)
    pipeline = labs.editor.post("/pipelines", {"name": "Train", "template": "image-classification"})["slug"]
    labs.editor.post(f"/pipelines/{pipeline}/publish", {})
    config = {"label_schema": slug, "every": 3}
    labs.editor.post("/triggers", {"name": "More labels", "kind": "label_count", "pipeline": pipeline, "config": config})

    def told() -> list[tuple[str, int]]:
        count_labels()
        rows = TriggerEvent.objects.order_by("-received_at").values_list("status", "payload")
        return [(status, payload["data"]["labels"]) for status, payload in rows]

    assert told() == [("ignored", 2)], "what was there before is only counted"
    label(ann, slug, 2)
    assert told() == [("ignored", 2)]
    label(ann, slug, 1)
    Annotation.objects.filter(item=QueueItem.objects.filter(truth__isnull=False).first()).update(how="model")
    assert told() == [("ignored", 2)], "what a model said is not counted"
    label(ann, slug, 1)
    assert told() == [("received", 5), ("ignored", 2)]
    assert told() == [("received", 5), ("ignored", 2)]


def test_spans_are_learned_with_their_template_and_measured_by_f1(labs: Labs, ann: Person) -> None:
    asked = WORDS.replace(WORDS[WORDS.index("  <Choices") : WORDS.index("  <Labels")], "")
    towns = ("Rome", "Bern", "Delft", "Hull", "Ulm", "Graz")
    said = [f"The {food} in {town} was {mood}" for food in ("soup", "bread") for town in towns for mood in ("good", "bad")]
    rows = "id,review\n" + "".join(f"r{n},{text}\n" for n, text in enumerate(said))
    table = labs.upload.ready(rows.encode(), "said.csv", options={"freeze": True})["dataset"]
    files = labs.upload.ready(zipped({f"{n}.txt": text.encode() for n, text in enumerate(said)}), "said.zip", options={"freeze": True})
    for dataset, name in ((table, "review"), (files["dataset"], "text")):
        slug = labs.schema(dataset, asked, review_share=0.0)
        where = f"/label-schemas/{slug}/loop"
        wrong = labs.editor.post("/pipelines", {"name": "Classes", "template": "text-classification"})["slug"]
        right = labs.editor.post("/pipelines", {"name": "Spans", "template": "span-tagging"})["slug"]
        told = labs.editor.get(where)
        offered = [one["slug"] for one in told["candidates"]]
        assert told["template"] == "span-tagging" and right in offered and wrong not in offered
        began = labs.editor.ask("PUT", where, {"template": "span-tagging", "every": 4, "test_size": 6, "draws": 0})
        assert began.status_code == 202 and (loop := began.json()["loop"])["control"] == "part" and loop["measure"] == "f1"
        for n in range(14):
            item = take(ann, slug)
            assert item
            text = item["data"].get("review") or said[int(item["key"].removesuffix(".txt"))]
            at = text.index(" in ") + 4
            value = {"start": at, "end": at + len(text.split()[3]), "labels": ["Place"]}
            say(ann, slug, item["id"], [{"id": "a", "from_name": "part", "to_name": "text", "type": "labels", "value": value}] if n else [])
        advance(slug)
        row = Round.objects.get(loop__schema__slug=slug)
        assert (row.stage, row.status) == ("train", "running"), row.message
        columns = {c["name"]: c["type"] for c in row.version.columns}
        spans_column = "part" if name == "review" else "annotations"
        assert columns[spans_column] == "json" and columns[name] == "text"
        cells = pq.read_table(store().fetch(row.version.data))[spans_column].to_pylist()
        found = [truth.regions(json.loads(cell)) for cell in cells]
        assert len(found) == 4 + 4 * (row.labels == 8) and sum(map(len, found)) in (len(found), len(found) - 1), "none is an answer too"
        assert {one["text"] for spans in found for one in spans} <= set(towns)
        Round.objects.filter(pk=row.pk).update(status="succeeded", right=6, tested=9)
        (told,) = labs.editor.get(where)["loop"]["rounds"]
        assert told["accuracy"] == pytest.approx(2 / 3) and told["low"] < 0.35 < 0.85 < told["high"], "as wide as 4.5 spans leave it"


def test_a_round_without_any_span_says_so(labs: Labs, ann: Person) -> None:
    asked = WORDS.replace(WORDS[WORDS.index("  <Choices") : WORDS.index("  <Labels")], "")
    rows = "id,review\n" + "".join(f"r{n},Nothing of note was said by {n}\n" for n in range(12))
    slug = labs.schema(labs.upload.ready(rows.encode(), "said.csv", options={"freeze": True})["dataset"], asked, review_share=0.0)
    labs.editor.ask("PUT", f"/label-schemas/{slug}/loop", {"template": "span-tagging", "every": 2, "test_size": 5, "draws": 0})
    for _ in range(7):
        item = take(ann, slug)
        assert item
        say(ann, slug, item["id"], [])
    advance(slug)
    assert Round.objects.get().message == "No span is labelled yet: there is nothing to learn from."
