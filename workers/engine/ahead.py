"""What a worker runs on its own word: quick steps that follow one from another, each ended by a note instead of a question.

The ledger gives the steps that follow with the first of them (`ahead` of its answer, `backend/runs/sql/19_ahead.sql`). A note commits
that one has ended and the next begun; what notes say reaches the step runs together, with the next question that the worker asks, and it
asks one at least every `FOR_S` seconds.
"""

from __future__ import annotations

import time
from typing import Any

from workers.engine.ledger import Ledger

Json = dict[str, Any]
FOR_S = 0.05
"""How long a worker may go on by notes: what pages show, and what the ledger decides, is no older."""
MOST = 32
"""Steps given with one answer. What is not used up has cost a look at each."""


class Ahead:
    """The steps that follow the one which this process runs. `after` says what to run next, or None: ask the ledger."""

    def __init__(self, ledger: Ledger, worker: str, for_s: float = FOR_S):
        self._ledger, self._worker, self._for_s = ledger, worker, for_s
        self._steps: list[Json] = []
        self._asked_at = self._begun_at = 0.0

    def given(self, answer: Json) -> None:
        """What the ledger answered to a question."""
        self._steps = list(answer.get("ahead") or ())
        self._asked_at = self._begun_at = time.monotonic()

    @property
    def wanted(self) -> int:
        """How many steps to ask for: none after one that took long, since its like follows."""
        return MOST if time.monotonic() - self._begun_at < self._for_s else 0

    def after(self, claim: Json, made: list[Json], used: Json) -> Json | None:
        """The step that `claim` ran has ended with `made`: notes that, and that the next one begins."""
        if not self._steps or time.monotonic() - self._asked_at >= self._for_s:
            return None
        following, *self._steps = self._steps
        wire = following["wire"]
        at = next((n for n, record in enumerate(made) if record["port"] == wire["output"]), None)
        if at is None:
            return None  # it gave nothing there: what that means is the ledger's to say
        record = made[at]
        key = following["key"]
        if key is not None:
            key = f"{key}{wire['port']} {wire['position']} {record['kind']} {record['digest']} "
        if not self._ledger.note(claim, self._worker, made, used, following, at, key):
            return None
        self._begun_at = time.monotonic()
        return {**following, "inputs": {wire["port"]: [{k: v for k, v in record.items() if k != "port"}]}}
