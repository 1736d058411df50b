"""Tasks there for a table here that was uploaded: what fits becomes rows of one version, and of the rest it is said why not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.backend.labelstudio.conftest import Running, mood
from tests.backend.labelstudio.pair import UploadedPair, moods, task
from tests.backend.labelstudio.proxy import Proxy, proxy_to

ROWS = "text,year,seen,score\nA film,1990,true,1.5\nThe same,1991,false,2\nThe same,1991,false,2\nThe same,1991,false,2\n"
LONG = 5 * 1024**2


@pytest.fixture
def proxy(running: Running) -> Iterator[Proxy]:
    with proxy_to(running.url) as made:
        yield made


def said_of(pair: UploadedPair) -> dict[int, tuple[str, list[str]]]:
    """{task here: (its text, answers)}"""
    tasks = pair.here.tasks.list(project=pair.ours)
    return {t.id: (t.data["text"], [a["result"][0]["value"]["choices"][0] for a in t.annotations or []]) for t in tasks}


def test_tasks_made_there_become_rows_and_what_does_not_fit_is_said(running: Running, proxy: Proxy, tmp_path: Path) -> None:
    pair = UploadedPair(running, tmp_path, ROWS, url=proxy.url)
    pair.here.annotations.create(id=task(pair.here, pair.ours, "A film").id, result=mood("good"))
    given: list[Any] = [
        {"data": {"text": "Whole", "year": "1999", "seen": True, "score": 3}, "annotations": [{"result": mood("bad")}]},
        {"text": "Only its text"},
        {"text": "A film", "year": 1990, "seen": True, "score": 1.5},
        {"text": "Odd", "colour": "red", "size": 3},
        {"text": "Wrong year", "year": "soon"},
        {"text": "No year", "year": True},
        {"text": "Far away", "year": 2**70},
        {"text": {"a": 1}},
        {"text": "Long", "score": "1" * LONG},
        {"text": "Nul NUL here"},
    ]
    pair.there.projects.import_tasks(pair.theirs, request=given)
    proxy.instead = {b"Nul NUL here": b"Nul \\u0000 here"}
    proxy.hold_next(r"POST /api/tasks/\d+/annotations/")
    pair.link()
    assert proxy.held.wait(120)
    running.worker.kill()  # the version is made, and no synchronisation ever came to its end
    proxy.release.set()
    running.worker.start()
    link = pair.settled()
    version = pair.version()
    assert (version["number"], version["item_count"]) == (2, 8), "one version for all, and none for the second try"
    assert pair.rows(2)[4:] == [
        ["Whole", 1999, True, 3.0],
        ["Only its text", None, None, None],
        ["A film", 1990, True, 1.5],
        ["Nul \ufffd here", None, None, None],
    ]
    told = {one["where"]: one["message"] for one in link["problems"]}
    assert sorted(told.values()) == sorted(
        [
            "The table has no column “size”, “colour”; it has “text”, “year”, “seen”, “score”.",
            '“year” is "soon", and the column holds a whole number.',
            "“year” is true, and the column holds a whole number.",
            f"“year” is {2**70}, and the column holds a whole number.",
            '“text” is {"a": 1}, and the column holds a text.',
            "It has more than 4,194,304 characters of data.",
            "Some of its characters or numbers cannot be kept; “�” stands for them here.",
        ]
    ), told
    assert len(list(pair.there.tasks.list(project=pair.theirs))) == 10 + 4 and link["tasks"] == 8
    here = sorted(said_of(pair).values())
    assert here[:2] == [("A film", []), ("A film", ["good"])], "an equal row is another row"
    assert ("Whole", ["bad"]) in here and len(here) == 8
    assert pair.sync()["tasks"] == 8 and pair.version()["number"] == 2, "nothing new: no version"
    runs = link["runs"]
    assert (runs[0]["status"], runs[0]["counts"]["left_out"], len(runs)) == ("ready", 6, 1), "the killed one never ended"


def test_a_row_that_is_corrected_there_changes_here_and_keeps_its_answers(running: Running, proxy: Proxy, tmp_path: Path) -> None:
    pair = UploadedPair(running, tmp_path, ROWS, url=proxy.url)
    items = [t.id for t in pair.here.tasks.list(project=pair.ours)]
    for n, said in zip(items, ("good", "bad", "good", "bad"), strict=True):
        pair.here.annotations.create(id=n, result=mood(said))
    pair.link()
    link = pair.settled()
    there = list(pair.there.tasks.list(project=pair.theirs))
    assert len(there) == 4, link
    pair.there.tasks.update(id=there[0].id, data={"text": "A long film"})
    pair.there.tasks.update(id=there[1].id, data={"text": "A film"})  # as the first was
    pair.there.tasks.update(id=there[3].id, data={"text": "Fits not", "colour": "red"})
    new = {"text": "The same", "year": 1991, "seen": False, "score": 2}
    pair.there.projects.import_tasks(pair.theirs, request=[new])
    link = pair.sync()
    assert (pair.version()["number"], pair.version()["item_count"]) == (2, 5), (link["problems"], link["message"])
    rows = pair.rows(2)
    assert rows[0] == ["A long film", 1990, True, 1.5], "what the task does not say stays as it was"
    assert sorted(map(str, rows)) == sorted(
        map(str, [["A long film", 1990, True, 1.5], ["A film", 1991, False, 2.0], *[["The same", 1991, False, 2.0]] * 3])
    )
    now = said_of(pair)
    assert [now[n] for n in items] == [("A long film", ["good"]), ("A film", ["bad"]), ("The same", ["good"]), ("The same", ["bad"])]
    (conflict,) = link["conflicts"]
    assert conflict["kind"] == "data" and "no column “colour”" in conflict["why"] and conflict["task"] == items[3]
    assert (conflict["ours"]["data"], conflict["theirs"]["data"]) == ({"text": "The same"}, {"text": "Fits not", "colour": "red"})
    pair.choose(conflict["id"], "ours")
    assert moods(pair.there, pair.theirs)["The same"] is not None and "Fits not" not in moods(pair.there, pair.theirs)
    assert pair.get()["conflict_count"] == 0


def test_a_draft_version_is_not_passed_over(running: Running, tmp_path: Path) -> None:
    pair = UploadedPair(running, tmp_path, ROWS)
    pair.there.projects.import_tasks(pair.theirs, request=[{"text": "New"}])
    (tmp_path / "more.csv").write_text("text,year,seen,score\nDraft,2000,true,1\n", encoding="utf-8")
    pair.client.upload(tmp_path / "more.csv", dataset=pair.dataset, options={"freeze": False})
    pair.link()
    link = pair.settled()
    assert "Version 2 of the data set is a draft" in link["problems"][0]["message"], link
    assert "New" in moods(pair.there, pair.theirs) and "New" not in moods(pair.here, pair.ours)
