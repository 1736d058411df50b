"""A broken download goes on where it stopped: parts of stored files, and only of the same bytes."""

from __future__ import annotations

from typing import Any

import pytest

from backend.artifacts.storage import store
from tests.backend.datasets.conftest import Uploader, image, zipped
from tests.backend.people import Person


def get(who: Person, path: str, **headers: str) -> tuple[int, bytes, Any]:
    address = f"/api/v1/projects/{who.project.slug}{path}"
    answer = who.http.get(address, headers={"Authorization": f"Bearer {who.secret}", **headers})
    return answer.status_code, b"".join(answer.streaming_content) if answer.streaming else answer.content, answer


@pytest.fixture
def places(upload: Uploader, editor: Person) -> list[str]:
    """The download of a version and of its artifact, and the file of an item."""
    upload.ready(b"a,b\n" + b"1,x\n" * 500, "t.csv", name="t", options={"freeze": True})
    upload.ready(zipped({"a/1.png": image("red")}), "i.zip", name="i")
    artifact = editor.get("/datasets/t/versions/1")["artifact"]
    return ["/datasets/t/versions/1/download?format=parquet", f"/artifacts/{artifact}/download", "/datasets/i/versions/1/items/0/file"]


def test_every_stored_file_is_had_in_parts(editor: Person, places: list[str]) -> None:
    for path in places:
        status, whole, answer = get(editor, path)
        size, etag = len(whole), answer["ETag"]
        assert (status, answer["Accept-Ranges"], answer["Content-Length"]) == (200, "bytes", str(size)) and size > 20
        assert store().read(etag.strip('"')) == whole
        for asked, start, end in (
            ("0-4", 0, 5),
            (f"5-{size + 99}", 5, size),
            ("7-", 7, size),
            ("-6", size - 6, size),
            (f"-{size * 2}", 0, size),
        ):
            status, part, answer = get(editor, path, Range=f"bytes={asked}")
            assert (status, part) == (206, whole[start:end])
            assert answer["Content-Range"] == f"bytes {start}-{end - 1}/{size}" and answer["Content-Length"] == str(end - start)
        for asked in ("bytes=0-1,3-4", "lines=1-2", "bytes=4-2", "bytes=-", "bytes=a-b"):
            assert get(editor, path, Range=asked)[:2] == (200, whole), asked
        for asked in (f"bytes={size}-", "bytes=-0"):
            status, body, answer = get(editor, path, Range=asked)
            assert status == 416 and answer["Content-Range"] == f"bytes */{size}" and b"range_not_satisfiable" in body
        assert get(editor, path, **{"Range": "bytes=3-", "If-Range": etag})[:2] == (206, whole[3:])
        assert get(editor, path, **{"Range": "bytes=3-", "If-Range": '"other"'})[:2] == (200, whole)
        assert get(editor, path, **{"Range": "bytes=3-", "If-None-Match": etag})[0] == 304


def test_what_is_made_while_it_is_sent_has_no_parts(editor: Person, places: list[str]) -> None:
    status, body, answer = get(editor, "/datasets/t/versions/1/download?format=csv", Range="bytes=2-")
    assert status == 200 and body.startswith(b"\xef\xbb\xbf") and "Accept-Ranges" not in answer
