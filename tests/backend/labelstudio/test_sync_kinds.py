"""What tasks say, skips, ground truth and predictions on both sides of a link; each with a worker that is killed at the worst moment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from tests.backend.labelstudio.conftest import Running, mood
from tests.backend.labelstudio.pair import Pair, moods, task
from tests.backend.labelstudio.proxy import Proxy, proxy_to
from tests.backend.labelstudio.test_sync_course import since

SPANS = '<View><Text name="text" value="$text"/><Labels name="who" toName="text"><Label value="Person"/></Labels></View>'


@pytest.fixture
def proxy(running: Running) -> Iterator[Proxy]:
    with proxy_to(running.url) as made:
        yield made


def kill(running: Running, proxy: Proxy, pair: Pair, what: str) -> Any:
    """A synchronisation whose worker is killed when the other side has done `what`, and nobody here knows; how the next one ends."""
    proxy.hold_next(what)
    assert pair.http.post("/link/sync").status_code == 202
    assert proxy.held.wait(60), f"{what} was not asked, but {proxy.asked}"
    running.worker.kill()
    proxy.release.set()
    running.worker.start()
    return pair.settled()


def span(text: str, start: int, end: int) -> list[dict[str, Any]]:
    value = {"start": start, "end": end, "text": text[start:end], "labels": ["Person"]}
    return [{"id": "a", "from_name": "who", "to_name": "text", "type": "labels", "value": value}]


def test_a_task_that_one_side_changes_is_followed_and_a_person_chooses_where_both_did(running: Running, proxy: Proxy) -> None:
    pair = Pair(running, url=proxy.url)
    given: Any = [{"data": {"text": t, "year": 1}, "annotations": [{"result": mood("good")}]} for t in ("a", "b", "c")]
    pair.here.projects.import_tasks(pair.ours, request=given)
    pair.sync()
    here, there = ({t: task(ls, n, t).id for t in "abc"} for ls, n in ((pair.here, pair.ours), (pair.there, pair.theirs)))
    pair.here.tasks.update(id=here["a"], data={"text": "a, corrected here", "year": 2})
    pair.there.tasks.update(id=there["b"], data={"text": "b, corrected there", "more": [1.0, None]})
    pair.here.tasks.update(id=here["c"], data={"text": "c " + "x" * 5000 + " here", "year": 1})
    pair.there.tasks.update(id=there["c"], data={"text": "c " + "x" * 5000 + " there", "year": 1})
    link = kill(running, proxy, pair, rf"PATCH /api/tasks/{there['a']}/")
    for side, ids in ((pair.here, here), (pair.there, there)):
        assert side.tasks.get(id=ids["a"]).data == {"text": "a, corrected here", "year": 2}
        assert side.tasks.get(id=ids["b"]).data == {"text": "b, corrected there", "more": [1.0, None]}
        assert len(side.tasks.get(id=ids["b"]).annotations) == 1, "what is said of it stays"
    (conflict,) = link["conflicts"]
    assert (conflict["kind"], conflict["task"]) == ("data", here["c"])
    ours, theirs = conflict["ours"]["data"], conflict["theirs"]["data"]
    assert ours["text"].endswith(" here") and theirs["text"].endswith(" there") and len(ours["text"]) < 2100, "what differs is shown"
    audit = [one["action"] for one in pair.http.get(f"{running.url}/api/v1/projects/lab/audit?action=task.change").json()["items"]]
    assert "task.change" in audit
    viewer = {"Authorization": f"Bearer {running.tokens['vera']}"}
    assert httpx.get(f"{pair.http.base_url}link", headers=viewer).json() == {"link": None}, "what others said is not shown to everybody"
    assert httpx.post(f"{pair.http.base_url}link/conflicts/{conflict['id']}", json={"side": "ours"}, headers=viewer).status_code == 403

    pair.there.tasks.update(id=there["c"], data={"text": "c, and again there"})
    link = pair.choose(conflict["id"], "ours")
    assert link["conflicts"][0]["chosen"] == "", "it was chosen between other words than there are now: asked again"
    assert link["conflicts"][0]["theirs"]["data"] == {"text": "c, and again there"}
    assert pair.choose(link["conflicts"][0]["id"], "theirs")["conflicts"] == []
    assert pair.here.tasks.get(id=here["c"]).data == pair.there.tasks.get(id=there["c"]).data == {"text": "c, and again there"}
    since(proxy, pair)
    assert len(since(proxy, pair)) == 3, "nothing is told a second time"


def test_marks_in_a_text_are_never_wrong_unsaid(running: Running) -> None:
    pair = Pair(running, config=SPANS)
    text = "Ada met Bob."
    rows: Any = [{"data": {"text": text}, "annotations": [{"result": span(text, 0, 3)}]} for _ in range(2)]
    pair.here.projects.import_tasks(pair.ours, request=rows)
    pair.sync()
    (fits, breaks), (a, b) = ([t.id for t in ls.tasks.list(project=n)] for ls, n in ((pair.there, pair.theirs), (pair.here, pair.ours)))
    pair.there.tasks.update(id=fits, data={"text": "Ada met Bob and Eve."})
    pair.there.tasks.update(id=breaks, data={"text": "Then Ada met Bob."})
    link = pair.sync()
    assert pair.here.tasks.get(id=a).data["text"] == "Ada met Bob and Eve.", "the mark says what it said: followed"
    (conflict,) = link["conflicts"]
    assert (conflict["task"], conflict["kind"]) == (b, "data") and "one mark in it would no longer say" in conflict["why"]
    assert pair.here.tasks.get(id=b).data["text"] == text
    link = pair.choose(conflict["id"], "theirs")
    assert pair.here.tasks.get(id=b).data["text"] == "Then Ada met Bob."
    assert [one["where"] for one in link["problems"]] == [f"task {b}"] and "look at its answers" in link["problems"][0]["message"]


def test_skips_go_both_ways_and_are_taken_back_both_ways(running: Running, proxy: Proxy) -> None:
    pair = Pair(running, url=proxy.url)
    pair.here.projects.import_tasks(pair.ours, request=[{"text": t} for t in "abcd"])
    pair.sync()
    here, there = ({t: task(ls, n, t).id for t in "abcd"} for ls, n in ((pair.here, pair.ours), (pair.there, pair.theirs)))
    ann = running.client("ann")
    ann.annotations.create(
        id=here["a"], result=[], was_cancelled=True, request_options={"additional_body_parameters": {"skip_reason": "Too dark"}}
    )
    pair.there.annotations.create(id=there["b"], result=[], was_cancelled=True, completed_by=_number(pair.there, "cem@lab.example"))
    pair.there.annotations.create(id=there["c"], result=[], was_cancelled=True)  # Sam, who is nobody here
    running.client("bob").annotations.create(id=here["d"], result=[], was_cancelled=True)  # who is nobody there
    link = kill(running, proxy, pair, rf"POST /api/tasks/{there['a']}/annotations/")
    assert skips(pair.there, there["a"]) == [("ann@lab.example", "Too dark")], "once, with its reason"
    assert skips(pair.here, here["b"]) == [("cem@lab.example", "")]
    assert (skips(pair.here, here["c"]), skips(pair.there, there["d"])) == ([], [])
    assert "2 skips stay where they are" in link["message"], link
    assert [moods(pair.here, pair.ours)[t] for t in "ab"] == [[], []], "a skip is no answer"
    since(proxy, pair)
    assert len(since(proxy, pair)) == 3

    ann.annotations.create(id=here["a"], result=mood("good"))  # she answers after all
    pair.there.annotations.delete(id=skip_number(pair.there, there["b"]))
    pair.sync()
    assert (skips(pair.there, there["a"]), skips(pair.here, here["b"])) == ([], [])
    assert moods(pair.there, pair.theirs)["a"] == ["good"]
    answer = task(pair.there, pair.theirs, "a").annotations[0]["id"]
    pair.there.annotations.update(id=answer, was_cancelled=True)  # and skips it there in the end
    link = pair.sync()
    assert skips(pair.here, here["a"]) == [("ann@lab.example", "")] and moods(pair.here, pair.ours)["a"] == []
    assert link["deletions"][0]["what"] == "annotation", "what she had said can be taken back"


def _number(ls: Any, email: str) -> int:
    return next(int(u.id) for u in ls.users.list() if u.email == email)


def cancelled(ls: Any, number: int) -> list[Any]:
    return [a for a in ls.tasks.get(id=number).annotations or [] if a["was_cancelled"]]


def skips(ls: Any, number: int) -> list[tuple[str, str]]:
    return [(a["created_username"].split()[-2].strip(","), a["skip_reason"]) for a in cancelled(ls, number)]


def skip_number(ls: Any, number: int) -> int:
    return int(cancelled(ls, number)[0]["id"])


def truths(ls: Any, number: int) -> dict[str, bool]:
    return {a["result"][0]["value"]["choices"][0]: a["ground_truth"] for a in ls.tasks.get(id=number).annotations}


def test_ground_truth_goes_both_ways_and_never_gives_a_honeypot_away(running: Running, proxy: Proxy) -> None:
    pair = Pair(running, url=proxy.url, overlap=2)
    pair.here.projects.import_tasks(pair.ours, request=[{"text": t} for t in "ab"])
    pair.sync()
    here, there = ({t: task(ls, n, t).id for t in "ab"} for ls, n in ((pair.here, pair.ours), (pair.there, pair.theirs)))
    for name, said in (("ann", "good"), ("cem", "bad")):
        for t in "ab":
            running.client(name).annotations.create(id=here[t], result=mood(said))
    pair.sync()
    assert truths(pair.there, there["a"]) == truths(pair.here, here["a"]) == {"good": False, "bad": False}, "they disagree: nobody decided"
    good = next(a["id"] for a in pair.here.tasks.get(id=here["a"]).annotations if a["result"][0]["value"]["choices"] == ["good"])
    pair.here.annotations.update(id=good, ground_truth=True)
    bad = next(a["id"] for a in pair.there.tasks.get(id=there["b"]).annotations if a["result"][0]["value"]["choices"] == ["bad"])
    pair.there.annotations.update(id=bad, ground_truth=True)
    link = kill(running, proxy, pair, r"PATCH /api/annotations/\d+/")
    assert truths(pair.there, there["a"]) == truths(pair.here, here["a"]) == {"good": True, "bad": False}
    assert truths(pair.there, there["b"]) == truths(pair.here, here["b"]) == {"good": False, "bad": True}, link
    pair.there.annotations.update(id=bad, ground_truth=False)
    pair.sync()
    assert truths(pair.here, here["b"]) == {"good": False, "bad": False}, "taken back there: nobody decided here"
    annotator = running.client("ann")
    with pytest.raises(Exception, match=r"label\.review"):
        annotator.annotations.update(id=good, ground_truth=False)

    assert pair.http.patch(str(pair.http.base_url).rstrip("/"), json={"order": "random"}).status_code == 200
    quality = {"truth_by": "agree", "enough": 0.8, "honeypot_share": 0.2, "pause_below": None}
    assert pair.http.put("/quality/settings", json=quality).status_code == 200
    good = next(a["id"] for a in pair.here.tasks.get(id=here["b"]).annotations if a["result"][0]["value"]["choices"] == ["good"])
    pair.here.annotations.update(id=good, ground_truth=True)
    link = pair.sync()
    assert truths(pair.there, there["b"]) == {"good": False, "bad": False} and link["truth_hidden"], "it would give honeypots away"
    pair.link(tell_truth=True)
    link = pair.settled()
    assert truths(pair.there, there["b"]) == {"good": True, "bad": False} and not link["truth_hidden"], "unless the link says so"


def test_predictions_that_one_side_deletes_are_deleted_and_nobodys_own(running: Running, proxy: Proxy) -> None:
    pair = Pair(running, url=proxy.url)
    names = ("gone here", "gone there", "changed there", "theirs", "stays")
    said = [{"data": {"text": n}, "predictions": [{"model_version": "v1", "result": mood("good")}]} for n in names if n != "theirs"]
    pair.here.projects.import_tasks(pair.ours, request=said)  # type: ignore[arg-type]  # JSON
    pair.there.projects.import_tasks(
        pair.theirs, request=[{"data": {"text": "theirs"}, "predictions": [{"model_version": "v2", "result": mood("bad")}]}]
    )  # type: ignore[arg-type, list-item]  # JSON
    pair.sync()

    def of(side: str) -> dict[str, Any]:
        ls, number = (pair.here, pair.ours) if side == "here" else (pair.there, pair.theirs)
        return {t.data["text"]: list(t.predictions or []) for t in ls.tasks.list(project=number)}

    here, there = of("here"), of("there")
    assert all(len(here[n]) == len(there[n]) == 1 for n in names)
    pair.here.predictions.delete(id=here["gone here"][0].id)
    pair.here.predictions.delete(id=here["changed there"][0].id)
    pair.there.predictions.update(id=there["changed there"][0].id, result=mood("bad"))
    pair.there.predictions.delete(id=there["theirs"][0].id)
    with psycopg.connect(running.database, autocommit=True) as db:  # without a trace, as many at once are there
        db.execute("UPDATE labelstudio_link SET read_until = clock_timestamp() + '10 s', told_until = clock_timestamp() + '10 s'")
        db.execute("DELETE FROM labelstudio_linkedprediction WHERE remote = %s", [-1])
        db.execute("DELETE FROM labeling_suggestion WHERE id = %s", [there["gone there"][0].id])
    link = kill(running, proxy, pair, r"DELETE /api/predictions/\d+/")
    here, there = of("here"), of("there")
    assert (here["gone here"], there["gone here"]) == ([], []), link
    assert (there["gone there"], len(here["gone there"])) == ([], 1), "what this side said itself stays here"
    assert (here["changed there"], len(there["changed there"])) == ([], 1), "somebody's own words stay there"
    assert (here["theirs"], there["theirs"]) == ([], []), "what a synchronisation wrote here goes with what it was a copy of"
    assert len(here["stays"]) == len(there["stays"]) == 1
    since(proxy, pair)
    assert len(since(proxy, pair)) == 3, "none is sent again"
