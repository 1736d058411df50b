"""What a worker notes of quick steps counts while the worker has leave, is brought in beside the steps, and is never lost or doubled.

In every order of calls: `test_ledger_interleavings.py`.
"""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.workers.engine.studio import Studio, step, studio
from workers.engine.ahead import MOST, Ahead
from workers.engine.ledger import Ledger

Json = dict[str, Any]
GIVEN = 3
ERROR = {"code": "crash", "message": "It broke.", "hint": "", "traceback": ""}


def made() -> Json:
    """What a step gives."""
    return {"port": "recipe", "kind": "Recipe", "digest": uuid.uuid4().hex * 2, "size": 2, "media_type": "application/json",
            "inline": {"value": 0}, "metadata": {}}  # fmt: skip


@pytest.fixture(scope="module")
def lab() -> Iterator[Studio]:
    with studio() as started:
        yield started


def test_a_note_counts_only_while_the_worker_holds_the_step_it_went_on_from(lab: Studio) -> None:
    bob, ada = Ledger(lab.url), Ledger(lab.url)

    def begin(note: str) -> tuple[Json, Ahead, Json]:
        """A run of four steps in a line, of which bob has ended the first, and has been given the others."""
        run = lab.start({f"s{n}": step("nothing", *([f"s{n - 1}"] if n else []), note=f"{note} {n}") for n in range(4)}, tell=False)
        ahead = Ahead(bob, "bob", math.inf)
        first = bob.claim(run["steps"]["s0"], "bob")["next"]
        answer = bob.finish(first["id"], first["attempt"], "bob", [made()], take=True, ahead=MOST)
        ahead.given(answer)
        return run, ahead, answer["next"]

    # Somebody else has the step, and then the run is cancelled.
    run, ahead, second = begin("taken")
    assert ada.fail(second["id"], second["attempt"], "", "lost", ERROR, retry=True, take=False)["outcome"] == "queued"
    again = ada.claim(second["id"], "ada")["next"]
    assert again["id"] == second["id"] and ahead.after(second, [made()], {}) is None, "a worker that was thought dead went on"
    run, ahead, second = begin("cancelled")
    with lab.sql() as connection:
        connection.execute("SELECT ledger_cancel(%s)", (run["id"],))
    assert ahead.after(second, [made()], {}) is None, "a step began after the run was cancelled"

    # What is known already is not run again, and what ended by a note is known.
    run, ahead, second = begin("once")
    record = made()
    third = ahead.after(second, [record], {})
    assert third is not None and third["inputs"]["after"][0]["digest"] == record["digest"]
    answer = bob.finish(third["id"], third["attempt"], "bob", [made()], take=True, ahead=MOST)
    bob.finish(answer["next"]["id"], 1, "bob", [], take=True)
    assert lab.run(run["id"])["status"] == "succeeded" and lab.run(run["id"])["steps_done"] == 4
    assert [s["status"] for s in lab.steps(run["id"]).values()] == ["succeeded"] * 4
    again = lab.start(
        {f"s{n}": step("nothing", *([f"s{n - 1}"] if n else []), note=f"once {n}" if n else "other") for n in range(4)}, tell=False
    )
    ahead.given({"ahead": []})
    first = bob.claim(again["steps"]["s0"], "bob")["next"]
    answer = bob.finish(first["id"], first["attempt"], "bob", [made()], take=True, ahead=MOST)
    ahead.given(answer)
    assert ahead.after(answer["next"], [record], {}) is None, "a step whose result is known was run"
    bob.finish(answer["next"]["id"], 1, "bob", [record], take=True)
    assert lab.steps(again["id"])["s2"]["skip_reason"] == "cached"


def test_notes_are_brought_in_beside_the_steps_and_nobody_takes_the_line_away_between_two(lab: Studio) -> None:
    bob, second = Ledger(lab.url), Ledger(lab.url)
    run = lab.start({f"s{n}": step("nothing", *([f"s{n - 1}"] if n else []), note=f"beside {n}") for n in range(12)}, tell=False)
    ahead = Ahead(bob, "bob", math.inf)
    claim = bob.claim(run["steps"]["s0"], "bob")["next"]
    answer = bob.finish(claim["id"], claim["attempt"], "bob", [made()], take=True, ahead=GIVEN)
    ahead.given(answer)
    claim = answer["next"]
    for n in range(2, 9):  # more than were given
        following = ahead.after(claim, [made()], {})
        assert following is not None, f"bob had to ask for s{n}"
        claim = following
        if n % 2:
            answer = ahead.bring_in(second)
            steps = lab.steps(run["id"])
            assert [steps[f"s{k}"]["status"] for k in range(n + 1)] == ["succeeded"] * n + ["running"]
            assert all(steps[f"s{k}"]["started_at"] <= steps[f"s{k}"]["finished_at"] for k in range(n))
            assert [e["status"] for e in answer["events"]][-1] == "running" and lab.run(run["id"])["steps_done"] == n

    # A note is on its way. What is brought in beside it neither waits nor ends its leave; who takes the step away waits, and sees it.
    head, following = bob.head, ahead._steps[0]
    with lab.sql() as connection:
        connection.autocommit = False
        sent = "SELECT ledger_note(%s, %s, 'bob', %s, 1, '[]', '{}', %s, 1, NULL, NULL, false)"
        assert connection.execute(sent, (*head, claim["id"], following["id"])).fetchone() == (True,)
        assert second.bring_in(following, "bob", head, 0)["ok"]
        with ThreadPoolExecutor(1) as pool:
            taken = pool.submit(second.fail, claim["id"], 1, "", "lost", ERROR, retry=True, take=False)
            with pytest.raises(TimeoutError):
                taken.result(1)
            connection.commit()
            taken.result(30)
        assert lab.steps(run["id"])[claim["step"]]["status"] == "succeeded", "the note was not seen"
        assert connection.execute(sent, (*head, following["id"], following["id"])).fetchone() == (False,), "a note came after"
    assert ahead.after(claim, [made()], {}) is None and second.bring_in(following, "bob", head, 9)["ahead"] == []


@pytest.mark.parametrize("why", ["nothing", "cancelled", "a more urgent run", "the host drains", "the project is limited"])
def test_a_line_goes_on_without_questions_for_as_long_as_one_would_say_nothing_else(lab: Studio, why: str) -> None:
    """And what its steps took and gave is told, once each, however much of it was told beside the steps."""
    host = str(uuid.uuid4())
    worker = f"here:1:1:0:{host}"
    said = {"place": "", "labels": {}, "memory_bytes": 0, "memory_free": 0, "devices": [], "share": 1, "versions": {}}
    lab.query("SELECT ledger_host_beat(%s::jsonb, 'steps', NULL)", json.dumps({"id": host, "name": host[:6], "studio": True, **said}))
    bob, second = Ledger(lab.url), Ledger(lab.url)
    run = lab.start({f"s{n}": step("nothing", *([f"s{n - 1}"] if n else []), note=f"{why} {n}") for n in range(8)}, tell=False)
    ahead = Ahead(bob, worker, 1)
    answer = bob.claim(run["steps"]["s0"], worker)
    ahead.given(answer)
    claim = ahead.after(answer["next"], [made()], {})
    assert claim is not None
    ahead._asked_at -= 2  # it should have asked by now
    if why == "cancelled":
        lab.query("SELECT ledger_cancel(%s::uuid)", run["id"])
    if why == "a more urgent run":
        urgent = lab.start({"first": step("nothing", note="urgent")}, tell=False)
        lab.query("UPDATE runs_run SET priority = 2 WHERE id = %s RETURNING 1", urgent["id"])
    if why == "the project is limited":
        lab.query("SELECT ledger_limit(%s::uuid, 100, NULL)", lab.project)
    if why == "the host drains":
        lab.query("UPDATE runs_host SET wanted = 'draining' WHERE id = %s RETURNING 1", host)
    ahead.bring_in(second)
    following = ahead.after(claim, [made()], {})
    assert (following is not None) == (why == "nothing")
    if following is None:
        answer = bob.finish(claim["id"], 1, worker, [made()], take=True, ahead=MOST)
        assert (answer["next"] is None) == (why != "the project is limited") and not answer["ahead"]
        if why == "the project is limited":
            lab.query("SELECT ledger_limit(%s::uuid, NULL, NULL)", lab.project)
        if why == "a more urgent run":
            bob.claim(urgent["steps"]["first"], worker)
            bob.finish(urgent["steps"]["first"], 1, worker, [made()], take=True)
        return
    while following is not None:
        claim, following = following, ahead.after(following, [made()], {})
    bob.finish(claim["id"], 1, worker, [made()], take=True, ahead=MOST)
    assert lab.run(run["id"])["status"] == "succeeded"
    told = lab.query(
        "SELECT s.step, e.relation FROM artifacts_lineageedge e JOIN runs_steprun s ON s.id IN (e.source_id, e.target_id)"
        " WHERE s.run_id = %s",
        run["id"],
    )
    assert sorted(told) == sorted([(f"s{n}", "produced") for n in range(8)] + [(f"s{n}", "used") for n in range(1, 8)])


def test_what_a_worker_was_given_besides_it_keeps_while_it_is_quick_and_nobody_has_taken_it(lab: Studio) -> None:
    """Keeping writes nothing; whatever else becomes of such a step, it is run once."""
    bob, ada = Ledger(lab.url), Ledger(lab.url)
    ahead = Ahead(bob, "bob", math.inf)

    def begin(note: str) -> tuple[Json, Json]:
        """A run of twelve steps beside each other; bob has ended two of them, the second by a note."""
        run = lab.start({f"s{n}": step("nothing", note=f"{note} {n}") for n in range(12)}, tell=False)
        claim = bob.claim(run["steps"]["s0"], "bob")["next"]
        answer = bob.finish(claim["id"], 1, "bob", [], take=True, ahead=MOST)
        ahead.given(answer)
        assert len(ahead.unbegun) == 8
        following = ahead.after(answer["next"], [], {})
        assert following is not None
        return run, following

    def mine(run: Json, worker: str) -> set[str]:
        return {row["id"] for row in lab.steps(run["id"]).values() if row["status"] == "running" and row["worker"] == worker}

    run, claim = begin("beside kept")
    held, back = ahead.hand_over()
    assert (len(held), len(back)) == (1, 6), "as many as it has just done by notes"
    answer = bob.finish(claim["id"], 1, "bob", [], take=True, ahead=MOST, held=held, back=back)
    ahead.given(answer)
    assert answer["kept"] and answer["next"]["id"] == held[0]["id"] and mine(run, "bob") == {held[0]["id"]}
    assert lab.steps(run["id"])[claim["step"]]["status"] == "succeeded"
    assert ada.claim(back[0]["id"], "ada")["next"]["id"] == back[0]["id"], "what it gave back is not for others"
    again = bob.finish(claim["id"], 1, "bob", [], take=True, ahead=MOST, held=held, back=back)
    assert again["repeated"] and again["next"]["id"] == held[0]["id"] and mine(run, "bob") == {held[0]["id"]}
    assert ahead.after(answer["next"], [], {}) is None, "it was given nothing more"
    bob.finish(held[0]["id"], 1, "bob", [], take=False)
    lab.query("SELECT ledger_cancel(%s::uuid)", run["id"])

    run, claim = begin("beside cancelled")
    held, back = ahead.hand_over()
    lab.query("SELECT ledger_cancel(%s::uuid)", run["id"])
    answer = bob.finish(claim["id"], 1, "bob", [], take=True, ahead=MOST, held=held, back=back)
    assert not answer.get("kept") and answer["next"] is None and lab.run(run["id"])["status"] == "cancelled"
    assert mine(run, "bob") == set()

    run, claim = begin("beside lost")
    held, back = ahead.hand_over()
    ada.fail(held[0]["id"], 1, "", "lost", ERROR, retry=True, take=False, pause_s=0)  # the reaper thought bob dead
    answer = bob.finish(claim["id"], 1, "bob", [], take=True, ahead=MOST, held=held, back=back)
    assert not answer["kept"] and {row["attempt"] for row in lab.steps(run["id"]).values() if row["id"] in {b["id"] for b in back}} <= {
        0,
        1,
    }
    ahead.given(answer)
    seen: list[str] = []
    while (following := answer.get("next")) is not None:
        seen.append(following["id"])
        held, back = ahead.hand_over()
        answer = bob.finish(following["id"], following["attempt"], "bob", [], take=True, ahead=MOST, held=held, back=back)
        ahead.given(answer)
    assert len(seen) == len(set(seen)) == 9 and lab.run(run["id"])["status"] == "succeeded"
