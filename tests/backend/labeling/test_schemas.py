"""A label schema is checked when it is saved, fits its data set, and is never changed under what was said already."""

from __future__ import annotations

from backend.labeling.models import Annotation, Draft, LabelSchemaVersion, QueueItem
from tests.backend.labeling.conftest import PICTURES, WORDS, Labs, box, choice, say, take
from tests.backend.people import Person


def refused(who: Person, xml: str, dataset: str, status: int = 422) -> dict[str, object]:
    found: dict[str, object] = who.post("/label-schemas", {"name": "X", "dataset": dataset, "xml": xml}, status)["error"]
    return found


def test_what_cannot_be_shown_is_named_when_the_schema_is_saved(labs: Labs) -> None:
    pets = labs.pictures()
    wrong = {
        "<View><Image": "line 1",
        '<View><Image name="i" value="$i"/>\n<Paragraphs name="a" value="$b"/></View>': "line 2",
        '<View><Image name="i" value="$i"/>\n\n<Choices name="k" toName="other"><Choice value="x"/></Choices></View>': "line 3",
        '<View><Image name="i" value="$i"/><Choices name="k" toName="i" visibleWhen="z"><Choice value="x"/></Choices></View>': "line 1",
        '<View><Image name="i" value="$i"/><Choices name="k" toName="i"><Choice value="x"/><Choice value="x"/></Choices></View>': "line 1",
        '<View><Image name="i" value="$i"/><Labels name="k" toName="i"><Label value="x"/></Labels></View>': "line 1",
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><View>&x;</View>': "line 1",
        "<View></View>": "line 1",
    }
    for xml, line in wrong.items():
        told = labs.editor.post("/label-schemas/check", {"xml": xml}, 200)
        assert told["config"] is None and told["problems"][0]["field"] == line, (xml, told)
        error = refused(labs.editor, xml, pets)
        assert error["code"] == "bad_schema" and error["problems"] == told["problems"]
    assert not LabelSchemaVersion.objects.exists()


def test_a_schema_must_fit_the_data_it_asks_about(labs: Labs) -> None:
    pets, reviews = labs.pictures(), labs.table()
    assert refused(labs.editor, WORDS, pets)["code"] == "dataset_does_not_fit"
    assert refused(labs.editor, PICTURES, reviews)["code"] == "dataset_does_not_fit"
    error = refused(labs.editor, WORDS.replace("$review", "$text"), reviews)
    assert "no column “text”" in str(error["message"]) and "id, review" in str(error["hint"])
    checked = labs.editor.post("/label-schemas/check", {"xml": PICTURES, "dataset": reviews}, 200)
    assert checked["config"] and checked["problems"][0]["field"] == "xml"


def test_rows_of_a_table_are_labelled_by_what_they_say_even_twice(labs: Labs, ann: Person) -> None:
    slug = labs.schema(labs.table(), WORDS)
    listed = ann.get(f"/label-schemas/{slug}/items")["items"]
    assert [(i["position"], i["key"]) for i in listed] == [(1, "1"), (2, "1"), (3, "2")], "equal rows are told apart by their place"
    item = take(ann, slug)
    assert item and item["data"] == {"review": "The food in Rome was good"}
    span = {
        "id": "span-1",
        "from_name": "part",
        "to_name": "text",
        "type": "labels",
        "value": {"start": 12, "end": 16, "labels": ["Place"]},
    }
    say(ann, slug, item["id"], [choice("good", "mood", "text"), span])
    assert Annotation.objects.get().result[1]["value"]["text"] == "Rome"
    late = {**span, "value": {"start": 12, "end": 99, "labels": ["Place"]}}
    error = say(ann, slug, listed[1]["id"], [late], 422)["error"]
    assert error["problems"][0]["field"] == "result.0.value.end" and "11" in error["problems"][0]["message"]


def test_labels_in_use_are_not_dropped_unseen(labs: Labs, ann: Person) -> None:
    slug = labs.schema(labs.pictures())
    item = take(ann, slug)
    assert item
    say(ann, slug, item["id"], [choice("cat"), box(1, 1, 10, 10, "Tail")])
    fewer = PICTURES.replace('<Choice value="cat"/>', '<Choice value="kitten"/>').replace('<Label value="Tail"/>', "")
    told = labs.editor.post("/label-schemas/check", {"xml": fewer, "label_schema": slug}, 200)
    assert told["touched"] == [
        {"control": "box", "label": "Tail", "annotations": 1},
        {"control": "kind", "label": "cat", "annotations": 1},
    ]
    error = labs.editor.post(f"/label-schemas/{slug}/versions", {"xml": fewer, "base": 1}, 409)["error"]
    assert error["code"] == "labels_in_use" and {p["field"] for p in error["problems"]} == {"box.Tail", "kind.cat"}
    assert LabelSchemaVersion.objects.count() == 1

    ann.put(f"/label-schemas/{slug}/items/{take(ann, slug)['id']}/draft", {"result": [choice("cat")], "number": 1})  # type: ignore[index]  # there is one
    wrong = {"kind": {"cat": "lion"}, "box": {"Tail": "Head"}}
    body = {"xml": fewer, "base": 1, "mapping": wrong}
    assert labs.editor.post(f"/label-schemas/{slug}/versions", body, 422)["error"]["field"] == "mapping.kind.cat"
    half = {**body, "mapping": {"kind": {"cat": "kitten"}}}
    error = labs.editor.post(f"/label-schemas/{slug}/versions", half, 409)["error"]
    assert [p["field"] for p in error["problems"]] == ["box.Tail"] and Annotation.objects.get().version == 1, "nothing is half done"
    labs.editor.post(f"/label-schemas/{slug}/versions", {**body, "mapping": {"kind": {"cat": "kitten"}, "box": {"Tail": "Head"}}})
    kept = Annotation.objects.get()
    assert kept.result[0]["value"] == {"choices": ["kitten"]} and kept.result[1]["value"]["rectanglelabels"] == ["Head"]
    assert Draft.objects.get().result[0]["value"] == {"choices": ["kitten"]}
    labs.editor.post(f"/label-schemas/{slug}/versions", {"xml": PICTURES, "base": 1}, 409)


def test_a_newer_wording_does_not_swallow_what_somebody_was_doing(labs: Labs, ann: Person) -> None:
    slug = labs.schema(labs.pictures())
    item = take(ann, slug)
    assert item
    labs.editor.post(f"/label-schemas/{slug}/versions", {"xml": PICTURES, "guidelines": "Look twice.", "base": 1})
    assert say(ann, slug, item["id"], [choice("dog")], 409)["error"]["code"] == "newer_schema"
    again = ann.get(f"/label-schemas/{slug}/items/{item['id']}")
    assert again["draft"]["result"][0]["value"] == {"choices": ["dog"]}
    say(ann, slug, item["id"], again["draft"]["result"], schema_version=2)


def test_the_queue_follows_the_data_and_keeps_what_was_said(labs: Labs, ann: Person) -> None:
    pets = labs.pictures(3)
    slug = labs.schema(pets)
    item = take(ann, slug)
    assert item
    say(ann, slug, item["id"], [choice("cat")])
    labs.pictures(5, dataset=pets, mode="append")
    told = ann.get(f"/label-schemas/{slug}")
    assert (told["filled"], told["newest_data"], told["progress"]["items"]) == (1, 2, 3)
    labs.editor.post(f"/label-schemas/{slug}/fill", None, 202)
    labs.fill(slug)
    told = ann.get(f"/label-schemas/{slug}")
    assert (told["filled"], told["progress"]["items"], told["progress"]["done"]) == (2, 5, 1)
    labs.pictures(2, dataset=pets)
    labs.editor.post(f"/label-schemas/{slug}/fill", None, 202)
    labs.fill(slug)
    assert ann.get(f"/label-schemas/{slug}")["progress"]["items"] == 2
    assert Annotation.objects.count() == 1 and QueueItem.objects.filter(removed=True).count() == 3


def test_a_schema_is_deleted_softly(labs: Labs, ann: Person) -> None:
    slug = labs.schema(labs.pictures())
    assert labs.editor.ask("DELETE", f"/label-schemas/{slug}").status_code == 204
    assert labs.editor.get("/label-schemas") == [] and ann.ask("POST", f"/label-schemas/{slug}/next", {}).status_code == 404
    assert [s["slug"] for s in labs.editor.get("/label-schemas?deleted=true")] == [slug]
    labs.editor.post(f"/label-schemas/{slug}/restore", None, 200)
    assert take(ann, slug)
