"""Images and texts from upload to pixels on the page."""

from __future__ import annotations

import io
import json
import zipfile

import pyarrow.parquet as pq
import pytest
from PIL import Image

from backend.artifacts.storage import store
from backend.datasets.models import DatasetVersion, Item
from backend.datasets.queries.views import shown
from backend.datasets.showing import windows
from backend.datasets.showing.shown import View
from tests.backend.datasets.conftest import Uploader, image, profiled, tarred, zipped
from tests.backend.people import Person

PETS = {
    "pets/train/cat/1.png": image("red"),
    "pets/train/cat/2.jpg": image("green", form="JPEG"),
    "pets/train/dog/1.webp": image("blue", form="WEBP"),
    "pets/test/dog/2.gif": image("white", form="GIF"),
    "pets/test/cat/3.bmp": image("black", form="BMP"),
    "pets/test/dog/4.tiff": image("red", (9, 9), "TIFF"),
    "pets/README.md": b"# Pets",
    "__MACOSX/pets/._1.png": b"x",
    "pets/.DS_Store": b"x",
    "pets/LICENSE": b"free",
}


@pytest.mark.parametrize(
    ("data", "name"),
    [(zipped(PETS), "pets.zip"), (tarred(PETS), "pets.tar"), (tarred(PETS, "w:gz"), "pets.tar.gz")],
    ids=["zip", "tar", "tar.gz"],
)
def test_class_and_split_per_folder_in_every_archive(upload: Uploader, editor: Person, data: bytes, name: str) -> None:
    sent = upload.ready(data, name, options={"freeze": True})
    assert sent["dataset"] == "pets" and sent["message"] == "6 items; 2 other files left out"
    seen = editor.get("/datasets/pets/versions/1/items")
    assert {(i["key"], i["label"], i["split"]) for i in seen["items"]} == {
        ("train/cat/1.png", "cat", "train"), ("train/cat/2.jpg", "cat", "train"), ("train/dog/1.webp", "dog", "train"),
        ("test/dog/2.gif", "dog", "test"), ("test/cat/3.bmp", "cat", "test"), ("test/dog/4.tiff", "dog", "test"),
    }  # fmt: skip
    assert seen["labels"] == ["cat", "dog"] and seen["total"] == 6 and seen["items"][0]["width"] == 8
    assert [i["key"] for i in editor.get("/datasets/pets/versions/1/items?label=dog&search=TEST&limit=1&offset=1")["items"]] == [
        "test/dog/4.tiff"
    ]
    manifest = editor.get("/datasets/pets/versions/1/manifest")
    table = pq.read_table(store().fetch(manifest["digest"]))
    assert manifest["kind"] == "Images" and table.column_names == [
        "key",
        "digest",
        "width",
        "height",
        "label",
        "split",
        "media_type",
        "size",
    ]
    assert store().read(table.column("digest")[0].as_py()) == PETS["pets/train/cat/1.png"]


def test_pixels_thumbnails_profile_and_a_download_that_can_be_uploaded_again(upload: Uploader, editor: Person) -> None:
    sent = upload.ready(
        zipped({"a/1.png": image("red", (400, 200)), "a/2.png": image("red", (400, 200)), "b/x.jpg": image("blue", form="JPEG")}),
        "i.zip",
        name="i",
    )
    seen = editor.get("/datasets/i/versions/1/items")["items"]
    thumb = editor.http.get(seen[0]["thumbnail_url"], headers={"Authorization": f"Bearer {editor.secret}"})
    assert thumb["Content-Type"] == "image/webp" and Image.open(io.BytesIO(thumb.content)).size == (256, 128)
    full = editor.ask("GET", "/datasets/i/versions/1/items/2/file")
    assert full["Content-Type"] == "image/jpeg" and full["X-Content-Type-Options"] == "nosniff"
    assert editor.ask("GET", "/datasets/i/versions/1/items/3/file").status_code == 404
    profiled(sent)
    profile = editor.get("/datasets/i/versions/1/profile")
    assert (
        profile["duplicates"] == 1 and profile["images"]["formats"] == {"PNG": 2, "JPEG": 1} and profile["classes"] == [["a", 2], ["b", 1]]
    )
    archive = b"".join(editor.ask("GET", "/datasets/i/versions/1/download?format=zip").streaming_content)
    upload.ready(archive, "again.zip", name="again")
    again = editor.get("/datasets/again/versions/1/items")["items"]
    assert [(i["key"], i["label"]) for i in again] == [("a/1.png", "a"), ("a/2.png", "a"), ("b/x.jpg", "b")]


def test_a_manifest_inside_says_label_and_split(upload: Uploader, editor: Person) -> None:
    files = {"set/img/1.png": image("red"), "set/img/2.png": image("blue")}
    table = b"file_name,class,split\nimg/1.png,cat,Train\nimg/2.png,dog,val\n"
    lines = b"".join(
        json.dumps({"path": p, "label": c, "split": s}).encode() + b"\n"
        for p, c, s in [("img/1.png", "cat", "train"), ("img/2.png", "dog", "validation")]
    )
    for number, (name, data) in enumerate([("set/labels.csv", table), ("set/manifest.jsonl", lines)]):
        upload.ready(zipped({**files, name: data}), "m.zip", name=f"m{number}")
        seen = editor.get(f"/datasets/m{number}/versions/1/items")["items"]
        assert [(i["key"], i["label"], i["split"]) for i in seen] == [("img/1.png", "cat", "train"), ("img/2.png", "dog", "validation")]
    bad = upload.problems(
        zipped({**files, "set/labels.csv": b"path,label,split\nimg/1.png,cat,train\nimg/9.png,dog,train\nimg/2.png,dog,holdout\n,x,\n"}),
        "m.zip",
    )
    assert {p["field"].split("› ")[1] for p in bad} == {f"set/labels.csv, line {n}" for n in (3, 4, 5)}


def test_a_manifest_inside_says_which_boxes_lie_on_each_picture(upload: Uploader, editor: Person) -> None:
    files = {"a.png": image("red"), "b.png": image("blue"), "c.png": image("green")}
    cat = {"label": " cat ", "x": 10, "y": 20.5, "width": 30, "height": 79.51}

    def manifest(*rows: tuple[str, object]) -> bytes:
        return zipped({**files, "manifest.jsonl": b"\n".join(json.dumps({"path": p, "boxes": b}).encode() for p, b in rows)})

    upload.ready(manifest(("a.png", [cat]), ("b.png", []), ("c.png", None)), "drawn.zip", options={"freeze": True})
    digest = editor.get("/datasets/drawn/versions/1/manifest")["digest"]
    said = dict(pq.read_table(store().fetch(digest), columns=["key", "annotations"]).to_pydict().items())
    kept = dict(zip(said["key"], (json.loads(text) if text else None for text in said["annotations"]), strict=True))
    assert kept["b.png"] == {"result": []} and kept["c.png"] is None, "nothing there is not the same as nobody looked"
    (box,) = kept["a.png"]["result"]
    value = {"x": 10, "y": 20.5, "width": 30, "height": 79.51, "rotation": 0, "rectanglelabels": ["cat"]}
    assert (box["type"], box["value"]) == ("rectanglelabels", value)

    wrong = [
        ("is no list", "cat"), ("no object", ["cat"]), ("no label", [{**cat, "label": ""}]), ("no number “x”", [{**cat, "x": "left"}]),
        ("no number “y”", [{**cat, "y": float("nan")}]), ("a width of 0", [{**cat, "width": 0}]),
        ("beyond the picture", [{**cat, "x": 80}]),
    ]  # fmt: skip
    for words, boxes in wrong:
        (problem,) = upload.problems(manifest(("a.png", [cat]), ("b.png", boxes), ("c.png", [])), "drawn.zip")
        assert words in problem["message"] and "line 2" in problem["field"] and "percent" in problem["expected"]


def test_exif_orientation_and_animation_are_noted(upload: Uploader) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    upload.ready(
        zipped(
            {
                "a.jpg": image("red", form="JPEG", exif=exif),
                "b.gif": image("red", form="GIF", save_all=True, append_images=[Image.new("RGB", (8, 6), "blue")]),
            }
        ),
        "e.zip",
    )
    assert Item.objects.get(key="a.jpg").data["orientation"] == 6 and Item.objects.get(key="b.gif").data["frames"] == 2


def test_append_and_replace_of_images_keep_what_is_the_same(upload: Uploader, editor: Person) -> None:
    upload.ready(zipped({"a/1.png": image("red"), "a/2.png": image("blue")}), "one.zip", name="i")
    upload.ready(zipped({"a/2.png": image("green"), "b/3.png": image("white")}), "two.zip", dataset="i", mode="append")
    upload.ready(zipped({"a/1.png": image("red"), "b/3.png": image("white")}), "three.zip", dataset="i", options={"freeze": True})

    def keys(number: int) -> list[str]:
        return sorted(i["key"] for i in editor.get(f"/datasets/i/versions/{number}/items")["items"])

    assert [keys(n) for n in (1, 2, 3)] == [["a/1.png", "a/2.png"], ["a/1.png", "a/2.png", "b/3.png"], ["a/1.png", "b/3.png"]]
    assert Item.objects.count() == 4 and Item.objects.get(key="a/1.png").added_in == 1
    failed = upload(b"a\n1\n", "t.csv", dataset="i", mode="append")
    assert "holds a table, the data set “i” holds images" in failed["problems"][0]["message"]


def test_texts_become_a_table_of_texts(upload: Uploader, editor: Person) -> None:
    upload.ready(
        zipped({"r/pos/1.txt": "schön".encode(), "r/neg/2.md": b"bad", "r/neg/3.txt": "wide".encode("utf-16")}),
        "r.zip",
        options={"freeze": True},
    )
    manifest = editor.get("/datasets/r/versions/1/manifest")
    assert manifest["kind"] == "Table" and manifest["modality"] == "text" and manifest["label_column"] == "label"
    assert pq.read_table(store().fetch(manifest["digest"]), columns=["text", "label"]).to_pylist() == [
        {"text": "schön", "label": "pos"}, {"text": "bad", "label": "neg"}, {"text": "wide", "label": "neg"},
    ]  # fmt: skip
    assert editor.ask("GET", "/datasets/r/versions/1/items/0/file")["Content-Disposition"].startswith("attachment")
    upload.ready(b"one more", "more.txt", dataset="r", mode="append")
    assert editor.get("/datasets/r/versions/2/items")["total"] == 4


@pytest.mark.slow
def test_many_images_scroll_anywhere_without_an_offset_scan(upload: Uploader, editor: Person) -> None:
    one = image("red", (1, 1))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for i in range(20_000):
            archive.writestr(f"{i % 10}/{i:06d}.png", one)
    upload.ready(out.getvalue(), "many.zip", options={"freeze": True}, piece=1 << 22)
    seen = editor.get("/datasets/many/versions/1/items?offset=19990&limit=100")
    assert [i["key"] for i in seen["items"]][-1] == "9/019999.png" and len(seen["items"]) == 10
    with pytest.MonkeyPatch.context() as patch:  # here, not in a hand, the same again is counted
        from backend.artifacts import tables

        read: list[int] = []
        real = tables.open_parquet
        patch.setattr(tables, "open_parquet", lambda digest: read.append(1) or real(digest))
        of = shown(DatasetVersion.objects.get(dataset__slug="many"))
        here = windows.items(shown=of.as_json(), view=View().as_json(), offset=19990, limit=100, known_labels=[])
    assert [i["key"] for i in here["items"]] == [i["key"] for i in seen["items"]] and len(read) == 1
    assert editor.get("/datasets/many/versions/1/items?label=3&offset=1000&limit=1")["items"][0]["key"] == "3/010003.png"
