"""Everybody is given their own item, nothing they do is lost, and nobody sees what they should not."""

from __future__ import annotations

import uuid
from datetime import timedelta
from unittest import mock

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backend.core.models import AuditEntry
from backend.labeling.actions import measure
from backend.labeling.models import Annotation, Draft, LabelSchema, Lease, QueueItem
from tests.backend.labeling.conftest import WORDS, Labs, box, choice, say, take
from tests.backend.people import Person, person


def test_two_people_never_get_the_same_item_and_a_reload_gives_the_same_again(labs: Labs, ann: Person, bob: Person) -> None:
    slug = labs.schema(labs.pictures(3))
    first, other = take(ann, slug), take(bob, slug)
    assert first and other and first["id"] != other["id"] and first["leased_until"]
    again = take(ann, slug)
    assert again and again["id"] == first["id"]
    ready = take(ann, slug, [first["id"]])
    assert ready and ready["id"] not in (first["id"], other["id"]), "made ready behind the one on screen"
    assert take(bob, slug, [other["id"]]) is None
    nothing = bob.post(f"/label-schemas/{slug}/next", {"holding": [other["id"]]}, 200)
    assert nothing == {"item": None, "waiting": 2}, "his own is not in other hands"
    listed = {i["id"]: [lease["user"]["email"] for lease in i["leases"]] for i in bob.get(f"/label-schemas/{slug}/items")["items"]}
    assert listed[first["id"]] == ["ann@lab.example"] and listed[other["id"]] == ["bob@lab.example"]
    Lease.objects.filter(user=ann.user).update(until=timezone.now() - timedelta(seconds=1))
    taken = take(bob, slug, [other["id"]])
    assert taken and taken["id"] in (first["id"], ready["id"]), "a lease that is over gives its place back"


def test_an_item_never_gets_more_annotations_than_are_wanted(labs: Labs, ann: Person, bob: Person) -> None:
    slug = labs.schema(labs.pictures(1))
    item = take(ann, slug)
    assert item
    Lease.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert take(bob, slug)
    say(bob, slug, item["id"], [choice("dog")])
    full = say(ann, slug, item["id"], [choice("cat")], 409)["error"]
    assert full["code"] == "item_full"
    assert Draft.objects.get(user=ann.user).result[0]["value"] == {"choices": ["cat"]}, "what she did is kept"
    assert (Annotation.objects.count(), QueueItem.objects.get().done) == (1, 1)


def test_sending_an_annotation_twice_keeps_it_once_and_a_change_must_know_what_it_changes(labs: Labs, ann: Person) -> None:
    slug = labs.schema(labs.pictures(2))
    item = take(ann, slug)
    assert item
    result, id_ = [choice("cat"), box(10, 10, 50, 50)], str(uuid.uuid4())
    assert say(ann, slug, item["id"], result, id=id_)["outcome"] == "submitted"
    assert say(ann, slug, item["id"], result, id=id_)["outcome"] == "repeated"
    stale = say(ann, slug, item["id"], [choice("dog")], 409)["error"]
    assert stale["code"] == "annotation_changed"
    changed = say(ann, slug, item["id"], [choice("dog")], version=1)
    assert (changed["outcome"], changed["version"]) == ("changed", 2)
    kept = Annotation.objects.get()
    assert kept.result[0]["value"] == {"choices": ["dog"]} and kept.seconds == 7
    assert [e.action for e in AuditEntry.objects.filter(action__startswith="annotation.").order_by("id")] == [
        "annotation.submit",
        "annotation.change",
    ]


def test_what_does_not_fit_is_refused_with_the_field_and_the_draft_stays(labs: Labs, ann: Person) -> None:
    slug = labs.schema(labs.pictures(1))
    item = take(ann, slug)
    assert item
    path = f"/label-schemas/{slug}/items/{item['id']}/draft"
    assert ann.put(path, {"result": [box(0, 0, 5, 5)], "number": 2})["number"] == 2
    assert ann.put(path, {"result": [], "number": 1})["number"] == 2, "a late save does not undo a newer one"
    assert Draft.objects.get().result[0]["value"]["width"] == 5
    wrong = {
        "result.0.value.rectanglelabels": box(0, 0, 5, 5, "Wing"),
        "result.0.value.width": box(60, 0, 50, 5),
        "result.0.value.x": box(101, 0, 5, 5),
        "result.0.from_name": {**box(0, 0, 5, 5), "from_name": "boxes"},
        "result.0.to_name": {**box(0, 0, 5, 5), "to_name": "picture"},
        "result.0.type": {**box(0, 0, 5, 5), "type": "brush"},
        "result.0.value": {**box(0, 0, 5, 5), "value": None},
        "result.0.value.height": {**box(0, 0, 5, 5), "value": {"x": 1, "y": 1, "width": 1, "rectanglelabels": ["Head"]}},
        "result.0.value.choices": choice("bird"),
        "result.0.id": {**choice("cat"), "id": "<script>"},
    }
    for field, region in wrong.items():
        error = say(ann, slug, item["id"], [region], 422)["error"]
        assert error["code"] == "does_not_fit" and error["problems"][0]["field"] == field, (field, error)
    missing = say(ann, slug, item["id"], [box(0, 0, 5, 5)], 422)["error"]
    assert missing["problems"][0]["field"] == "kind", "a required control has no answer"
    assert not Annotation.objects.exists() and Draft.objects.get().number == 2


def test_skipping_lets_go_and_an_overlap_brings_the_item_to_several(labs: Labs, ann: Person, bob: Person) -> None:
    slug = labs.schema(labs.pictures(1), overlap=2)
    item = take(ann, slug)
    assert item and take(bob, slug)
    assert ann.ask("POST", f"/label-schemas/{slug}/items/{item['id']}/skip", {"reason": "too dark"}).status_code == 204
    assert take(ann, slug) is None
    say(bob, slug, item["id"], [choice("cat")])
    assert take(bob, slug) is None, "nobody labels an item twice"
    third = person(labs.editor.project, "annotator", "cy@lab.example")
    assert take(third, slug)
    labs.editor.ask("PATCH", f"/label-schemas/{slug}", {"overlap": 1})
    row = QueueItem.objects.get()
    assert (row.wanted, row.done, row.free) == (1, 1, -1), "who holds a place that is wanted no more"
    assert say(third, slug, item["id"], [choice("cat")])["outcome"] == "submitted", "… keeps it"


def test_assigned_items_go_to_those_who_were_named(labs: Labs, ann: Person, bob: Person, rita: Person) -> None:
    slug = labs.schema(labs.pictures(4))
    body = {"name": "First half", "people": [str(bob.user.pk)], "share": 0.5}
    assert labs.editor.post(f"/label-schemas/{slug}/assignments", {**body, "search": "none"}, 422)["error"]["field"] == "search"
    stranger = {**body, "people": [str(uuid.uuid4())]}
    assert labs.editor.post(f"/label-schemas/{slug}/assignments", stranger, 422)["error"]["field"] == "people.0"
    made = labs.editor.post(f"/label-schemas/{slug}/assignments", body)
    assert made[0]["items"] == 2
    mine = QueueItem.objects.filter(assignment=made[0]["id"]).order_by("position")
    hers = take(ann, slug)
    assert hers and hers["id"] not in {i.pk for i in mine}
    his = take(bob, slug)
    assert his and his["id"] == mine[0].pk and his["assignment"]["name"] == "First half"
    assert say(ann, slug, mine[1].pk, [choice("cat")], 403)["error"]["code"] == "not_for_you"
    assert labs.editor.ask("DELETE", f"/label-schemas/{slug}/assignments/{made[0]['id']}").status_code == 204
    assert QueueItem.objects.filter(assignment=None).count() == 4


def test_blind_means_blind_and_viewers_may_not_label(labs: Labs, ann: Person, bob: Person, rita: Person) -> None:
    slug = labs.schema(labs.pictures(1), overlap=2)
    item = take(ann, slug)
    assert item
    say(ann, slug, item["id"], [choice("cat")])
    path = f"/label-schemas/{slug}/items/{item['id']}/annotations"
    assert len(ann.get(path)) == 1 and bob.get(path) == [] and rita.get(path) == [], "she could still be given it"
    assert rita.post(f"/label-schemas/{slug}/review/next", {}, 200)["work"]["item"]["id"] == item["id"]
    assert take(rita, slug) is None, "who reviews an annotation does not label its item"
    assert say(rita, slug, item["id"], [choice("cat")], 403)["error"]["code"] == "already_seen"
    bob.get(f"/label-schemas/{slug}/items?person={ann.user.pk}", 422)
    assert [p["user"]["email"] for p in bob.get(f"/label-schemas/{slug}/people")] == []
    bob.get(f"/label-schemas/{slug}/quality/disagreements", 403)
    assert take(bob, slug)
    say(bob, slug, item["id"], [choice("dog")])
    assert len(rita.get(path)) == 2 and len(bob.get(path)) == 1
    viewer = person(labs.editor.project, "viewer")
    viewer.post(f"/label-schemas/{slug}/next", {}, 403)
    viewer.post(f"/label-schemas/{slug}/items/{item['id']}/submit", {}, 403)
    labs.editor.ask("PATCH", f"/label-schemas/{slug}", {"blind": False})
    assert len(bob.get(path)) == 2


def test_another_order_reaches_what_was_passed_over(labs: Labs, ann: Person) -> None:
    slug = labs.schema(labs.pictures(6), order="random")
    seen: list[int] = []
    while item := take(ann, slug, seen):
        seen.append(item["id"])
    assert (
        sorted(seen) == list(QueueItem.objects.order_by("id").values_list("id", flat=True)) and LabelSchema.objects.get().order == "random"
    )
    ann.ask("POST", f"/label-schemas/{slug}/items/{seen[0]}/release")
    again = take(ann, slug, seen[1:])
    assert again and again["id"] == seen[0], "the search begins anew where it ended"


def test_a_long_text_of_a_table_is_labelled_to_its_end(labs: Labs, ann: Person) -> None:
    text = "The mill turns. " * 2_000 + "Rome"
    table = labs.upload.ready(f"id,review\n1,{text}\n".encode(), "reviews.csv", options={"freeze": True})["dataset"]
    slug = labs.schema(table, WORDS)
    item = take(ann, slug)
    assert item is not None and item["data"]["review"] == text
    place = {"id": "p", "from_name": "part", "to_name": "text", "type": "labels",
             "value": {"start": len(text) - 4, "end": len(text), "text": "Rome", "labels": ["Place"]}}  # fmt: skip
    say(ann, slug, item["id"], [choice("good", "mood", "text"), place])
    beyond = {**place, "value": {**place["value"], "end": len(text) + 1}}
    refused = say(ann, slug, item["id"], [choice("good", "mood", "text"), beyond], 422)
    assert "end" in str(refused) or "start" in str(refused)


def test_an_item_costs_no_more_statements_than_it_needs(labs: Labs, ann: Person) -> None:
    """Next: who asks and their membership; the schema; paused, late leases; the place; the item and what is theirs. Submit: who; the item
    and its schema; the transaction, the annotation, the audit log, the truth, who asked to be told."""
    schema = labs.schema(labs.pictures(3), review_share=0)
    first = take(ann, schema)
    assert first is not None
    say(ann, schema, first["id"], [choice("cat")])
    with CaptureQueriesContext(connection) as asked:
        item = take(ann, schema)
    assert item is not None
    assert len(asked) <= 5, [q["sql"][:100] for q in asked]
    with mock.patch.object(measure, "LOOK", 0), CaptureQueriesContext(connection) as said:
        say(ann, schema, item["id"], [choice("dog")])
    assert len(said) <= 8, [q["sql"][:100] for q in said]
