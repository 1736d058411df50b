"""The run ledger as a worker sees it: a thin client of the SQL functions in `backend/runs/sql/`.

One connection a process, shared by its threads (one call at a time). A call that meets a dead connection waits, connects
again and asks again: every function is fenced by the attempt and gives a repeated asking the same answer. It holds no state
of its own and decides nothing.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import psycopg
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.types.json import set_json_loads
from pydantic_core import to_json

log = logging.getLogger(__name__)
Json = dict[str, Any]

WAKES = int(os.environ.get("HEADRACE_WAKES", "32"))
"""The most wake-ups one change sends per queue. Each wakes one worker, which then goes on through the ledger, so more than
there are workers would only be read and thrown away; the reaper sends more where these were too few."""
LOSSES = int(os.environ.get("HEADRACE_LOSSES", "3"))
"""How often a step may lose its worker before it counts as failed."""
PAUSE_S = float(os.environ.get("HEADRACE_RETRY_PAUSE_S", "2"))
"""The first pause before a failed step is tried again; it doubles each time, up to five minutes."""


class Ledger:
    """`give_up` is asked while the database is away; once it says True the last error is raised."""

    def __init__(self, url: str | None = None, *, give_up: Callable[[], bool] = lambda: False):
        self._url = url or os.environ["DATABASE_URL"]
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None
        self._lock = threading.RLock()
        self._give_up = give_up
        self._pid = os.getpid()
        self._prepared: dict[str, bytes] = {}
        self._head: tuple[str, int] | None = None
        """The step, and its attempt, that the ledger gave this process; with `_noted` it has gone on from there by notes."""
        self._noted: tuple[str, str, Json] | None = None
        self.tell: Callable[[Json], object] = lambda answer: None
        """Called with what the ledger answers when notes are brought in (`catch_up`)."""

    def beside(self) -> Ledger:
        """Another connection, for what is asked beside the steps; it gives up at once while the database is away."""
        return Ledger(self._url, give_up=lambda: True)

    @property
    def head(self) -> tuple[str, int] | None:
        """The step, and its attempt, from which this process has leave to go on by notes."""
        return self._head

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        if self._connection is not None and self._pid != os.getpid():
            self._connection = None  # a forked child must not speak on its parent's connection, nor close it
        if self._connection is None or self._connection.closed:
            self._pid = os.getpid()
            self._prepared = {}
            # Prepared at the first use: the same dozen statements for as long as the process lives.
            self._connection = psycopg.connect(
                self._url, autocommit=True, prepare_threshold=0, connect_timeout=5, application_name="headrace worker",
                keepalives_idle=10, keepalives_interval=5, keepalives_count=3,
            )  # fmt: skip
            # Each of our statements looks up a few rows by an index, on tables whose size the planner may not know yet. It must not think
            # anew for each call, nor read a whole table because that was small when this process began.
            self._connection.execute("SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET jit = off", prepare=False)
            set_json_loads(json.loads, self._connection)
        return self._connection

    def call(self, sql: str, parameters: Sequence[Any]) -> Any:
        """The one value that `sql` answers; waits for a database that is away or restarting."""

        def ask() -> Any:
            row = self._connect().execute(sql, parameters).fetchone()
            return row[0] if row else None

        return self._insist(ask)

    def quick(self, sql: str, *parameters: str | int | bool | None) -> Any:
        """`call` for plain parameters (`$1`, …) and JSON: what comes with every step. psycopg's cursor would add as much again as the
        way to the database and back."""
        value = self._insist(lambda: self._ask(sql, parameters))
        return None if value is None else json.loads(value)

    def once(self, sql: str, *parameters: str | int | bool | None) -> bytes | None:
        """The answer to `quick` as it comes, but None where the database does not give one: whether it has done what was asked is not
        known then."""
        with self._lock:
            try:
                return self._ask(sql, parameters)
            except (psycopg.OperationalError, psycopg.InterfaceError):
                self._forget()
                return None

    def _ask(self, sql: str, parameters: Sequence[str | int | bool | None]) -> bytes | None:
        sent: list[Any] = [None if p is None else b"ft"[p : p + 1] if isinstance(p, bool) else str(p).encode() for p in parameters]
        connection = self._connect().pgconn
        if (name := self._prepared.get(sql)) is None:
            name = f"quick_{len(self._prepared)}".encode()
            _good(connection, connection.prepare(name, sql.encode()), ExecStatus.COMMAND_OK)
            self._prepared[sql] = name
        return _good(connection, connection.exec_prepared(name, sent), ExecStatus.TUPLES_OK).get_value(0, 0)

    def _forget(self) -> None:
        """A connection that broke."""
        if self._connection is not None and (self._connection.closed or self._connection.broken):
            self._connection = None

    def _insist(self, ask: Callable[[], Any]) -> Any:
        pause = 0.05
        with self._lock:
            while True:
                try:
                    return ask()
                except (psycopg.OperationalError, psycopg.InterfaceError) as exc:
                    self._forget()
                    if self._give_up():
                        raise
                    if pause >= 1:
                        log.warning(
                            "The database does not answer (%s); trying again.",
                            str(exc).strip().splitlines()[0] if str(exc) else type(exc).__name__,
                        )
                    time.sleep(pause)
                    pause = min(pause * 2, 2)

    # The functions, in the order of a step's life.

    def claim(self, step_run: str, worker: str) -> Json:
        """Take this step, or another ready one of its run and queue. `next` is None when there is nothing to do."""
        return self._asked(self.quick("SELECT ledger_claim($1::uuid, $2)", step_run, worker))

    def grant(self, step_run: str, attempt: int, token_hash: str, prefix: str, hours: float) -> bool:
        """Let the attempt use the HTTP API with the token of this hash, until it ends."""
        self.catch_up()
        return bool(self.call("SELECT ledger_grant(%s::uuid, %s::int, %s, %s, %s::float8)", (step_run, attempt, token_hash, prefix, hours)))

    def beat(
        self, step_run: str, attempt: int, progress: float, message: str, batch: int,
        lines: Sequence[tuple[datetime, str, str, str]] = (), points: Sequence[tuple[datetime, str, float, float | None]] = (),
    ) -> Json:  # fmt: skip
        """A sign of life, with what was said since the last. `ok` False: the step is no longer this attempt's."""
        self.catch_up()
        columns = [list(c) for c in zip(*lines, strict=True)] or [[], [], [], []]
        rows = [list(c) for c in zip(*points, strict=True)] or [[], [], [], []]
        return self.call(  # type: ignore[no-any-return]  # jsonb
            "SELECT ledger_beat(%s::uuid, %s::int, %s::float8, %s, %s::int, %s::timestamptz[], %s::text[], %s::text[], %s::text[],"
            " %s::timestamptz[], %s::text[], %s::float8[], %s::float8[])",
            (step_run, attempt, progress, message[:500], batch, *columns, *rows),
        )

    def finish(
        self, step_run: str, attempt: int, worker: str, outputs: list[Json], *, take: bool, used: Json | None = None, ahead: int = 0,
        held: Sequence[Json] = (), back: Sequence[Json] = (),
    ) -> Json:  # fmt: skip
        """The step succeeded. With `take`, `next` is another ready step of the run, already claimed, and `ahead` are up to so many
        that follow it, to go on with by `note`. `used`: {peak, rows}.

        Of the steps that the worker was given besides and has not begun, others get those of `back`; it goes on with those of `held` where
        the answer says `kept` (`next` is the first of them then), else others get these, too."""
        answer = self.quick(
            "SELECT ledger_finish($1::uuid, $2::int, $3, $4::jsonb, $5, $6::int, $7::jsonb, $8::int, $9::uuid[], $10::uuid[])",
            step_run, attempt, worker, _json(outputs), take, WAKES, _json(used), ahead, _ids(held), _ids(back),
        )  # fmt: skip
        if answer.get("kept"):
            answer["next"], *answer["ahead"] = held
        return self._asked(answer)

    def note(self, claim: Json, worker: str, outputs: list[Json], used: Json, following: Json) -> bool:
        """The claimed step succeeded and `following`, one of those `ahead`, begins. False: `finish` it. It is sent once: sent again after a
        lost answer it might come after what it says was brought in, and count twice.

        Of one in a line, `output` says which of `outputs` it takes, and `key` how the name of its content begins."""
        with self._lock:
            if self._head is None:
                return False
            names = ("id", "attempt", "output", "key", "look")
            line = [following[name] for name in names] if "wire" in following else [None, None, None, None, False]
            noted = self.once(
                "SELECT ledger_note($1::uuid, $2::int, $3, $4::uuid, $5::int, $6::jsonb, $7::jsonb, $8::uuid, $9::int, $10::int, $11, $12)",
                *self._head, worker, claim["id"], claim["attempt"], _json(outputs), _json(used), *line,
            ) == b"t"  # fmt: skip
            if noted:
                self._noted = (claim["run"], worker, following)
                if "wire" not in following:
                    self._head = (following["id"], following["attempt"])
            return noted

    def give_back(self, run: str, worker: str, steps: Sequence[str]) -> None:
        """Steps that this worker was given and has not begun: others may have them."""
        self.tell(self.call("SELECT ledger_return(%s::uuid, %s, %s::uuid[], %s::int)", (run, worker, list(steps), WAKES)))

    def bring_in(self, claim: Json, worker: str, head: tuple[str, int], most: int) -> Json:
        """`catch_up`, beside the steps: of a worker that goes on by notes from `head` along a line, whose last known step is `claim`.
        `ahead` are up to `most` that follow from that one."""
        return self.quick(  # type: ignore[no-any-return]  # jsonb
            "SELECT ledger_bring_in($1::uuid, $2, $3::uuid, $4::int, $5::uuid, $6::int, $7::int)",
            claim["run"], worker, *head, claim["id"], most, WAKES,
        )  # fmt: skip

    def catch_up(self) -> None:
        """Bring in what this process has noted, so that the ledger knows the step that it runs now."""
        with self._lock:
            if self._noted is None:
                return
            run, worker, current = self._noted
            answer = self.quick("SELECT ledger_catch_up($1::uuid, $2, $3::int)", run, worker, WAKES)
            self._head, self._noted = (current["id"], current["attempt"]), None
        self.tell(answer)

    def _asked(self, answer: Json) -> Json:
        """After a call that brings in all notes."""
        following = answer.get("next")
        self._head, self._noted = (following["id"], following["attempt"]) if following else None, None
        return answer

    def fail(
        self,
        step_run: str,
        attempt: int,
        worker: str,
        outcome: str,
        error: Json,
        *,
        retry: bool,
        take: bool,
        pause_s: float = PAUSE_S,
        used: Json | None = None,
    ) -> Json:
        """The attempt ended without a result; `outcome` is failed, cancelled or lost."""
        return self._asked(self.call(
            "SELECT ledger_fail(%s::uuid, %s::int, %s, %s, %s::jsonb, %s, %s::float8, %s::int, %s, %s::int, %s::jsonb)",
            (step_run, attempt, worker, outcome, _json(error), retry, pause_s, LOSSES, take, WAKES, _json(used)),
        ))  # fmt: skip

    def suspend(
        self, step_run: str, attempt: int, worker: str, state: Json, children: list[Json], inputs: list[Json], *, take: bool,
        at_once: int = 2**31 - 1, person: bool = False, until: datetime | None = None,
    ) -> Json:  # fmt: skip
        """Hand the step on to steps it makes, to a person, or to a time; it becomes ready again when they are done."""
        return self._asked(self.call(
            "SELECT ledger_suspend(%s::uuid, %s::int, %s, %s::jsonb, %s::jsonb, %s::jsonb, %s::int, %s, %s::timestamptz, %s, %s::int)",
            (step_run, attempt, worker, _json(state), _json(children), _json(inputs), at_once, person, until, take, WAKES),
        ))  # fmt: skip

    def children(self, step_run: str, shard: int | None = None) -> list[Json]:
        """What became of the steps that a step made: `{step, shard, status, skip_reason, error, outputs: {port: record}}` in order."""
        return self.call("SELECT ledger_children(%s::uuid, %s::int)", (step_run, shard))  # type: ignore[no-any-return]  # jsonb

    def pipeline(self, run: str, name: str) -> Json | None:
        """A pipeline that is a step of this run, as `workers.sdk.graph.nested.of_json` takes it."""
        return self.call("SELECT ledger_pipeline(%s::uuid, %s)", (run, name))  # type: ignore[no-any-return]  # jsonb

    def code(self, run: str, name: str) -> Json | None:
        """User-written code that is a step of this run, as `workers.sdk.graph.code.of_json` takes it."""
        return self.call("SELECT ledger_code(%s::uuid, %s)", (run, name))  # type: ignore[no-any-return]  # jsonb

    def overdue(self, limit: int = 200) -> list[Json]:
        """Go on with steps whose deadline for a person has passed."""
        return self.call("SELECT ledger_overdue(%s::int)", (limit,)) or []

    def reap(self, lease_s: float, grace_s: float, alive: Sequence[str] = (), limit: int = 200) -> Json:
        """Take back what its worker has left; `alive` are steps whose process is known to live."""
        return self.call(  # type: ignore[no-any-return]  # jsonb
            "SELECT ledger_reap(%s::float8, %s::float8, %s::int, %s::int, %s::uuid[])", (lease_s, grace_s, LOSSES, limit, list(alive))
        )

    def watch(self, after_s: float) -> Json:
        """`queues` that have ready steps nobody claimed, whether some are `unplaced`, and `running` as [step run, attempt, worker]."""
        return self.call("SELECT ledger_watch(%s::float8)", (after_s,))  # type: ignore[no-any-return]  # jsonb

    def unclaimed(self, queue: str, after_s: float, waiting: int, most: int) -> list[str]:
        """Ready steps of a queue to announce (again): with the messages that are `waiting` there, no more than there are workers, nor
        than `most` where none is known of."""
        sql = "SELECT ledger_unclaimed(%s, %s::float8, coalesce(ledger_workers(%s), %s::int) - %s::int)"
        return [str(i) for i in self.call(sql, (queue, after_s, queue, most, waiting)) or []]

    def unplaced(self, after_s: float, limit: int) -> list[Json]:
        """The same of steps that only some hosts may run, with the queue of each such host: `{id, queue}`."""
        return self.call("SELECT ledger_unplaced(%s::float8, %s::int)", (after_s, limit)) or []

    def host_beat(self, host: Json, name: str, group: Json | None) -> str:
        """A sign of life of this machine; what is wanted of it: running, paused, draining, stopped, or `removed`."""
        return str(self.call("SELECT ledger_host_beat(%s::jsonb, %s, %s::jsonb)", (_json(host), name, _json(group) if group else None)))


def _good(connection: PGconn, result: PGresult, wanted: ExecStatus) -> PGresult:
    if result.status == wanted:
        return result
    if connection.status == ConnStatus.BAD:
        raise psycopg.OperationalError(result.get_error_message())
    raise psycopg.errors.error_from_result(result)


def _ids(claims: Sequence[Json]) -> str:
    return "{" + ",".join(claim["id"] for claim in claims) + "}"


def _json(value: Any) -> str:
    """NUL cannot be kept in PostgreSQL's JSON. NaN is none, and PostgreSQL says so."""
    return to_json(value).decode().replace("\\u0000", "\\ufffd")
