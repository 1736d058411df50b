"""What a worker runs on its own word: quick steps, each ended by a note instead of a question.

With a step the ledger gives those that follow from it in a line, or some that are ready beside it (`ahead` of its answer,
`backend/runs/sql/19_ahead.sql`). A note commits that one has ended and the next begun; what notes say reaches the step runs together, with
the next question that the worker asks, and it asks one at least every `FOR_S` seconds.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from workers.engine.ledger import Ledger

Json = dict[str, Any]
FOR_S = 0.05
"""How long a worker may go on by notes: what pages show, and what the ledger decides, is no older."""
MOST = 32
"""Steps given with one answer. What is not used up has cost a look at each."""


class Ahead:
    """The steps that this process may run after the one it runs. `after` says which is next, or None: ask the ledger.

    Steps from beside count as running already: `release` gives back those that were not begun, before any question, and when the
    step that runs takes long."""

    def __init__(self, ledger: Ledger, worker: str, for_s: float = FOR_S):
        self._ledger, self._worker, self._for_s = ledger, worker, for_s
        self._steps: list[Json] = []
        self._asked_at = self._begun_at = 0.0
        self._lock = threading.RLock()

    def given(self, answer: Json) -> None:
        """What the ledger answered to a question."""
        with self._lock:
            self._steps = list(answer.get("ahead") or ())
            self._asked_at = self._begun_at = time.monotonic()

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
            return following

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

    def release(self, *, slow: bool = False) -> None:
        """Give back what was not begun. With `slow` only if the step that runs takes long."""
        with self._lock:
            if slow and time.monotonic() - self._begun_at < self._for_s:
                return
            steps, self._steps = self._steps, []
            if beside := [one["id"] for one in steps if "wire" not in one]:
                self._ledger.give_back(steps[0]["run"], self._worker, beside)
