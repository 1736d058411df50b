"""Sounds, videos and PDFs from upload to the bytes that a page plays."""

from __future__ import annotations

import io
import zipfile

import pyarrow.parquet as pq
import pytest

from backend.artifacts.storage import store
from backend.artifacts.unused import _named_inside
from backend.datasets.models import Item
from tests import media
from tests.backend.datasets.conftest import Uploader, profiled, tarred, zipped
from tests.backend.people import Person

SOUNDS = {
    "calls/train/dog/1.wav": media.wav(1.5, channels=2),
    "calls/train/dog/2.mp3": media.mp3(2),
    "calls/train/cat/3.ogg": media.ogg(2),
    "calls/test/cat/4.flac": media.flac(2),
    "calls/test/dog/5.m4a": media.mp4(2, sound=True, codec=b"mp4a", brand=b"M4A "),
    "calls/test/dog/6.mp3": media.mp3(1, tagged=True),
    "calls/test/dog/7.opus": media.ogg(1),
    "calls/README.md": b"# Calls",
}


def test_sounds_of_every_kind_become_items_with_their_length(upload: Uploader, editor: Person) -> None:
    for data, name in ((zipped(SOUNDS), "calls.zip"), (tarred(SOUNDS), "calls.tar")):
        sent = upload.ready(data, name, options={"freeze": True}, name=name.replace(".", " "))
        seen = editor.get(f"/datasets/{sent['dataset']}/versions/1/items")["items"]
        assert [(i["key"], i["label"], i["split"], i["media_type"], round(i["duration"], 1)) for i in seen] == [
            ("train/dog/1.wav", "dog", "train", "audio/wav", 1.5), ("train/dog/2.mp3", "dog", "train", "audio/mpeg", 2.0),
            ("train/cat/3.ogg", "cat", "train", "audio/ogg", 2.0), ("test/cat/4.flac", "cat", "test", "audio/flac", 2.0),
            ("test/dog/5.m4a", "dog", "test", "audio/mp4", 2.0), ("test/dog/6.mp3", "dog", "test", "audio/mpeg", 1.0),
            ("test/dog/7.opus", "dog", "test", "audio/ogg", 1.0),
        ]  # fmt: skip
    first = "calls-zip"
    assert editor.get(f"/datasets/{first}")["modality"] == "audio"
    manifest = editor.get(f"/datasets/{first}/versions/1/manifest")
    digests = pq.read_table(store().fetch(manifest["digest"]))["digest"].to_pylist()
    assert manifest["kind"] == "Table" and store().read(digests[0]) == SOUNDS["calls/train/dog/1.wav"]
    assert set(digests) <= {d for named in _named_inside() for d in named}, "a sweep would take what a frozen version names"
    version = editor.get(f"/datasets/{first}/versions")[0]
    assert version["size"] == sum(len(SOUNDS[f"calls/{i['key']}"]) for i in seen)
    profiled(sent)
    profile = editor.get(f"/datasets/{sent['dataset']}/versions/1/profile")
    assert profile["classes"] == [["dog", 5], ["cat", 2]] and profile["media"]["codecs"]["MP3"] == 2
    assert round(profile["media"]["seconds"], 1) == 11.5 and profile["media"]["unknown"] == 0
    again = b"".join(editor.ask("GET", f"/datasets/{sent['dataset']}/versions/1/download?format=zip").streaming_content)
    assert zipfile.ZipFile(io.BytesIO(again)).read("train/dog/2.mp3") == SOUNDS["calls/train/dog/2.mp3"]
    upload.ready(again, "again.zip", name="again")
    assert [i["label"] for i in editor.get("/datasets/again/versions/1/items")["items"]] == [i["label"] for i in seen]


def test_videos_and_pdfs(upload: Uploader, editor: Person) -> None:
    upload.ready(
        zipped({"a.mp4": media.mp4(), "b.webm": media.webm(), "c.webm": media.webm(None), "d.mov": media.mp4(brand=b"qt  ")}), "v.zip"
    )
    seen = editor.get("/datasets/v/versions/1/items")["items"]
    assert [(i["media_type"], i["duration"], i["width"], i["height"]) for i in seen] == [
        ("video/mp4", 2.0, 320, 240), ("video/webm", 3.0, 320, 240), ("video/webm", None, 320, 240), ("video/quicktime", 2.0, 320, 240),
    ]  # fmt: skip
    assert Item.objects.get(key="a.mp4").data["frame_rate"] == 25 and Item.objects.get(key="b.webm").data["frame_rate"] == 25
    upload.ready(media.mp4(), "one.mp4", name="one", options={"freeze": True})
    assert editor.get("/datasets/one")["modality"] == "video"
    upload.ready(media.pdf(3), "more.pdf", name="papers")
    upload.ready(zipped({"x/1.pdf": media.pdf(2), "y/2.pdf": media.pdf(1)}), "papers.zip", dataset="papers", mode="append")
    assert [(i["key"], i["label"]) for i in editor.get("/datasets/papers/versions/2/items")["items"]] == [
        ("more.pdf", None), ("x/1.pdf", "x"), ("y/2.pdf", "y"),
    ]  # fmt: skip
    assert Item.objects.get(key="more.pdf").data["pages"] == 3
    failed = upload(media.wav(), "s.wav", dataset="v", mode="append")
    assert "holds sounds, the data set “v” holds videos" in failed["problems"][0]["message"]


def test_a_page_can_seek_and_nothing_runs(upload: Uploader, editor: Person) -> None:
    sound = media.wav(2)
    upload.ready(sound, "s.wav", name="s")
    upload.ready(media.pdf(), "p.pdf", name="p")
    whole = editor.ask("GET", "/datasets/s/versions/1/items/0/file")
    assert whole["Content-Type"] == "audio/wav" and whole["Accept-Ranges"] == "bytes" and whole["X-Content-Type-Options"] == "nosniff"
    url = f"/api/v1/projects/{editor.project.slug}/datasets/s/versions/1/items/0/file"
    part = editor.http.get(url, headers={"Authorization": f"Bearer {editor.secret}", "Range": "bytes=1000-1999"})
    assert part.status_code == 206 and part["Content-Range"] == f"bytes 1000-1999/{len(sound)}"
    assert b"".join(part.streaming_content) == sound[1000:2000]
    paper = editor.ask("GET", "/datasets/p/versions/1/items/0/file")
    assert paper["Content-Type"] == "application/pdf" and paper["Content-Disposition"].startswith("attachment")
    assert paper["Content-Security-Policy"] == "default-src 'none'; sandbox"


def cut(data: bytes, by: int = 40) -> bytes:
    return data[:-by]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.wav", cut(media.wav()), "bytes of sound are promised"),
        ("a.ogg", cut(media.ogg()), "its last page is not whole"),
        ("a.mp4", cut(media.mp4()), "“mdat” is not whole"),
        ("a.mp4", media.mp4()[:24], "table of contents"),
        ("a.webm", cut(media.webm(), 20), "its pictures and sounds are not all there"),
        ("a.pdf", cut(media.pdf(), 10), "the end mark of the PDF is missing"),
        ("a.wav", media.wav()[:44], "bytes of sound are promised"),
        ("a.wav", media.mp3(), "The name says .wav, but the content is MP3"),
        ("a.mp3", b"RIFF" + b"\0" * 4 + b"AVI " + b"\0" * 99, "The name says .mp3, but the content is WAV"),
        ("a.mp4", media.mp4(codec=b"apch"), "coded as “apch”, which browsers do not play"),
        ("a.webm", media.webm(kind=b"matroska"), "Matroska (mkv), which not every browser plays"),
        ("a.wav", b"", "This file is empty"),
        ("a.mp3", b"\0\1\2" * 300, "This is binary data, though its name says .mp3"),
        ("a.mp3", b"<html><script>alert(1)</script></html>", "This is an HTML page, though its name says .mp3"),
        ("a.mp4", media.mp4(sound=True, codec=b"mp4a"), "This is a sound, not a video"),
    ],
)
def test_what_only_looks_like_media_is_refused_by_name(upload: Uploader, name: str, data: bytes, said: str) -> None:
    good = {"good.wav": media.wav()} if name.endswith(("wav", "mp3", "ogg")) else {"good.mp4": media.mp4()}
    good = {"good.pdf": media.pdf()} if name.endswith("pdf") else good
    found = upload.problems(zipped({**good, name: data}), "t.zip")
    assert len(found) == 1 and name in found[0]["field"] and said in found[0]["message"] and found[0]["expected"], found
