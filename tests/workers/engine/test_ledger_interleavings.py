"""Claims, ends, losses, cancels and repeated calls in every order: whatever order they come in, the ledger keeps its promises.

Hypothesis chooses the graph and the order of the calls. Changes of a run are serialised by the lock of its row, so that an order of calls
is all that several workers at once can make of it; real ones are let loose in `test_faults.py`.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.workers.engine.studio import Studio, step, studio
from workers.engine.ahead import Ahead
from workers.engine.ledger import Ledger

Json = dict[str, Any]
ENDED = ("succeeded", "failed", "cancelled", "skipped")
WORKERS = ("ada", "bob", "eve")
GIVEN = 3
"""Steps that are given at once: along a line of more, what a worker may go on with is asked for beside the steps."""
MOVES = [*["go on"] * 12, "finish", "finish", "fail", "hand over"]
ERROR = {"code": "crash", "message": "It broke.", "hint": "", "traceback": ""}
ROWS = "SELECT to_jsonb(s) FROM runs_steprun s WHERE run_id = %s ORDER BY position, id"


def made() -> Json:
    """What a step gives."""
    return {"port": "recipe", "kind": "Recipe", "digest": uuid.uuid4().hex * 2, "size": 2, "media_type": "application/json",
            "inline": {"value": 0}, "metadata": {}}  # fmt: skip


def machine(lab: Studio) -> type[RuleBasedStateMachine]:
    class Interleavings(RuleBasedStateMachine):
        """`held` is what each worker believes to run; it may be wrong about it, as one that was cut off is.

        What is drawn never depends on what the ledger chose: of two steps that became ready together it may give either.
        """

        ledger: Ledger
        connection: Any

        def __init__(self) -> None:
            super().__init__()
            self.held: dict[str, Json] = {}
            self.ledgers = {worker: Ledger(lab.url) for worker in WORKERS}
            self.second = Ledger(lab.url)
            self.ahead = {worker: Ahead(self.ledgers[worker], worker, math.inf) for worker in WORKERS}
            self.last: dict[str, Callable[[], Json]] = {}
            self.over: dict[str, tuple[str, int]] = {}
            self.begun: dict[str, int] = {}
            self.made = 0

        @initialize(
            wires=st.lists(st.lists(st.integers(0, 30), max_size=3), min_size=4, max_size=7),
            retries=st.lists(st.integers(0, 2), min_size=7, max_size=7),
            shape=st.sampled_from(["line", "fan", "web"]),
        )
        def begin(self, wires: list[list[int]], retries: list[int], shape: str) -> None:
            if shape == "line":  # along it workers run ahead of the ledger
                wires = [[n - 1] for n in range(2 * len(wires))]
            elif shape == "fan":  # of it they are given several at once
                wires = [[], *([0] for _ in range(10)), list(range(1, 11))]
            steps = {
                f"s{n}": {
                    **step("nothing", *sorted({f"s{w % n}" for w in back} if n else []), note=uuid.uuid4().hex),
                    "retries": retries[n % 7],
                }
                for n, back in enumerate(wires)
            }
            started = lab.start(steps, tell=False)
            self.run, self.ids = started["id"], started["steps"]
            self.needs = {
                started["steps"][f"s{n}"]: {started["steps"][f"s{w % n}"] for w in back} if n else set() for n, back in enumerate(wires)
            }

        # What is there

        def rows(self) -> dict[str, Json]:
            return {row["id"]: row for (row,) in lab_sql.execute(ROWS, (self.run,)).fetchall()}

        def notes(self, worker: str = "") -> list[Json]:
            sql = "SELECT to_jsonb(n) FROM runs_note n WHERE run_id = %s AND %s IN ('', worker) ORDER BY at"
            return [note for (note,) in lab_sql.execute(sql, (self.run, worker)).fetchall()]

        def in_order(self, rows: Iterable[Json]) -> list[Json]:
            """By name: ids differ each time, and hypothesis wants to see the same again."""
            return sorted(rows, key=lambda r: str(r["step"]))

        def state(self) -> Json:
            ((found,),) = lab_sql.execute("SELECT to_jsonb(r) FROM runs_run r WHERE id = %s", (self.run,)).fetchall()
            return found

        def holds(self, worker: str, rows: dict[str, Json]) -> bool:
            claim = self.held.get(worker)
            if claim is None:
                return False
            if (notes := self.notes(worker)) and notes[-1]["next_id"]:
                return (notes[-1]["next_id"], notes[-1]["next_attempt"]) == (claim["id"], claim["attempt"])
            row = rows[claim["id"]]
            return row["status"] == "running" and row["attempt"] == claim["attempt"] and row["worker"] == worker

        def take(self, worker: str, answer: Json, rows: dict[str, Json]) -> None:
            """What the answer gave the worker was ready, and is its own now."""
            self.held.pop(worker, None)
            self.ahead[worker].given(answer)
            if (claim := answer.get("next")) is None:
                return
            before = rows.get(claim["id"])
            if before is not None and not (before["status"] == "running" and before["worker"] == worker):
                assert before["status"] in ("queued", "running"), f"an ended step was given out: {before['status']}"
                assert claim["attempt"] == 1 + max(before["attempt"], self.begun.get(claim["id"], 0))
            now = self.rows()
            assert now[claim["id"]]["worker"] == worker and now[claim["id"]]["status"] == "running"
            assert all(now[n]["status"] in ("succeeded", "skipped") for n in self.needs.get(claim["id"], ())), (
                "given out before what it needs"
            )
            self.held[worker] = claim

        # What workers do

        def claim(self, worker: str, pick: int, late: bool) -> None:
            """A wake-up, perhaps late or doubled, reaches a worker that thinks it has nothing to do."""
            rows = self.rows()
            among = [] if late else [r for r in rows.values() if r["status"] == "queued" and r["blocked_by"] == 0]
            among = self.in_order(among or rows.values())
            wanted = among[pick % len(among)]["id"]
            answer = self.ledgers[worker].claim(wanted, worker)
            ready = [r for r in rows.values() if r["status"] == "queued" and r["blocked_by"] == 0]
            if answer["next"] is None:
                assert not ready or self.state()["cancel_requested"], "there was a ready step, and none was given"
            self.take(worker, answer, rows)

        def call(self, worker: str, ask: Callable[[], Json], fits: Callable[[Json], bool]) -> None:
            rows, counted = self.rows(), self.holds(worker, self.rows())
            self.begun = {note["next_id"]: note["next_attempt"] for note in self.notes() if note["next_id"]}
            answer = ask()
            if counted:
                assert fits(answer), answer
                self.last[worker] = ask
                self.take(worker, answer, rows)
            else:
                assert not answer["ok"], "a write of an older attempt was taken"
                after = self.rows()
                given = answer["next"]["id"] if answer.get("next") else None
                assert {k: v for k, v in after.items() if k != given} == {k: v for k, v in rows.items() if k != given}
                self.held.pop(worker)

        def finish(self, worker: str, claim: Json, take: bool) -> None:
            """What the worker was given besides it keeps as far as it was quick, and is allowed to; others get the rest."""
            record, own = made(), self.ledgers[worker]
            held, back = self.ahead[worker].hand_over()
            self.call(
                worker,
                lambda: own.finish(claim["id"], claim["attempt"], worker, [record], take=take, ahead=GIVEN, held=held, back=back),
                lambda a: a["ok"] is True and (take or not a.get("kept")),
            )
            rows = self.rows()
            for one in [*held, *back]:
                if worker not in self.held:  # the step was taken from it: these may be its own still
                    own.give_back(self.run, worker, [one["id"]])
                elif one["id"] not in [self.held[worker]["id"], *(n["id"] for n in self.ahead[worker].unbegun)]:
                    assert rows[one["id"]]["worker"] != worker, "a worker holds a step of which it does not know"

        def go_on(self, worker: str, claim: Json, lost: bool, brought: bool) -> None:
            """To the next step by a note; perhaps it is brought in, perhaps the answer is lost and the worker asks as usual."""
            self.last.pop(worker, None)  # it has heard the answer: it goes on from there
            held, records = self.holds(worker, self.rows()), [made()]
            following = self.ahead[worker].after(claim, records, {})
            if following is None:
                self.finish(worker, claim, take=True)
                return
            assert held, "a note of an older attempt was taken"
            self.held[worker] = following
            if brought:
                self.bring_in(worker)
            if lost:
                rows = self.rows()
                answer = self.ledgers[worker].finish(claim["id"], claim["attempt"], worker, records, take=True)
                assert answer["repeated"]
                assert (answer["next"]["id"], answer["next"]["attempt"]) == (following["id"], following["attempt"])
                self.take(worker, answer, rows)

        def bring_in(self, worker: str) -> None:
            """Beside the steps. Of a line it takes all notes; it changes nothing for a worker that has no leave any more."""
            rows, held, notes = self.rows(), self.holds(worker, self.rows()), self.notes(worker)
            answer = self.ahead[worker].bring_in(self.second)
            if answer and not held:
                assert self.rows() == rows and not answer["ahead"]
            elif answer:
                assert not self.notes(worker) and len(answer["events"]) == len(notes) + bool(notes)
                assert self.holds(worker, self.rows()), "a worker lost its step because its notes were brought in"

        def catch_up(self, pick: int) -> None:
            worker = WORKERS[pick % len(WORKERS)]
            self.ledgers[worker].catch_up()
            assert not self.notes(worker)

        def fail(self, worker: str, claim: Json, take: bool, retry: bool, how: str) -> None:
            own = self.ledgers[worker]
            self.call(
                worker, lambda: own.fail(claim["id"], claim["attempt"], worker, how, ERROR, retry=retry, take=take, pause_s=0),
                lambda a: a["outcome"] in ("queued", "failed", "cancelled"),
            )  # fmt: skip

        def hand_over(self, worker: str, claim: Json, shards: int, at_once: int) -> None:
            own = self.ledgers[worker]
            self.made += 1
            if self.made > 3 or claim["shard"] is not None or claim["state"]:
                return
            shard: Json = {"parameters": {}, "given": {}}
            children = [
                {**shard, "id": str(uuid.uuid4()), "step": f"{claim['step']}[{self.made}.{n}]", "shard": n} for n in range(shards)
            ]  # fmt: skip
            self.call(
                worker,
                lambda: own.suspend(claim["id"], claim["attempt"], worker, {"made": shards}, children, [], at_once=at_once, take=True),
                lambda a: a["outcome"] in ("running", "cancelled"),
            )  # fmt: skip

        def ask_again(self, pick: int) -> None:
            """The answer was lost: the same call once more changes nothing, and says what the first said."""
            if not self.last:
                return
            worker = sorted(self.last)[pick % len(self.last)]
            ask = self.last[worker]
            rows = self.rows()
            answer = ask()
            assert self.rows() == rows
            if answer.get("next") is not None:
                assert rows[answer["next"]["id"]]["worker"] == worker

        def lost(self, pick: int) -> None:
            """The reaper finds that a worker is gone (which may be wrong: it was only paused)."""
            running = [r for r in self.rows().values() if r["status"] == "running" and r["worker"]]
            if running:
                one = self.in_order(running)[pick % len(running)]
                answer = ledger.fail(one["id"], one["attempt"], "", "lost", ERROR, retry=True, take=False)
                ended = self.rows()[one["id"]]["status"] == "succeeded"  # by a note that was not brought in yet
                assert ended or answer["outcome"]
                assert not self.notes(), "somebody may still go on from a step that was taken away"

        def reap(self) -> None:
            ledger.reap(10**6, 10**6)

        def cancel(self) -> None:
            lab_sql.execute("SELECT ledger_cancel(%s)", (self.run,))
            assert not self.notes()

        # What is drawn: workers' moves as often as all that disturbs them together

        @rule(
            worker=st.sampled_from(WORKERS), pick=st.integers(0, 50), what=st.sampled_from(MOVES), times=st.integers(1, 8),
            sure=st.integers(0, 3), retry=st.booleans(), how=st.sampled_from(["failed", "cancelled", "lost"]), shards=st.integers(1, 4),
            at_once=st.integers(1, 3),
        )  # fmt: skip
        def work(self, worker: str, pick: int, what: str, times: int, sure: int, retry: bool, how: str, shards: int, at_once: int) -> None:
            for _ in range(times):
                if what in ("fail", "hand over"):
                    self.ahead[worker].release()
                if (claim := self.held.get(worker)) is None:
                    self.claim(worker, pick, late=sure == 3)
                    if worker not in self.held:
                        break
                elif what == "finish":
                    self.finish(worker, claim, take=sure < 3)
                elif what == "go on":
                    self.go_on(worker, claim, lost=sure == 3, brought=at_once > 1)
                elif what == "fail":
                    self.fail(worker, claim, sure < 3, retry, how)
                else:
                    self.hand_over(worker, claim, shards, at_once)

        @rule(
            what=st.sampled_from(
                ["again", "again", "reap", "catch up", "catch up", "bring in", "bring in", "lost", "lost", "lost", "cancel"]
            ),
            pick=st.integers(0, 50),
        )
        def disturb(self, what: str, pick: int) -> None:
            if what == "lost":
                self.lost(pick)
            elif what == "reap":
                self.reap()
            elif what == "again":
                self.ask_again(pick)
            elif what == "catch up":
                self.catch_up(pick)
            elif what == "bring in":
                self.bring_in(WORKERS[pick % len(WORKERS)])
            elif pick > 30:  # seldom: most runs are to go far
                self.cancel()

        # What always holds

        @invariant()
        def promises(self) -> None:
            if not hasattr(self, "run"):
                return
            rows, run = self.rows(), self.state()
            for key, (status, attempt) in self.over.items():
                assert (rows[key]["status"], rows[key]["attempt"]) == (status, attempt), "what had ended changed"
            self.over = {k: (r["status"], r["attempt"]) for k, r in rows.items() if r["status"] in ENDED}
            own = {k: r for k, r in rows.items() if r["parent_id"] is None}
            assert run["steps_done"] == sum(r["status"] in ENDED for r in own.values())
            assert (run["status"] in ("succeeded", "failed", "cancelled")) == all(r["status"] in ENDED for r in own.values())
            for key, needs in self.needs.items():
                if rows[key]["status"] == "queued":
                    assert rows[key]["blocked_by"] == sum(rows[n]["status"] not in ("succeeded", "skipped") for n in needs)
            attempts = lab_sql.execute(
                "SELECT a.step_run_id::text, a.number, a.status FROM runs_attempt a JOIN runs_steprun s ON s.id = a.step_run_id"
                " WHERE s.run_id = %s", (self.run,)
            ).fetchall()  # fmt: skip
            busy = {(key, number) for key, number, status in attempts if status == "running"}
            assert busy == {(k, r["attempt"]) for k, r in rows.items() if r["status"] == "running" and r["worker"]}
            good = [key for key, _, status in attempts if status == "succeeded"]
            assert len(good) == len(set(good)), "committed twice"
            assert set(good) == {k for k, r in rows.items() if r["status"] == "succeeded"}
            notes = self.notes()
            begun = {note["next_id"] for note in notes if note["next_id"]}
            for note in notes:
                row = rows[note["step_run_id"]]
                assert (row["status"] == "running" and row["worker"] == note["worker"]) or note["step_run_id"] in begun, (
                    "a note of nobody's step"
                )
                assert not note["next_id"] or rows[note["next_id"]]["status"] == "queued", (
                    "a step that a note began is somebody else's, too"
                )
            if run["status"] in ("queued", "running") and not busy:
                open_ = [r for r in rows.values() if r["status"] == "queued" and r["blocked_by"] == 0]
                assert open_ or run["cancel_requested"], "nothing runs, nothing may run, and it is not over"
            for key, row in rows.items():
                if row["children_open"]:
                    under = [r for r in rows.values() if r["parent_id"] == key]
                    assert row["children_open"] == sum(r["status"] not in ENDED for r in under)

        def teardown(self) -> None:
            """Left alone, a worker brings whatever is left to an end."""
            if not hasattr(self, "run"):
                return
            for own in (self.second, *self.ledgers.values()):
                own.close()
            for _ in range(200):
                rows = self.rows()
                running = [r for r in rows.values() if r["status"] == "running" and r["worker"]]
                for row in running:
                    ledger.finish(row["id"], row["attempt"], row["worker"], [], take=False)
                if running:
                    continue
                answer = next((a for k in rows if (a := ledger.claim(k, "last"))["next"] is not None), None)
                if answer is None:
                    break
            self.promises()
            assert self.state()["status"] in ("succeeded", "failed", "cancelled"), "it never ends"

    ledger = Ledger(lab.url)
    lab_sql = lab.sql()
    return Interleavings


@pytest.fixture(scope="module")
def lab() -> Iterator[Studio]:
    with studio() as made:
        yield made


def explore(lab: Studio, examples: int, *, same: bool) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]  # hypothesis's own
        machine(lab),
        settings=settings(
            max_examples=examples, derandomize=same, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_no_order_of_calls_breaks_a_promise(lab: Studio) -> None:
    explore(lab, 50, same=True)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_no_order_of_calls_breaks_a_promise_at_length(lab: Studio) -> None:
    explore(lab, 800, same=False)
