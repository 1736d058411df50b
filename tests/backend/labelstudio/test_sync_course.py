"""How a synchronisation goes on: only what changed, after a killed worker, at its time, until somebody cancels; and what it says."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psycopg
import pytest

from tests.backend.labelstudio.conftest import Running, Server, mood
from tests.backend.labelstudio.pair import Pair, moods, task
from tests.backend.labelstudio.proxy import Proxy, proxy_to


@pytest.fixture
def proxy(running: Running) -> Iterator[Proxy]:
    with proxy_to(running.url) as made:
        yield made


def since(proxy: Proxy, pair: Pair) -> list[str]:
    """What the next synchronisation asks of the other side; what it did is then no longer recent."""
    proxy.asked.clear()
    pair.sync()
    asked = [one.replace(str(pair.theirs), "N") for one in proxy.asked]
    with psycopg.connect(pair.running.database, autocommit=True) as db:
        db.execute("UPDATE labelstudio_link SET read_until = clock_timestamp() + '10 s', told_until = clock_timestamp() + '10 s'")
    return asked


def test_a_second_synchronisation_reads_and_sends_only_what_changed(running: Running, proxy: Proxy) -> None:
    pair = Pair(running, url=proxy.url)
    pair.here.projects.import_tasks(
        pair.ours, request=[{"data": {"text": f"Film {n}"}, "annotations": [{"result": mood("good")}]} for n in range(12)]
    )
    since(proxy, pair)
    look = ["GET /api/version/", "GET /api/projects/N/", "GET /api/tasks/"]
    assert since(proxy, pair) == look, "nothing changed: its version, its number of tasks, and an empty list"
    mine = task(pair.here, pair.ours, "Film 3")
    pair.here.annotations.update(id=mine.annotations[0]["id"], result=mood("bad"))
    there = task(pair.there, pair.theirs, "Film 3").annotations[0]["id"]
    assert since(proxy, pair) == [*look, "GET /api/users/", f"PATCH /api/annotations/{there}/"], "one answer changed here: one goes"
    new = pair.there.projects.import_tasks(pair.theirs, request=[{"text": "New"}], return_task_ids=True).task_ids
    assert since(proxy, pair) == look, "a task that came there is in the list of what changed"
    pair.there.tasks.delete(id=new[0])
    assert since(proxy, pair) == [*look, "GET /api/tasks/"], "one is missing: all numbers are asked for, and nothing else"
    assert "New" not in moods(pair.here, pair.ours)


def test_a_killed_worker_goes_on_and_nothing_is_there_twice(running: Running, proxy: Proxy) -> None:
    pair = Pair(running, url=proxy.url, linked=False)
    predicted = [{"model_version": "v1", "result": mood("bad")}]
    said = [{"data": {"text": text}, "annotations": [{"result": mood("good")}], "predictions": predicted} for text in "abc"]
    pair.here.projects.import_tasks(pair.ours, request=said)
    pair.there.projects.import_tasks(pair.theirs, request=[{"text": "d"}, {"text": "e"}])
    for what in (r"POST /api/projects/\d+/import", r"POST /api/tasks/\d+/annotations/", "POST /api/predictions/"):
        proxy.hold_next(what)
        if pair.get() is None:
            pair.link()
        assert proxy.held.wait(60), f"{what} was not asked"
        running.worker.kill()  # the server has done it, and nobody here knows
        proxy.release.set()
        running.worker.start()
    pair.settled()
    whole = {"a": ["good"], "b": ["good"], "c": ["good"], "d": [], "e": []}
    assert moods(pair.there, pair.theirs) == moods(pair.here, pair.ours) == whole
    assert len(list(pair.there.tasks.list(project=pair.theirs))) == 5
    assert [len(task(pair.there, pair.theirs, text).predictions) for text in "abc"] == [1, 1, 1]


def test_it_shows_how_far_it_is_and_stops_when_somebody_cancels(running: Running, proxy: Proxy) -> None:
    pair = Pair(running, url=proxy.url, linked=False)
    said = [{"data": {"text": f"Film {n}"}, "annotations": [{"result": mood("good")}]} for n in range(6)]
    pair.here.projects.import_tasks(pair.ours, request=said)
    proxy.hold_next(r"POST /api/tasks/\d+/annotations/")
    pair.link()
    assert proxy.held.wait(60)
    link = pair.get()
    assert (link["status"], link["phase"], link["total"]) == ("running", "answers", 6)
    assert pair.http.post("/link/cancel").status_code == 200
    time.sleep(0.6)  # it looks twice a second
    proxy.release.set()
    assert "goes on" in pair.settled("cancelled")["message"]
    assert 1 <= sum(map(len, moods(pair.there, pair.theirs).values())) < 6
    pair.sync()
    assert all(moods(pair.there, pair.theirs).values())


def test_it_begins_by_itself_when_it_is_time(running: Running) -> None:
    pair = Pair(running)
    pair.settled()
    assert pair.http.put("/link/schedule", json={"every_minutes": 1}).status_code == 422, "not more often than every five minutes"
    assert pair.http.put("/link/schedule", json={"every_minutes": 15}).json()["next_at"] is not None
    pair.here.projects.import_tasks(pair.ours, request=[{"text": "in time"}])
    with psycopg.connect(running.database, autocommit=True) as db:
        db.execute("UPDATE labelstudio_link SET next_at = now() - interval '2 minutes' WHERE every_minutes = 15")
    running.worker.kill()  # with the message that would have woken it
    running.worker.start()
    until = time.monotonic() + 60
    while not moods(pair.there, pair.theirs) and time.monotonic() < until:
        time.sleep(0.2)
    assert moods(pair.there, pair.theirs) == {"in time": []}
    assert pair.settled()["next_at"] > pair.get()["synced_at"]
    assert pair.http.put("/link/schedule", json={"every_minutes": None}).json()["next_at"] is None


def test_what_went_wrong_is_said_in_a_sentence_that_helps(running: Running, server: Server) -> None:
    pair = Pair(running, linked=False)
    pair.link(token="hr_wrong")
    assert "does not accept the token" in pair.settled("failed")["message"]
    pair.link(remote=999_999)
    assert "project 999999 is not there" in pair.settled("failed")["message"]
    pair.link(url="http://127.0.0.1:9")
    assert "cannot be reached" in pair.settled("failed")["message"]
    server.answers["/api/version/"] = lambda _: (200, {"release": "1.4.1"})
    pair.link(url=server.url)
    assert "1.4.1 runs there, which is too old" in pair.settled("failed")["message"]
    server.answers["/api/version/"] = lambda _: (200, {"hello": "world"})
    pair.sync("failed")
    assert "is no Label Studio" in pair.get()["message"]
    server.answers["/api/version/"] = lambda _: (502, {})
    pair.sync("failed")
    assert "a fault of its own" in pair.get()["message"]
