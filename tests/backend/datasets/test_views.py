"""Views that take more than a moment: made by a hand while callers wait or ask again, dropped when nobody does."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from backend.artifacts import aside
from backend.artifacts.errors import BytesMissing, HandLost
from backend.datasets.models import DatasetVersion
from backend.datasets.queries import views
from backend.datasets.showing.shown import Shown, View, folder
from tests.backend.datasets.conftest import Uploader
from tests.backend.people import Person

PREVIEW = {"kind": "Table", "digest": "0" * 64, "media_type": "", "size": 1, "metadata": {}, "files": "", "offset": 0, "limit": 1}
WIDE, ROWS = 50, 45_000  # searched, some cells more than are gone through at once


@pytest.fixture
def wide(upload: Uploader) -> Shown:
    lines = "\n".join(",".join([str(i), *["x"] * (WIDE - 1)]) for i in range(ROWS))
    head = ",".join(f"c{i}" for i in range(WIDE))
    upload.ready(f"{head}\n{lines}\n".encode(), "wide.csv", name="wide", options={"freeze": True})
    return views.shown(DatasetVersion.objects.get(dataset__slug="wide"))


def kept(of: Shown, wanted: View) -> bool:
    return (folder() / f"{wanted.key(of)}.rows").exists()


def test_the_answer_says_how_far_it_is_until_the_view_is_there(wide: Shown, editor: Person) -> None:
    path = "/datasets/wide/versions/1/rows?search=4499&limit=2"
    first = editor.get(f"{path}&wait=0", status=202)
    assert first["status"] == "running" and 0 <= first["progress"] <= 1
    made = editor.get(f"{path}&wait=30")
    assert made["total"] == 15 and made["rows"][0][0] == 4499 and kept(wide, View(search="4499"))
    assert editor.get(f"{path}&wait=0&offset=1")["rows"][0][0] == 14499
    assert editor.get(f"{path}&wait=31", status=422)["error"]["problems"][0]["field"] == "wait"


def test_what_nobody_asks_for_is_dropped_and_begins_anew_for_the_next(wide: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = View(search="777")
    monkeypatch.setattr(views, "ABANDONED_S", -60.0)
    making = views._joined(wide, wanted)
    assert making._done.wait(60) and making.dropped and not kept(wide, wanted)
    monkeypatch.undo()
    again = views._joined(wide, wanted)
    assert again is not making and views._joined(wide, wanted) is again, "whoever asks meanwhile joins"
    assert again.ready(60) and kept(wide, wanted)


def test_a_hand_that_dies_is_an_error_and_the_next_works(wide: Shown) -> None:
    with pytest.raises(HandLost, match="SIGKILL") as lost, aside.hands("read").one() as hand:
        hand.tell("backend.artifacts.tables:row", {"digest": wide.data, "index": 0, "columns": ["c0"]})
        os.kill(hand._process.pid, signal.SIGKILL)
        while True:
            hand.hear()
    assert lost.value.status == 503 and "memory" in lost.value.hint
    assert aside.ask("read", "backend.artifacts.tables:row", digest=wide.data, index=7, columns=["c0", "no"]) == {"c0": 7}


def test_errors_and_large_answers_come_back_whole(wide: Shown) -> None:
    def rows(**more: Any) -> Any:
        given = {"shown": wide.as_json(), "view": View().as_json(), "offset": 0, "limit": 1, **more}
        return aside.ask("read", "backend.datasets.showing.windows:rows", **given)

    body = rows(limit=10_000)
    data = b"".join(body.pieces())
    assert len(data) == body.size > aside.BODY and data.startswith(b'{"columns":[') and data.endswith(b',"total":45000}')
    with pytest.raises(BytesMissing) as wrong:
        aside.ask("read", "backend.artifacts.previews:preview", **PREVIEW)
    assert wrong.value.details == {"digest": "0" * 12} and wrong.value.status == 410


def test_a_stream_that_is_not_read_on_ends_its_hand(wide: Shown) -> None:
    pieces = aside.stream("backend.datasets.showing.files:stream", shown=wide.as_json(), form="jsonl")
    assert next(pieces).startswith(b'{"c0": 0, "c1": "x"')
    pieces.close()
    hands = aside.hands("stream")
    assert not hands._free and hands._room._value == aside.MOST["stream"]  # type: ignore[attr-defined]  # threading's own
