"""What a worker runs on its own word: quick steps, each ended by a note instead of a question.

With a step the ledger gives those that follow from it in a line, or some that are ready beside it (`ahead` of its answer,
`backend/runs/sql/19_ahead.sql`). A note commits that one has ended and the next begun; what notes say reaches the step runs together: along
a line by a thread beside the steps, which also asks for more of the line and whether the worker may go on, and else with the next question
that the worker asks. One of both asks at least every `FOR_S` seconds.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg

from workers.engine.ledger import Ledger

log = logging.getLogger(__name__)
Json = dict[str, Any]
FOR_S = 0.05
"""How long a worker may go on by notes: what pages show, and what the ledger decides, is no older."""
MOST = 32
"""Steps given with one answer. What is not used up has cost a look at each."""
NOTES = 12
"""So many notes along a line are brought in beside the steps that follow."""
SOON = 4
"""The same where no more than `NOTES` steps of the line are known: the next must be there in time."""
UNUSED_S = 5.0
"""After so long without a line the connection beside the steps is closed."""


class Ahead:
    """The steps that this process may run after the one it runs. `after` says which is next, or None: ask the ledger.

    Steps from beside count as running already. Of those that were not begun the next question says what becomes of them (`hand_over`);
    `release` gives them back when the step that runs takes long, or has failed."""

    def __init__(self, ledger: Ledger, worker: str, for_s: float = FOR_S, beside: Callable[[Ahead], object] = lambda line: None):
        self._ledger, self._worker, self._for_s, self._beside = ledger, worker, for_s, beside
        self._steps: list[Json] = []
        self._asked_at = self._begun_at = 0.0
        self._lock = threading.RLock()
        self._last: Json | None = None
        """The last step of the line that is known, begun or not; None where steps are from beside."""
        self._whole = False
        """Nothing follows on that one."""
        self._questions = self._notes = self._paced = 0

    def given(self, answer: Json) -> None:
        """What the ledger answered to a question."""
        with self._lock:
            self._steps = list(answer.get("ahead") or ())
            self._asked_at = self._begun_at = time.monotonic()
            self._last = self._steps[-1] if self._steps and "wire" in self._steps[-1] else None
            self._notes = self._paced = 0
            self._whole = False
            self._questions += 1

    @property
    def unbegun(self) -> list[Json]:
        """What was given and not begun yet."""
        with self._lock:
            return list(self._steps)

    @property
    def wanted(self) -> int:
        """How many steps to ask for: none after one that took long, since its like follows."""
        return MOST if time.monotonic() - self._begun_at < self._for_s else 0

    def after(self, claim: Json, made: list[Json], used: Json) -> Json | None:
        """The step that `claim` ran has ended with `made`: notes that, and that the next one begins."""
        with self._lock:
            if not self._steps or time.monotonic() - self._asked_at >= self._for_s:
                return None
            following = self._steps[0]
            if "wire" in following:
                fed = self._fed(following, made)
                if fed is None:
                    return None  # the step gave nothing there: what that means is the ledger's to say
                following = fed
            if not self._ledger.note(claim, self._worker, made, used, following):
                return None
            del self._steps[0]
            self._begun_at = time.monotonic()
            self._notes += 1
            self._paced += 1
            if self._due():
                self._notes = 0
                self._beside(self)
            return following

    def _due(self) -> bool:
        """Whether to bring in notes beside the steps. Just before a line's end the question that ends it would wait for that."""
        left = len(self._steps)
        if self._last is None or (self._whole and left < SOON):
            return False
        return self._notes >= (SOON if left <= NOTES and not self._whole else NOTES)

    def bring_in(self, ledger: Ledger) -> Json:
        """On another thread, and a connection of its own: what was noted is brought in, and the line goes on. What the ledger answered."""
        with self._lock:
            last, head, question, begun = self._last, self._ledger.head, self._questions, time.monotonic()
            most = MOST - len(self._steps)
        if last is None or head is None:
            return {}
        answer = ledger.bring_in(last, self._worker, head, max(most, 0))
        with self._lock:
            if self._questions == question:
                if answer["go_on"]:
                    self._asked_at = begun
                    self._whole = most > 0 and not answer["ahead"]
                if more := answer["ahead"]:
                    self._steps += more
                    self._last = more[-1]
        return answer

    def _fed(self, following: Json, made: list[Json]) -> Json | None:
        """The next step of a line with what the step before it made."""
        wire, key = following["wire"], following["key"]
        at = next((n for n, record in enumerate(made) if record["port"] == wire["output"]), None)
        if at is None:
            return None
        record = made[at]
        if key is not None:
            key = f"{key}{wire['port']} {wire['position']} {record['kind']} {record['digest']} "
        return {**following, "key": key, "output": at, "inputs": {wire["port"]: [{k: v for k, v in record.items() if k != "port"}]}}

    def hand_over(self) -> tuple[list[Json], list[Json]]:
        """`(held, back)` for the question that ends a step: what this process would go on with, no more than it has just done in as
        long as it may go on, and what others may have. None of them is its own until the answer is `given`."""
        with self._lock:
            steps, self._steps, self._last = self._steps, [], None
            self._questions += 1
        beside = [one for one in steps if "wire" not in one]
        most = self._paced if self.wanted else 0
        return beside[:most], beside[most:]

    def release(self, *, slow: bool = False) -> None:
        """Give back what was not begun. With `slow` only if the step that runs takes long."""
        with self._lock:
            if slow and time.monotonic() - self._begun_at < self._for_s:
                return
            steps, self._steps, self._last = self._steps, [], None
            self._questions += 1
            if beside := [one["id"] for one in steps if "wire" not in one]:
                self._ledger.give_back(steps[0]["run"], self._worker, beside)


class Beside:
    """The thread that brings in what a worker has noted while the next steps run. `tell` is called with what the ledger answers."""

    def __init__(self, ledger: Ledger, tell: Callable[[Json], object]):
        self._ledger, self._tell = ledger, tell
        self._wanted = threading.Event()
        self._line: Ahead | None = None
        self._thread: threading.Thread | None = None

    def __call__(self, line: Ahead) -> None:
        self._line = line
        self._wanted.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._loop, name="notes", daemon=True)
            self._thread.start()

    def _loop(self) -> None:
        own = self._ledger.beside()
        while True:
            if not self._wanted.wait(UNUSED_S):
                own.close()
                self._wanted.wait()
            self._wanted.clear()
            try:
                if self._line is not None and (answer := self._line.bring_in(own)):
                    self._tell(answer)
            except (psycopg.OperationalError, psycopg.InterfaceError):
                pass  # the notes are kept: the next question of the worker itself brings them in, and waits for the database if it must
            except Exception:
                log.exception("Notes were not brought in beside the steps; the worker's next question does it.")
