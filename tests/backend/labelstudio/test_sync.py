"""A label schema kept the same with a project of a server that speaks Label Studio's API, through Label Studio's SDK."""

from __future__ import annotations

import time
from typing import Any

import httpx
from label_studio_sdk.client import LabelStudio

from tests.backend.labelstudio.conftest import CHOICES, Running, mood


class Pair:
    """One schema of the project “lab”, and its twin in a project of somebody else, on the same server."""

    def __init__(self, running: Running) -> None:
        self.here, self.there = running.client("olga"), running.client("sam")
        self.ours = self.here.projects.create(title="Both sides", label_config=CHOICES).id
        self.theirs = self.there.projects.create(title="Their side", label_config=CHOICES).id
        self.http = httpx.Client(
            base_url=f"{running.url}/api/v1/projects/lab/label-schemas/both-sides",
            headers={"Authorization": f"Bearer {running.tokens['olga']}"},
        )
        answer = self.http.put("/link", json={"url": running.url, "token": running.tokens["sam"], "remote": self.theirs})
        assert answer.status_code == 202, answer.text

    def settled(self) -> Any:
        until = time.monotonic() + 90
        while (link := self.http.get("/link").json()["link"])["status"] in ("queued", "running") and time.monotonic() < until:
            time.sleep(0.1)
        assert link["status"] == "ready", link
        return link

    def sync(self) -> Any:
        self.settled()
        assert self.http.post("/link/sync").status_code == 202
        return self.settled()


def said(ls: LabelStudio, project: int) -> dict[str, Any]:
    """{text: answer, or None}"""
    return {
        t.data["text"]: t.annotations[0]["result"][0]["value"]["choices"][0] if t.annotations else None
        for t in ls.tasks.list(project=project)
    }


def task(ls: LabelStudio, project: int, text: str) -> Any:
    return next(t for t in ls.tasks.list(project=project) if t.data["text"] == text)


def test_both_sides_have_the_same_and_a_person_chooses_where_both_changed(running: Running) -> None:
    pair = Pair(running)
    pair.here.projects.import_tasks(pair.ours, request=[{"data": {"text": "here"}, "annotations": [{"result": mood("good")}]}])
    pair.there.projects.import_tasks(pair.theirs, request=[{"data": {"text": "there"}, "annotations": [{"result": mood("bad")}]}])
    assert pair.sync()["tasks"] == 2
    assert said(pair.here, pair.ours) == said(pair.there, pair.theirs) == {"here": "good", "there": "bad"}
    assert "0 answers came, 0 went" in pair.sync()["message"], "what is the same already is left alone"

    there = task(pair.there, pair.theirs, "there")
    pair.there.annotations.update(id=there.annotations[0]["id"], result=mood("good"))
    pair.sync()
    assert said(pair.here, pair.ours)["there"] == "good", "a change there comes here"

    ours, theirs = task(pair.here, pair.ours, "here"), task(pair.there, pair.theirs, "here")
    pair.here.annotations.delete(id=ours.annotations[0]["id"])
    pair.there.annotations.update(id=theirs.annotations[0]["id"], result=mood("bad"))
    (conflict,) = pair.sync()["conflicts"]
    assert (conflict["task"], conflict["ours"]) == (ours.id, None)
    assert conflict["theirs"][0]["value"] == {"choices": ["bad"]}
    assert (said(pair.here, pair.ours)["here"], said(pair.there, pair.theirs)["here"]) == (None, "bad"), "nothing is overwritten"
    assert pair.http.post(f"/link/conflicts/{ours.id}", json={"side": "theirs"}).status_code == 202
    assert pair.settled()["conflicts"] == []
    assert said(pair.here, pair.ours) == said(pair.there, pair.theirs) == {"here": "bad", "there": "good"}

    assert pair.http.delete("/link").status_code == 204
    assert pair.http.get("/link").json() == {"link": None}
