"""From what people said to what is held true, and from that to the next version of the data."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail as outbox

from backend.artifacts import tables
from backend.core import mail
from backend.datasets.models import DatasetVersion, Item
from backend.labeling.actions.labelled import run_labelled
from backend.labeling.models import Annotation, LabelledVersion, QueueItem
from tests.backend.labeling.conftest import WORDS, Labs, box, choice, measured, say, take
from tests.backend.people import Person, person


def labelled(who: Person, slug: str, *answers: str) -> list[int]:
    """Label the next items, one answer each."""
    items = []
    for answer in answers:
        item = take(who, slug)
        assert item
        say(who, slug, item["id"], [choice(answer)])
        items.append(item["id"])
    return items


def judge(who: Person, slug: str, work: Any, verdict: str, status: int = 200, **fields: Any) -> Any:
    annotation = work["annotation"]
    body = {"verdict": verdict, "version": annotation["version"], **fields}
    return who.post(f"/label-schemas/{slug}/annotations/{annotation['id']}/review", body, status)


def test_a_reviewer_accepts_mends_and_sends_back_but_never_their_own_work(labs: Labs, ann: Person, rita: Person) -> None:
    slug = labs.schema(labs.pictures(4))
    items = labelled(ann, slug, "cat", "cat", "dog")
    (own,) = labelled(rita, slug, "dog")
    queue = f"/label-schemas/{slug}/review/next"
    first = rita.post(queue, {}, 200)["work"]
    assert first["item"]["id"] == items[0] and first["annotation"]["author"]["email"] == "ann@lab.example"
    second = rita.post(queue, {"holding": [first["annotation"]["id"]]}, 200)["work"]
    assert judge(rita, slug, first, "accepted")["status"] == "accepted"
    assert QueueItem.objects.get(pk=items[0]).truth_id is not None
    assert say(ann, slug, items[0], [choice("dog")], 409, version=1)["error"]["code"] == "already_accepted"

    judge(rita, slug, second, "fixed", 422)
    fixed = judge(rita, slug, second, "fixed", result=[choice("dog")], comment="It barks.")
    assert fixed["result"][0]["value"] == {"choices": ["dog"]} and fixed["reviews"][0]["before"][0]["value"] == {"choices": ["cat"]}
    assert judge(rita, slug, second, "accepted", 409)["error"]["code"] == "annotation_changed"

    third = rita.post(queue, {}, 200)["work"]
    assert judge(rita, slug, third, "rejected", 422)["error"]["field"] == "comment"
    judge(rita, slug, third, "rejected", comment="Where is its head?")
    assert rita.post(queue, {}, 200) == {"work": None, "waiting": 1}, "her own waits for somebody else"
    mine = Annotation.objects.get(item=own)
    refusal = rita.post(f"/label-schemas/{slug}/annotations/{mine.pk}/review", {"verdict": "accepted", "version": 1}, 403)["error"]
    assert refusal["code"] == "own_work"

    back = take(ann, slug)
    assert back and back["id"] == items[2] and back["mine"]["reviews"][0]["comment"] == "Where is its head?"
    say(ann, slug, items[2], [choice("dog"), box(5, 5, 20, 20)], version=1)
    again = rita.post(queue, {}, 200)["work"]
    assert again["annotation"]["version"] == 2
    judge(rita, slug, again, "accepted")
    told = rita.get(f"/label-schemas/{slug}/people")
    assert [(p["annotations"], p["accepted"]) for p in told] == [(3, 3), (1, 0)]


def test_several_agree_or_a_person_decides(labs: Labs, ann: Person, bob: Person, rita: Person) -> None:
    slug = labs.schema(labs.pictures(2), overlap=3, review_share=0)
    cy = person(labs.editor.project, "annotator", "cy@lab.example")
    for who, answers in ((ann, ("cat", "cat")), (bob, ("cat", "dog")), (cy, ("cat", "dog"))):
        items = labelled(who, slug, *answers)
    assert QueueItem.objects.get(pk=items[0]).truth_id is not None
    assert QueueItem.objects.get(pk=items[1]).truth_id is None, "they differ"
    assert [i["id"] for i in rita.get(f"/label-schemas/{slug}/items?state=differing")["items"]] == [items[1]]
    said = rita.get(f"/label-schemas/{slug}/items/{items[1]}/annotations")
    assert [a["author"]["email"].split("@")[0] for a in said] == ["ann", "bob", "cy"]
    rita.post(f"/label-schemas/{slug}/items/{items[1]}/truth", {"annotation": said[1]["id"], "comment": "A dog."}, 200)
    assert str(QueueItem.objects.get(pk=items[1]).truth_id) == said[1]["id"]
    bob.post(f"/label-schemas/{slug}/items/{items[1]}/truth", {"annotation": said[1]["id"]}, 403)

    told = measured(rita, slug)
    assert told["items"] == 2 and told["agreement"] == pytest.approx(4 / 6)
    kind = next(c for c in told["controls"] if c["control"] == "kind")
    assert kind["alpha"] == pytest.approx(0.375) and kind["pairs"] == 6
    names = {u["id"]: u["email"].split("@")[0] for u in told["users"]}
    pairs = {frozenset((names[p["one"]], names[p["other"]])): p["agreement"] for p in told["pairs"]}
    assert pairs == {frozenset(("bob", "cy")): 1, frozenset(("ann", "bob")): 0.5, frozenset(("ann", "cy")): 0.5}
    confused = {(names[c["person"]], c["said"], c["other"]): c["count"] for c in told["confusions"] if c["said"] != c["other"]}
    assert confused == {("ann", "cat", "dog"): 2, ("bob", "dog", "cat"): 1, ("cy", "dog", "cat"): 1}


def test_labels_become_a_version_that_can_be_trained_on(labs: Labs, ann: Person) -> None:
    pets = labs.pictures(3)
    slug = labs.schema(pets, review_share=0)
    assert labs.editor.post(f"/label-schemas/{slug}/labelled", {}, 409)["error"]["code"] == "nothing_labelled"
    items = labelled(ann, slug, "cat", "dog")
    made = labs.editor.post(f"/label-schemas/{slug}/labelled", {"note": "first two"}, 202)
    run_labelled(made["id"])
    run_labelled(made["id"])
    (told,) = labs.editor.get(f"/label-schemas/{slug}/labelled")
    assert (told["status"], told["version"], told["items"], told["schema_version"]) == ("ready", 2, 2, 1), told
    old, new = DatasetVersion.objects.order_by("number")
    assert new.status == "frozen" and new.label_column == "label" and new.note == "first two" and old.label_column is None
    rows = tables.take(new.data, [0, 1, 2]).to_pylist()
    assert sorted((r["key"], r["label"]) for r in rows) == [("000.png", "cat"), ("001.png", "dog"), ("002.png", None)]
    assert {"annotations"} == set(tables.schema(new.data).names) - set(tables.schema(old.data).names)
    assert Item.objects.filter(removed_in=2).count() == 2, "an item without labels is the same row in both versions"

    labs.editor.post(f"/label-schemas/{slug}/fill", None, 202)
    labs.fill(slug)
    assert labs.editor.get(f"/label-schemas/{slug}")["progress"]["truths"] == 2, "what was labelled stays labelled in the new version"
    assert {i.pk for i in QueueItem.objects.filter(truth__isnull=False)} == set(items)
    edges = labs.editor.get(f"/lineage/dataset_version/{new.pk}")
    assert {n["label"] for n in edges["nodes"]} >= {f"{pets}@1", f"{pets}@2", f"{slug}@1"}


def test_labels_of_a_table_become_its_columns(labs: Labs, ann: Person) -> None:
    slug = labs.schema(labs.table(), WORDS, review_share=0)
    item = take(ann, slug)
    assert item
    span = {
        "id": "span-1",
        "from_name": "part",
        "to_name": "text",
        "type": "labels",
        "value": {"start": 12, "end": 16, "labels": ["Place"]},
    }
    say(ann, slug, item["id"], [choice("good", "mood", "text"), span])
    made = labs.editor.post(f"/label-schemas/{slug}/labelled", {}, 202)
    run_labelled(made["id"])
    assert LabelledVersion.objects.get().status == "ready", LabelledVersion.objects.get().message
    new = DatasetVersion.objects.get(number=2)
    rows = tables.take(new.data, [0, 1, 2]).to_pylist()
    assert [r["mood"] for r in rows] == ["good", None, None] and rows[0]["labelled_by"] == "Annotator"
    assert '"Rome"' in rows[0]["part"] and new.label_column == "mood"
    page = labs.editor.get("/datasets/reviews/versions/2/rows")
    assert [c["name"] for c in page["columns"]] == [
        "id",
        "review",
        "labelled_by",
        "labelled_at",
        "labelled_how",
        "labelled_support",
        "mood",
        "part",
    ]


def test_comments_name_members_who_are_told_by_mail_and_are_resolved(
    labs: Labs, ann: Person, rita: Person, django_capture_on_commit_callbacks: Any
) -> None:
    slug = labs.schema(labs.pictures(1))
    item = take(ann, slug)
    assert item
    path = f"/label-schemas/{slug}/items/{item['id']}/comments"
    stranger = "00000000-0000-4000-8000-000000000000"
    assert ann.post(path, {"text": "?", "mentions": [stranger]}, 422)["error"]["field"] == "mentions"
    with django_capture_on_commit_callbacks(execute=True):
        made = ann.post(path, {"text": "Is this a cat?", "asks": True, "mentions": [str(rita.user.pk), str(ann.user.pk)]})
    mail.wait()
    (told,) = outbox.outbox
    assert told.to == ["rita@lab.example"] and "Is this a cat?" in told.body and f"/items/{item['id']}" in told.body
    assert {m["email"] for m in made["mentions"]} == {"rita@lab.example", "ann@lab.example"}
    assert [i["id"] for i in rita.get(f"/label-schemas/{slug}/items?state=commented")["items"]] == [item["id"]]
    assert rita.post(f"/label-schemas/{slug}/comments/{made['id']}/resolve", None, 200)["resolved_by"]["email"] == "rita@lab.example"
    assert rita.get(f"/label-schemas/{slug}/items?state=commented")["items"] == []
