"""A label schema kept the same with a project of a server that speaks Label Studio's API: answers, authors, conflicts, deletions."""

from __future__ import annotations

from tests.backend.labelstudio.conftest import Running, mood
from tests.backend.labelstudio.pair import Pair, moods, task


def test_both_sides_have_the_same_and_a_person_chooses_where_both_changed(running: Running) -> None:
    pair = Pair(running)
    pair.here.projects.import_tasks(pair.ours, request=[{"data": {"text": "here"}, "annotations": [{"result": mood("good")}]}])
    pair.there.projects.import_tasks(pair.theirs, request=[{"data": {"text": "there"}, "annotations": [{"result": mood("bad")}]}])
    assert pair.sync()["tasks"] == 2
    assert moods(pair.here, pair.ours) == moods(pair.there, pair.theirs) == {"here": ["good"], "there": ["bad"]}
    assert "0 answers came, 0 went" in pair.sync()["message"], "what is the same already is left alone"
    said = pair.http.get(f"/items/{task(pair.here, pair.ours, 'there').id}/annotations").json()[0]
    assert (said["author"], said["author_name"]) == (None, "Sam"), "who has no account here is kept as a name"

    there = task(pair.there, pair.theirs, "there")
    pair.there.annotations.update(id=there.annotations[0]["id"], result=mood("good"))
    pair.sync()
    assert moods(pair.here, pair.ours)["there"] == ["good"], "a change there comes here"

    ours, theirs = task(pair.here, pair.ours, "here"), task(pair.there, pair.theirs, "here")
    pair.here.annotations.delete(id=ours.annotations[0]["id"])
    pair.there.annotations.update(id=theirs.annotations[0]["id"], result=mood("bad"))
    (conflict,) = pair.sync()["conflicts"]
    assert (conflict["task"], conflict["kind"], conflict["ours"]) == (ours.id, "here", None)
    assert conflict["theirs"]["result"][0]["value"] == {"choices": ["bad"]}
    assert (moods(pair.here, pair.ours)["here"], moods(pair.there, pair.theirs)["here"]) == ([], ["bad"]), "nothing is overwritten"
    assert pair.choose(conflict["id"], "theirs")["conflicts"] == []
    assert moods(pair.here, pair.ours) == moods(pair.there, pair.theirs) == {"here": ["bad"], "there": ["good"]}
    audit = pair.http.get(f"{running.url}/api/v1/projects/lab/audit?action=label_link.choose").json()["items"]
    assert audit[0]["details"]["side"] == "theirs"

    assert pair.http.delete("/link").status_code == 204
    assert pair.http.get("/link").json() == {"link": None}


def test_several_people_label_a_task_and_nobody_takes_a_place_too_many(running: Running) -> None:
    pair = Pair(running, overlap=2)
    pair.here.projects.import_tasks(pair.ours, request=[{"text": "shared"}, {"text": "full"}, {"text": "late"}])
    pair.sync()
    here = {text: task(pair.here, pair.ours, text).id for text in ("shared", "full", "late")}
    there = {text: task(pair.there, pair.theirs, text).id for text in here}
    running.client("ann").annotations.create(id=here["shared"], result=mood("good"))
    pair.there.annotations.create(id=there["shared"], result=mood("bad"))
    for text, name in (("full", "ann"), ("full", "bob"), ("late", "ann"), ("late", "cem")):
        running.client(name).annotations.create(id=here[text], result=mood("good"))
    pair.there.annotations.create(id=there["late"], result=mood("bad"))
    link = pair.sync()
    assert moods(pair.here, pair.ours)["shared"] == moods(pair.there, pair.theirs)["shared"] == ["bad", "good"]
    by = {a["result"][0]["value"]["choices"][0]: a["created_username"] for a in task(pair.there, pair.theirs, "shared").annotations}
    assert "ann@lab.example" in by["good"] and "sam@other.example" in by["bad"], "people are known by their e-mail address"
    assert moods(pair.there, pair.theirs)["full"] == ["good", "good"]
    (late,) = link["conflicts"]
    assert (late["task"], late["kind"], late["ours"]["by"], late["theirs"]["by"]) == (here["late"], "both", "Ann", "Sam")
    assert moods(pair.here, pair.ours)["late"] == ["good", "good"], "two are wanted, and here are two"
    assert pair.choose(late["id"], "theirs")["conflict_count"] == 0
    assert moods(pair.here, pair.ours)["late"] == moods(pair.there, pair.theirs)["late"] == ["bad", "good"], "Sam's instead of Ann's"


def test_deletions_are_followed_where_nobody_changed_anything_and_can_be_undone(running: Running) -> None:
    pair = Pair(running)
    said = [{"data": {"text": text}, "annotations": [{"result": mood("good")}]} for text in ("a", "b", "c", "d")]
    pair.here.projects.import_tasks(pair.ours, request=said)
    pair.sync()
    there = {text: task(pair.there, pair.theirs, text) for text in "abcd"}
    pair.there.annotations.delete(id=there["a"].annotations[0]["id"])
    pair.there.tasks.delete(id=there["b"].id)
    pair.there.tasks.delete(id=there["c"].id)
    changed = task(pair.here, pair.ours, "c")
    pair.here.annotations.update(id=changed.annotations[0]["id"], result=mood("bad"))
    pair.here.tasks.delete(id=task(pair.here, pair.ours, "d").id)
    link = pair.sync()
    assert moods(pair.here, pair.ours) == {"a": [], "c": ["bad"]}, "untouched: followed; changed here: kept"
    assert moods(pair.there, pair.theirs) == {"a": []}
    assert {(d["what"], d["side"]) for d in link["deletions"]} == {("annotation", "theirs"), ("task", "theirs"), ("task", "ours")}
    (conflict,) = link["conflicts"]
    assert (conflict["kind"], conflict["task"]) == ("gone_there", changed.id)
    pair.choose(conflict["id"], "ours")
    assert moods(pair.there, pair.theirs)["c"] == ["bad"], "it is there again, with what was said"
    for one in link["deletions"]:
        assert pair.http.post(f"/link/deletions/{one['id']}/undo").status_code == 202
        pair.settled()
    whole = {"a": ["good"], "b": ["good"], "c": ["bad"], "d": ["good"]}
    assert moods(pair.here, pair.ours) == moods(pair.there, pair.theirs) == whole
    assert all(one["undone_at"] for one in pair.get()["deletions"])


def test_a_whole_project_that_is_emptied_there_is_asked_about(running: Running) -> None:
    pair = Pair(running)
    pair.here.projects.import_tasks(pair.ours, request=[{"text": f"Film {n}"} for n in range(30)])
    pair.sync()
    pair.there.tasks.delete_all_tasks(id=pair.theirs)
    link = pair.sync()
    assert (link["conflict_count"], len(moods(pair.here, pair.ours))) == (30, 30)
    assert pair.choose(None, "ours")["conflict_count"] == 0
    assert len(moods(pair.there, pair.theirs)) == 30


def test_predictions_come_and_go_once(running: Running) -> None:
    pair = Pair(running)
    one, two = ([{"model_version": name, "score": 0.7, "result": mood(said)}] for name, said in (("v1", "good"), ("v2", "bad")))
    pair.here.projects.import_tasks(pair.ours, request=[{"data": {"text": "x"}, "predictions": one}])
    pair.sync()
    theirs = task(pair.there, pair.theirs, "x")
    assert [(p.model_version, p.score) for p in theirs.predictions] == [("v1", 0.7)]
    pair.there.predictions.create(task=theirs.id, model_version="v2", score=0.7, result=two[0]["result"])
    pair.sync()
    pair.sync()
    for side, number in ((pair.here, pair.ours), (pair.there, pair.theirs)):
        assert sorted(p.model_version for p in task(side, number, "x").predictions) == ["v1", "v2"]
