"""Claims, ends, losses, cancels and repeated calls in every order: whatever order they come in, the ledger keeps its promises.

Hypothesis chooses the graph and the order of the calls. Changes of a run are serialised by the lock of its row, so that an order of calls
is all that several workers at once can make of it; real ones are let loose in `test_faults.py`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.workers.engine.studio import Studio, step, studio
from workers.engine.ledger import Ledger

Json = dict[str, Any]
ENDED = ("succeeded", "failed", "cancelled", "skipped")
WORKERS = ("ada", "bob", "eve")
ERROR = {"code": "crash", "message": "It broke.", "hint": "", "traceback": ""}
ROWS = "SELECT to_jsonb(s) FROM runs_steprun s WHERE run_id = %s ORDER BY position, id"


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
            self.last: dict[str, tuple[Callable[[], Json], bool, str]] = {}
            self.over: dict[str, tuple[str, int]] = {}
            self.made = 0

        @initialize(
            wires=st.lists(st.lists(st.integers(0, 30), max_size=3), min_size=1, max_size=7),
            retries=st.lists(st.integers(0, 2), min_size=7, max_size=7),
        )
        def begin(self, wires: list[list[int]], retries: list[int]) -> None:
            steps = {
                f"s{n}": {
                    **step("nothing", *sorted({f"s{w % n}" for w in back} if n else []), note=uuid.uuid4().hex),
                    "retries": retries[n],
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
            row = rows[claim["id"]]
            return row["status"] == "running" and row["attempt"] == claim["attempt"] and row["worker"] == worker

        def take(self, worker: str, answer: Json, rows: dict[str, Json]) -> None:
            """What the answer gave the worker was ready, and is its own now."""
            self.held.pop(worker, None)
            if (claim := answer.get("next")) is None:
                return
            before = rows.get(claim["id"])
            if before is not None and not (before["status"] == "running" and before["worker"] == worker):
                assert before["status"] in ("queued", "running"), f"an ended step was given out: {before['status']}"
                assert before["attempt"] + 1 == claim["attempt"]
            now = self.rows()
            assert now[claim["id"]]["worker"] == worker and now[claim["id"]]["status"] == "running"
            assert all(now[n]["status"] in ("succeeded", "skipped") for n in self.needs.get(claim["id"], ())), (
                "given out before what it needs"
            )
            self.held[worker] = claim

        # What workers do

        @rule(worker=st.sampled_from(WORKERS), pick=st.integers(0, 50))
        def claim(self, worker: str, pick: int) -> None:
            """A wake-up, perhaps late or doubled, reaches a worker; one that began again may hold a step it has forgotten."""
            rows = self.rows()
            if self.holds(worker, rows):
                return
            wanted = self.in_order(rows.values())[pick % len(rows)]["id"]
            answer = ledger.claim(wanted, worker)
            ready = [r for r in rows.values() if r["status"] == "queued" and r["blocked_by"] == 0]
            if answer["next"] is None:
                assert not ready or self.state()["cancel_requested"], "there was a ready step, and none was given"
            self.take(worker, answer, rows)

        def call(self, worker: str, ask: Callable[[], Json], fits: Callable[[Json], bool]) -> None:
            rows, counted = self.rows(), self.holds(worker, self.rows())
            claim = self.held[worker]
            answer = ask()
            if counted:
                assert fits(answer), answer
                self.last[worker] = (ask, True, claim["id"])
                self.take(worker, answer, rows)
            else:
                assert not answer["ok"], "a write of an older attempt was taken"
                after = self.rows()
                given = answer["next"]["id"] if answer.get("next") else None
                assert {k: v for k, v in after.items() if k != given} == {k: v for k, v in rows.items() if k != given}
                self.held.pop(worker)

        @rule(worker=st.sampled_from(WORKERS), take=st.booleans())
        def finish(self, worker: str, take: bool) -> None:
            if (claim := self.held.get(worker)) is None:
                return
            record = {"port": "recipe", "kind": "Recipe", "digest": uuid.uuid4().hex * 2, "size": 2, "media_type": "application/json",
                      "inline": {"value": 0}, "metadata": {}}  # fmt: skip
            self.call(worker, lambda: ledger.finish(claim["id"], claim["attempt"], worker, [record], take=take), lambda a: a["ok"] is True)

        @rule(
            worker=st.sampled_from(WORKERS), take=st.booleans(), retry=st.booleans(), how=st.sampled_from(["failed", "cancelled", "lost"])
        )
        def fail(self, worker: str, take: bool, retry: bool, how: str) -> None:
            if (claim := self.held.get(worker)) is None:
                return
            self.call(
                worker, lambda: ledger.fail(claim["id"], claim["attempt"], worker, how, ERROR, retry=retry, take=take, pause_s=0),
                lambda a: a["outcome"] in ("queued", "failed", "cancelled"),
            )  # fmt: skip

        @rule(worker=st.sampled_from(WORKERS), shards=st.integers(1, 4), at_once=st.integers(1, 3))
        def hand_over(self, worker: str, shards: int, at_once: int) -> None:
            if (claim := self.held.get(worker)) is None:
                return
            self.made += 1
            if self.made > 3 or claim["shard"] is not None or claim["state"]:
                return
            shard: Json = {"parameters": {}, "given": {}}
            children = [
                {**shard, "id": str(uuid.uuid4()), "step": f"{claim['step']}[{self.made}.{n}]", "shard": n} for n in range(shards)
            ]  # fmt: skip
            self.call(
                worker,
                lambda: ledger.suspend(claim["id"], claim["attempt"], worker, {"made": shards}, children, [], at_once=at_once, take=True),
                lambda a: a["outcome"] in ("running", "cancelled"),
            )  # fmt: skip

        @rule(worker=st.sampled_from(WORKERS))
        def ask_again(self, worker: str) -> None:
            """The answer was lost: the same call once more changes nothing, and says what the first said."""
            if worker not in self.last:
                return
            ask, _, _ = self.last[worker]
            rows = self.rows()
            answer = ask()
            assert self.rows() == rows
            if answer.get("next") is not None:
                assert rows[answer["next"]["id"]]["worker"] == worker

        @rule(pick=st.integers(0, 50))
        def lost(self, pick: int) -> None:
            """The reaper finds that a worker is gone (which may be wrong: it was only paused)."""
            running = [r for r in self.rows().values() if r["status"] == "running" and r["worker"]]
            if running:
                one = self.in_order(running)[pick % len(running)]
                assert ledger.fail(one["id"], one["attempt"], "", "lost", ERROR, retry=True, take=False)["outcome"]

        @rule()
        def reap(self) -> None:
            ledger.reap(10**6, 10**6)

        @rule(sure=st.integers(0, 9))
        def cancel(self, sure: int) -> None:
            if sure:  # seldom: most runs are to go far
                return
            lab_sql.execute("SELECT ledger_cancel(%s)", (self.run,))

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
    explore(lab, 40, same=True)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_no_order_of_calls_breaks_a_promise_at_length(lab: Studio) -> None:
    explore(lab, 800, same=False)
