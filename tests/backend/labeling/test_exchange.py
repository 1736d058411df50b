"""Labels leave a schema and come into another: the same labels, seen by whom they may be seen, whole or not at all."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile
from typing import Any

import pytest
from django.db import connection

from backend.core.models import AuditEntry, Project
from backend.labeling.actions.taking_in import take_in
from backend.labeling.models import Annotation, LabelImport, LabelSchema, QueueItem
from backend.labeling.queries import exported
from backend.labeling.queries.items import wording
from backend.labeling.queries.schemas import newest_version
from tests.backend.datasets.conftest import image, zipped
from tests.backend.labeling.conftest import WORDS, Labs, box, choice, say, take
from tests.backend.people import Person, person
from workers.sdk.labels.formats import FORMATS
from workers.sdk.labels.travel import Writing

Json = dict[str, Any]
BOXES = """<View><Image name="image" value="$image"/>
  <RectangleLabels name="box" toName="image"><Label value="Head"/><Label value="Tail"/></RectangleLabels>
  <PolygonLabels name="shape" toName="image"><Label value="Body"/></PolygonLabels>
</View>"""


def body(answer: Any) -> bytes:
    assert answer.status_code == 200, answer.getvalue()
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def exported_file(who: Person, slug: str, name: str, **query: str) -> bytes:
    asked = "&".join(f"{k}={v}" for k, v in {"format": name, **query}.items())
    return body(who.ask("GET", f"/label-schemas/{slug}/export?{asked}"))


def sent(who: Person, slug: str, data: bytes, filename: str, name: str) -> Json:
    """An import whose bytes are here, checked."""
    base = f"/label-schemas/{slug}/imports"
    made: Json = who.post(base, {"filename": filename, "size": len(data), "format": name})
    path = f"/api/v1/projects/{who.project.slug}{base}/{made['id']}/chunks?offset=0"
    got = who.http.put(path, data, content_type="application/octet-stream", headers={"Authorization": f"Bearer {who.secret}"})
    assert got.status_code == 200, got.content
    who.post(f"{base}/{made['id']}/check", status=202)
    take_in(made["id"])
    checked: Json = who.get(f"{base}/{made['id']}")
    return checked


def applied(who: Person, slug: str, data: bytes, filename: str, name: str) -> Json:
    found = sent(who, slug, data, filename, name)
    assert found["status"] == "checked", found
    base = f"/label-schemas/{slug}/imports/{found['id']}"
    who.post(f"{base}/apply", status=202)
    take_in(found["id"])
    done: Json = who.get(base)
    assert done["status"] == "applied", done
    return done


def _floats(value: Any) -> Any:
    """20 and 20.0 are the same place."""
    if isinstance(value, dict):
        return {key: _floats(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_floats(inner) for inner in value]
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def said(slug: str) -> dict[str, list[tuple[str, str]]]:
    """By item, what its annotations say: controls and values, in an order."""
    return {
        a.item.key + a.item.digest: sorted((r["from_name"], json.dumps(_floats(r["value"]), sort_keys=True)) for r in a.result)
        for a in Annotation.objects.filter(schema__slug=slug).select_related("item")
    }


def polygon() -> Json:
    value = {"points": [[10, 10], [60, 10], [60, 50.5]], "closed": True, "polygonlabels": ["Body"]}
    return {"id": "p1", "from_name": "shape", "to_name": "image", "type": "polygonlabels", "value": value}


@pytest.fixture
def pets(labs: Labs, ann: Person) -> str:
    """Three of four pictures are labelled: boxes, one of them a polygon too."""
    slug = labs.schema(labs.pictures(4), BOXES)
    for result in ([box(5, 10, 20, 30)], [box(0, 0, 100, 100, "Tail"), box(1.25, 2.5, 3, 4), polygon()], []):
        item = take(ann, slug)
        assert item
        say(ann, slug, item["id"], result)
    return slug


ENDINGS = {
    "labelstudio": ".json",
    "jsonl": ".jsonl",
    "csv": ".csv",
    "tsv": ".tsv",
    "coco": ".json",
    "yolo": ".zip",
    "masks": ".zip",
    "voc": ".zip",
}


@pytest.mark.parametrize("name", ENDINGS)
def test_what_goes_out_of_one_schema_comes_into_another(labs: Labs, pets: str, name: str) -> None:
    again = labs.schema(LabelSchema.objects.get(slug=pets).dataset.slug, BOXES, name="Again", review_share=0)
    file = exported_file(labs.editor, pets, name)
    if name == "masks":
        # A mask has polygons only, and this schema has none for Head and Tail: refused by name, the rest is taken.
        found = applied(labs.editor, again, file, "out.zip", name)["report"]
        assert (found["new"], found["refused"]) == (1, 2) and "Head" in found["problems"][0]["message"]
        return
    found = sent(labs.editor, again, file, f"out{ENDINGS[name]}", name)
    assert found["report"] == {"items": 3, "new": 3, "changed": 0, "unchanged": 0, "unmatched": 0, "refused": 0, "more": 0, "problems": []}
    assert not said(again), "nothing is taken before it was looked at"
    applied(labs.editor, again, file, f"out{ENDINGS[name]}", name)
    if name != "voc":
        assert said(again) == said(pets)
    assert set(Annotation.objects.filter(schema__slug=again).values_list("author", flat=True)) == {labs.editor.user.pk}
    assert QueueItem.objects.filter(schema__slug=again, done=1, free=0, truth__isnull=False).count() == 3, (
        "each took its place and is settled"
    )
    repeated = applied(labs.editor, again, file, f"out{ENDINGS[name]}", name)["report"]
    assert (repeated["new"], repeated["changed"], repeated["unchanged"]) == (0, 0, 3)
    assert set(Annotation.objects.filter(schema__slug=again).values_list("version", flat=True)) == {1}, (
        "the same file again changes nothing"
    )
    assert AuditEntry.objects.filter(action="label_schema.import").count() == 2


@pytest.mark.parametrize("name", ["labelstudio", "jsonl", "csv", "conll"])
def test_texts_of_a_table_come_back_to_their_rows(labs: Labs, ann: Person, name: str) -> None:
    """Two rows are the same: our own mark tells them apart."""
    dataset = labs.table()
    slug = labs.schema(dataset, WORDS)
    for start, end in ((12, 16), (0, 5), (4, 8)):
        item = take(ann, slug)
        assert item
        span = {"start": start, "end": end, "labels": ["Place"]}
        say(ann, slug, item["id"], [{"id": "s1", "from_name": "part", "to_name": "text", "type": "labels", "value": span}])
    again = labs.schema(dataset, WORDS, name="Again")
    applied(labs.editor, again, exported_file(ann, slug, name), f"out{FORMATS[name].suffix}", name)
    assert said(again) == said(slug) and len(said(again)) == 3


def test_files_of_elsewhere_are_matched_by_file_name_or_values(labs: Labs, pets: str) -> None:
    tasks = [
        {"data": {"image": "/data/upload/3/0a1b2c3d-001.png"}, "annotations": [{"result": [box(1, 1, 5, 5)]}]},
        {"data": {"image": "/data/local-files/?d=else/where/002.png"}, "annotations": [{"result": [box(1, 1, 5, 5)]}, {"result": []}]},
        {"data": {"image": "s3://bucket/never.png"}, "annotations": [{"result": []}]},
    ]
    again = labs.schema(LabelSchema.objects.get(slug=pets).dataset.slug, BOXES, name="Again")
    report = sent(labs.editor, again, json.dumps(tasks).encode(), "project-1.json", "labelstudio")["report"]
    assert (report["new"], report["unmatched"], report["more"]) == (2, 1, 1)
    assert report["problems"] == [{"field": "project-1.json, line 1", "message": "There is no item “s3://bucket/never.png” in the queue.",
                                   "expected": "an item of the queue"}]  # fmt: skip
    words = labs.schema(labs.table(), WORDS)
    rows = b"review,mood\nNever again,bad\nThe food in Rome was good,good\nunheard of,good\n"
    report = sent(labs.editor, words, rows, "moods.csv", "csv")["report"]
    assert (report["new"], report["unmatched"]) == (1, 2) and "2 rows hold this" in report["problems"][0]["message"]


def test_nobody_gets_more_in_an_export_than_on_screen(labs: Labs, ann: Person, bob: Person, rita: Person, project: Project) -> None:
    slug = labs.schema(labs.pictures(2), overlap=2, blind=True)
    for who in (ann, bob):
        item = take(who, slug)
        assert item
        say(who, slug, item["id"], [choice("cat")])
    extra = take(ann, slug)
    assert extra
    say(ann, slug, extra["id"], [choice("dog")])

    def authors(who: Person) -> list[str]:
        lines = exported_file(who, slug, "jsonl").splitlines()
        return sorted(a["author"] for line in lines for a in json.loads(line)["annotations"])

    assert authors(ann) == ["ann@lab.example"] * 2 and authors(bob) == ["bob@lab.example"]
    assert authors(rita) == ["ann@lab.example", "bob@lab.example"], "a reviewer sees complete items"
    assert authors(person(project, "viewer")) == []
    told = bob.get(f"/label-schemas/{slug}/export/check?format=jsonl")
    assert (told["items"], told["annotations"]) == (1, 1), "nor in the counts"
    LabelSchema.objects.filter(slug=slug).update(together="apart")
    assert len(authors(bob)) == 3


def test_an_export_says_before_what_its_format_has_no_place_for(labs: Labs, ann: Person) -> None:
    slug = labs.schema(labs.pictures(2))
    assert [f["name"] for f in labs.editor.get(f"/label-schemas/{slug}/formats")] == [
        n for n in FORMATS if n not in ("conll", "preferences")
    ]
    assert json.loads(exported_file(labs.editor, slug, "coco"))["images"] == [], "nothing is labelled yet"
    item = take(ann, slug)
    assert item
    turned = box(20, 20, 30, 10)
    turned["value"]["rotation"] = 30
    say(ann, slug, item["id"], [choice("cat"), turned])
    for name, lost in (("coco", 2), ("voc", 2), ("masks", 2), ("csv", 0)):
        told = labs.editor.get(f"/label-schemas/{slug}/export/check?format={name}")
        assert len(told["lost"]) == lost and all(one["count"] == 1 for one in told["lost"]), told
    refused = labs.editor.ask("GET", f"/label-schemas/{slug}/export?format=conll").json()["error"]
    assert refused["field"] == "format" and "coco" in refused["hint"]
    files = zipfile.ZipFile(io.BytesIO(exported_file(labs.editor, slug, "coco", images="true")))
    assert sorted(files.namelist()) == ["images/000.png", "labels.json"] and files.read("images/000.png").startswith(b"\x89PNG")


def test_what_does_not_fit_is_refused_by_field_and_the_rest_waits_for_a_word(labs: Labs, pets: str, ann: Person) -> None:
    again = labs.schema(LabelSchema.objects.get(slug=pets).dataset.slug, BOXES, name="Again")
    lines = [
        {"item": "000.png", "annotations": [{"result": [box(90, 0, 20, 5)]}]},
        {"item": "001.png", "annotations": [{"result": [box(1, 1, 5, 5, "Wing")]}]},
        {"item": "002.png", "annotations": [{"result": [{**box(1, 1, 5, 5), "from_name": "frame"}]}]},
        {"item": "003.png", "annotations": [{"result": [box(1, 1, 5, 5)]}]},
        {"item": "003.png", "annotations": [{"result": []}]},
    ]
    report = sent(labs.editor, again, "\n".join(map(json.dumps, lines)).encode(), "a.jsonl", "jsonl")["report"]
    assert (report["new"], report["refused"]) == (1, 4)
    assert [(p["field"], p["message"][:30]) for p in report["problems"]] == [
        ("a.jsonl, line 1, result.0.value.width", "The box ends at 110.00 %, outs"),
        ("a.jsonl, line 2, result.0.value.rectanglelabels", "“Wing” is no label of “box”."),
        ("a.jsonl, line 3, result.0.from_name", "The schema has no control “fra"),
        ("a.jsonl, line 5", "“003.png” is told in a.jsonl, "),
    ]
    nul = json.dumps({"item": "003.png", "annotations": [{"result": [{**box(1, 1, 5, 5), "meta": {"text": ["\0"]}}]}]})
    assert "NUL" in sent(labs.editor, again, nul.encode(), "a.jsonl", "jsonl")["report"]["problems"][0]["message"]

    odd = sent(labs.editor, again, b'{"item": "\\u0000\\ud800.png", "annotations": [{"result": []}]}', "a.jsonl", "jsonl")
    assert odd["report"]["unmatched"] == 1, odd

    # Places, reviews and assignments hold for imports as for people.
    labs.editor.post(f"/label-schemas/{again}/assignments", {"name": "Ann's", "people": [str(ann.user.pk)], "number": 1})
    full = take(ann, again)
    assert full
    say(ann, again, full["id"], [])
    Annotation.objects.filter(schema__slug=again).update(author=None)
    report = applied(labs.editor, again, exported_file(labs.editor, pets, "jsonl"), "a.jsonl", "jsonl")["report"]
    assert (report["new"], report["refused"]) == (2, 1) and "assigned to other people" in report["problems"][0]["message"]
    mine = Annotation.objects.filter(author=labs.editor.user)
    mine.update(status="accepted", result=[])
    report = sent(labs.editor, again, exported_file(labs.editor, pets, "jsonl"), "a.jsonl", "jsonl")["report"]
    assert any("a reviewer has accepted your annotation" in p["message"] for p in report["problems"]) and mine.count() == 2


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("labels/a.txt", bytes(150_000_000))
    return out.getvalue()


@pytest.mark.parametrize(("name", "filename", "data", "field", "message"), [
    ("coco", "a.json", b'{"images": [\n{"id": 1, }]}', "a.json, line 2", "no JSON"),
    ("voc", "a.zip", zipped({"Annotations/b.xml": b"<annotation>\n<object></annotation>"}), "Annotations/b.xml, line 2", "well-formed XML"),
    ("voc", "a.zip", zipped({"../b.xml": b"<annotation/>"}), "a.zip › ../b.xml", "out of the archive"),
    ("yolo", "a.zip", zipped({"labels/a.txt": b"0 1 1 1 1"}), "the archive", "names the classes"),
    ("yolo", "a.zip", b"PK\x03\x04 no zip at all", "the archive", "names the classes"),
    ("masks", "a.zip", zipped({"masks/000.png": image()}), "the archive", "classes.json"),
    ("jsonl", "a.jsonl", b'{"item": "000.png", "annotations": []}\n\xff', "a.jsonl, line 2", "UTF-8"),
])  # fmt: skip
def test_a_broken_file_is_refused_whole_by_its_place(
    labs: Labs, pets: str, name: str, filename: str, data: bytes, field: str, message: str
) -> None:
    before = Annotation.objects.count()
    found = sent(labs.editor, pets, data, filename, name)
    assert found["status"] == "failed" and found["report"] is None
    assert found["problems"][0]["field"] == field and message in found["problems"][0]["message"], found["problems"]
    assert Annotation.objects.count() == before
    refused = labs.editor.post(f"/label-schemas/{pets}/imports/{found['id']}/apply", status=409)["error"]
    assert refused["code"] == "import_over"


def test_bombs_are_not_unpacked(labs: Labs, pets: str) -> None:
    found = sent(labs.editor, pets, bomb(), "a.zip", "yolo")
    assert found["status"] == "failed" and "zip bomb" in found["problems"][0]["message"]
    listed = b'[{"value": 1, "label": "Body"}]'
    large = zipped({"classes.json": listed, "masks/000.png": image(1, (4000, 2500), "PNG"), "masks/001.png": image(1, (20, 10))})
    report = sent(labs.editor, pets, large, "a.zip", "masks")["report"]
    assert report["refused"] == 2 and "4,000 × 2,500" in report["problems"][0]["message"] and report["problems"][0]["expected"] == "20 × 10"
    assert "colours" in report["problems"][1]["message"]


def test_a_file_is_asked_for_in_pieces_and_let_go(labs: Labs, pets: str) -> None:
    base = f"/label-schemas/{pets}/imports"
    for fields, field in (
        ({"filename": "a.txt", "size": 3, "format": "coco"}, "filename"),
        ({"filename": "a.json", "size": 3, "format": "conll"}, "format"),
        ({"filename": "a.json", "size": 3, "format": "none"}, "format"),
    ):
        assert labs.editor.post(base, fields, 422)["error"]["field"] == field
    assert labs.editor.post(base, {"filename": "a.json", "size": 2**40, "format": "coco"}, 413)["error"]["field"] == "size"
    made = labs.editor.post(base, {"filename": "a.json", "size": 3, "format": "coco"})
    assert labs.editor.post(f"{base}/{made['id']}/check", status=409)["error"]["code"] == "incomplete"
    assert labs.editor.post(f"{base}/{made['id']}/apply", status=409)["error"]["code"] == "import_over"
    assert labs.editor.ask("DELETE", f"{base}/{made['id']}").status_code == 204
    assert labs.editor.get(base)[0]["status"] == "cancelled"


def many(slug: str, first: int, count: int) -> None:
    """`count` more items of a schema with an annotation each, from position `first` on, in two statements."""
    schema = LabelSchema.objects.get(slug=slug)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO labeling_queueitem (schema_id, key, digest, media_type, width, height, data, position, rank, wanted, free, done,"
            " removed)"
            " SELECT %s, 'many/' || n || '.png', md5(n::text), 'image/png', 640, 480, '{}', n, n, 1, 0, 1, false"
            " FROM generate_series(%s::int, %s::int) n",
            [schema.pk, first, first + count - 1],
        )
        cursor.execute(
            "INSERT INTO labeling_annotation (id, item_id, schema_id, schema_version_id, author_id, result, seconds, status, to_review,"
            " version,"
            " created_at, updated_at) SELECT gen_random_uuid(), q.id, q.schema_id, %s, NULL, %s, 1, 'submitted', false, 1, now(), now()"
            " FROM labeling_queueitem q WHERE q.schema_id = %s AND q.position >= %s",
            [newest_version(schema).pk, json.dumps([box(10, 10, 30, 30), polygon()]), schema.pk, first],
        )


def peak(schema: LabelSchema, who: Person, name: str) -> tuple[int, int]:
    """(Bytes written, most bytes of Python objects at once) of an export to nowhere."""
    from backend.artifacts.zipped import zip_stream

    config = wording(newest_version(schema))
    items = exported.items(schema, who.user, "editor", "annotations", config)
    members = FORMATS[name].write(items, Writing(config=config))
    tracemalloc.start()
    try:
        pieces = zip_stream(members) if FORMATS[name].folder else (p for _, some in members for p in some)
        written = sum(len(piece) for piece in pieces)
        return written, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def holds_one_page(labs: Labs, slug: str, few: int, count: int) -> None:
    schema, names = LabelSchema.objects.get(slug=slug), ("labelstudio", "coco", "yolo")
    many(slug, 1_000, few)
    small = {name: peak(schema, labs.editor, name) for name in names}
    many(slug, 1_000 + few, count - few)
    for name in names:
        written, high = peak(schema, labs.editor, name)
        assert written > small[name][0] * count / few * 0.5
        low = small[name][1]
        assert high < low + 6 * 1024**2, f"{name}: {low / 1e6:.1f} MB for {few:,} annotations, {high / 1e6:.1f} MB for {count:,}"


def test_an_export_takes_the_memory_of_a_page(labs: Labs) -> None:
    holds_one_page(labs, labs.schema(labs.pictures(1), BOXES, blind=False), 300, 1_500)


@pytest.mark.slow
@pytest.mark.timeout(1800)  # every object that is made is noted: five times as slow as without
def test_an_export_of_100_000_annotations_takes_the_memory_of_a_page(labs: Labs) -> None:
    holds_one_page(labs, labs.schema(labs.pictures(1), BOXES, blind=False), 500, 100_000)


def test_a_worker_that_dies_thrice_says_so(labs: Labs, pets: str) -> None:
    made = LabelImport.objects.create(
        schema=LabelSchema.objects.get(slug=pets), format="coco", filename="a.json", size=1, status="running", attempts=3,
        created_by=labs.editor.user,
    )  # fmt: skip
    take_in(made.pk)
    made.refresh_from_db()
    assert made.status == "failed" and "3 times" in made.message
