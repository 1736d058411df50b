"""The same synchronisation with Label Studio itself, in an environment of its own: it cannot be installed beside us."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from label_studio_sdk.client import LabelStudio

from tests import label_studio as real
from tests.backend.labelstudio.conftest import CHOICES, Running, mood
from tests.backend.labelstudio.pair import Pair, UploadedPair, moods, task
from tests.backend.labelstudio.proxy import proxy_to
from tests.backend.labelstudio.test_sync_files import KINDS, choices, contents, inline, said

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]


@pytest.fixture(scope="module")
def label_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("label-studio")
    try:
        real.installed()
    except real.CannotInstall as exc:
        pytest.skip(f"label-studio cannot be installed here: {exc}")  # a machine without a package index
    with real.running(folder) as url:
        yield url


class RealPair(Pair):
    def __init__(self, running: Running, url: str, config: str = CHOICES, overlap: int = 1) -> None:
        super().__init__(running, config=config, overlap=overlap, url=url, linked=False)
        self.there = LabelStudio(base_url=url, api_key=real.TOKEN)
        self.theirs = self.there.projects.create(
            title=f"Theirs {uuid.uuid4().hex[:6]}", label_config=config, maximum_annotations=overlap
        ).id

    def link(self, **other: Any) -> None:
        super().link(**{"token": real.TOKEN, **other})


def test_label_studio_itself_has_the_same_and_only_what_changed_goes_again(running: Running, label_studio: str) -> None:
    with proxy_to(label_studio) as proxy:
        pair = RealPair(running, label_studio, overlap=2)
        pair.url = proxy.url
        predicted = [{"model_version": "v1", "score": 0.5, "result": mood("good")}]
        given: Any = [
            {"data": {"text": "here"}, "annotations": [{"result": mood("good")}], "predictions": predicted},
            {"data": {"text": "free"}},
        ]
        pair.here.projects.import_tasks(pair.ours, request=given)
        pair.there.projects.import_tasks(pair.theirs, request=[{"data": {"text": "there"}, "annotations": [{"result": mood("bad")}]}])
        pair.link()
        link = pair.settled()
        whole = {"here": ["good"], "free": [], "there": ["bad"]}
        assert moods(pair.here, pair.ours) == moods(pair.there, pair.theirs) == whole, link
        assert [p.model_version for p in task(pair.there, pair.theirs, "here").predictions] == ["v1"]

        with psycopg.connect(running.database, autocommit=True) as db:  # what was just sent is no longer recent
            db.execute("UPDATE labelstudio_link SET read_until = clock_timestamp() + '10 s', told_until = clock_timestamp() + '10 s'")
        proxy.asked.clear()
        pair.sync()
        assert proxy.asked == ["GET /api/version/", f"GET /api/projects/{pair.theirs}/", "GET /api/tasks/"]

        free = task(pair.there, pair.theirs, "free")
        pair.there.annotations.create(id=free.id, result=mood("good"))
        running.client("ann").annotations.create(id=task(pair.here, pair.ours, "free").id, result=mood("bad"))
        here = task(pair.here, pair.ours, "here").annotations[0]["id"]
        pair.here.annotations.update(id=here, result=mood("bad"))
        link = pair.sync()
        both = {"here": ["bad"], "free": ["bad", "good"], "there": ["bad"]}
        assert moods(pair.here, pair.ours) == moods(pair.there, pair.theirs) == both, link

        there = task(pair.there, pair.theirs, "here").annotations[0]["id"]
        pair.there.annotations.update(id=there, result=mood("good"))
        pair.here.annotations.delete(id=here)
        pair.there.tasks.delete(id=task(pair.there, pair.theirs, "there").id)
        link = pair.sync()
        assert [c["kind"] for c in link["conflicts"]] == ["here"], link
        assert "there" not in moods(pair.here, pair.ours), "deleted there, untouched here: followed"
        pair.choose(link["conflicts"][0]["id"], "ours")
        assert pair.http.post(f"/link/deletions/{link['deletions'][0]['id']}/undo").status_code == 202
        pair.settled()
        assert moods(pair.here, pair.ours) == moods(pair.there, pair.theirs) == {"here": [], "free": ["bad", "good"], "there": ["bad"]}


def theirs_as_bytes(url: str, ls: LabelStudio, project: int) -> dict[bytes, list[str]]:
    found = {}
    for one in ls.tasks.list(project=project):
        file = httpx.get(url + one.data["it"], headers={"Authorization": f"Token {real.TOKEN}"})
        assert file.status_code == 200, one.data
        found[file.content] = [a["result"][0]["value"]["choices"][0] for a in one.annotations or []]
    return found


@pytest.mark.parametrize("tag", KINDS)
def test_files_travel_to_label_studio_and_from_there(running: Running, label_studio: str, tag: str) -> None:
    kind, ours, theirs = KINDS[tag]
    pair = RealPair(running, label_studio, choices(tag))
    name = {"Image": "a.png", "Audio": "a.wav", "Video": "a.webm", "Pdf": "a.pdf"}[tag]
    pair.here.projects.import_tasks(pair.ours, request=[{"data": {"it": inline(kind, ours)}, "annotations": [{"result": said("good")}]}])
    head = {"Authorization": f"Token {real.TOKEN}"}
    made = httpx.post(f"{label_studio}/api/projects/{pair.theirs}/import", files={"a": (name, theirs, kind)}, headers=head)
    assert made.status_code == 201, made.text
    pair.link()
    link = pair.settled()
    assert (link["problems"], link["conflicts"]) == ([], []), link
    assert contents(running, pair.here, pair.ours, "olga") == {ours: ["good"], theirs: []}, link["message"]
    assert theirs_as_bytes(label_studio, pair.there, pair.theirs) == {ours: ["good"], theirs: []}


def test_every_kind_is_followed_with_label_studio_itself(running: Running, label_studio: str, tmp_path: Path) -> None:
    """What tasks say, rows of an upload, skips, ground truth and deleted predictions; and then nothing is left to do."""
    with proxy_to(label_studio) as proxy:
        pair = UploadedPair(running, tmp_path, "text,year\na,1\nb,2\n", url=proxy.url)
        pair.there = LabelStudio(base_url=label_studio, api_key=real.TOKEN)
        pair.theirs = pair.there.projects.create(title=pair.dataset, label_config=CHOICES).id
        ann = pair.there.users.create(username="ann", email="ann@lab.example", first_name="Ann", last_name="Lee")
        given: Any = [
            {"data": {"text": "new", "year": "3"}, "annotations": [{"result": mood("bad")}]},
            {"data": {"text": "odd", "colour": 1}},
        ]
        pair.there.projects.import_tasks(pair.theirs, request=given)
        pair.here.annotations.create(id=task(pair.here, pair.ours, "a").id, result=mood("good"))
        running.client("ann").annotations.create(id=task(pair.here, pair.ours, "b").id, result=[], was_cancelled=True)
        pair.here.predictions.create(task=task(pair.here, pair.ours, "b").id, result=mood("good"), model_version="v1")
        pair.link(token=real.TOKEN)
        link = pair.settled()
        assert pair.rows(2) == [["a", 1], ["b", 2], ["new", 3]], link
        assert [one["message"] for one in link["problems"]] == ["The table has no column “colour”; it has “text”, “year”."]
        a, b, new = (pair.there.tasks.get(id=task(pair.there, pair.theirs, text).id) for text in ("a", "b", "new"))
        assert [(x["was_cancelled"], x["completed_by"]["id"]) for x in b.annotations] == [(True, ann.id)], b.annotations
        marked = [x["ground_truth"] for x in (*a.annotations, *new.annotations)]
        assert marked == [True, True], "here one is wanted, and it is the truth; there what was imported is"
        assert len(b.predictions) == 1

        pair.there.tasks.update(id=a.id, data={"text": "a, corrected"})
        pair.there.annotations.delete(id=b.annotations[0]["id"])
        pair.there.annotations.create(id=new.id, result=[], was_cancelled=True, completed_by=ann.id)
        gone = httpx.post(
            f"{label_studio}/api/dm/actions", params={"id": "delete_tasks_predictions", "project": pair.theirs},
            json={"selectedItems": {"all": True, "excluded": []}}, headers={"Authorization": f"Token {real.TOKEN}"},
        )  # fmt: skip
        assert gone.json()["processed_items"] == 1, gone.text
        link = pair.sync()
        assert pair.rows(3) == [["a, corrected", 1], ["b", 2], ["new", 3]], link
        assert moods(pair.here, pair.ours)["a, corrected"] == ["good"]
        assert len(task(pair.here, pair.ours, "b").predictions) == 1, "what was said here first stays here"
        assert not [x for x in task(pair.here, pair.ours, "b").annotations if x["was_cancelled"]], "the skip was taken back there"
        assert [x["was_cancelled"] for x in task(pair.here, pair.ours, "new").annotations] == [False, True], link
        pair.there.tasks.delete(id=task(pair.there, pair.theirs, "odd").id)  # what does not fit is looked at each time
        for _ in range(2):
            with psycopg.connect(running.database, autocommit=True) as db:  # what was just sent is no longer recent
                db.execute("UPDATE labelstudio_link SET read_until = clock_timestamp() + '10 s', told_until = clock_timestamp() + '10 s'")
            proxy.asked.clear()
            pair.sync()
        assert proxy.asked == ["GET /api/version/", f"GET /api/projects/{pair.theirs}/", "GET /api/tasks/"], pair.get()
