"""`python -m workers.engine.reaper`: once a second, takes back what dead workers left and wakes workers for what nobody claimed.

It needs the database alone; with the broker away it goes on taking back, and announces when the broker is there again. Any number
may run, one at a time does the work.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from typing import Any

from workers.engine import memory
from workers.engine.broker import announce, backlog
from workers.engine.host import born, paused, place
from workers.engine.ledger import Ledger
from workers.engine.live import Live

log = logging.getLogger(__name__)

ROUND_S = float(os.environ.get("HEADRACE_REAPER_S", "1"))
LEASE_S = float(os.environ.get("HEADRACE_LEASE_S", "10"))
"""How long a step may be silent. Where its process is seen alive (a library may hold Python's lock for long), six times that."""
GRACE_S = 10.0
"""Beyond a step's time limit, for its own worker to end it."""
UNCLAIMED_S = 3.0
"""How long an announced step may wait before it is announced again (if its queue is not full of waiting messages)."""
BACKLOG = 100
"""Messages that may wait in a queue: with more, workers are merely busy, and more messages would only pile up."""


class Reaper:
    def __init__(self) -> None:
        self._stop = threading.Event()
        self.ledger = Ledger(give_up=self._stop.is_set)
        self.live = Live()
        self.place = place()
        self._kills = (memory.kills(),) * 2
        """Before the last round and before this one: a worker that was killed may be seen to be gone only in the next."""

    def stop(self, *_: Any) -> None:
        self._stop.set()

    def run(self) -> None:
        while not self._stop.wait(ROUND_S):
            try:
                self.round()
            except Exception:
                if not self._stop.is_set():
                    log.exception("A round of the reaper failed; the next one comes in %s s.", ROUND_S)

    def round(self) -> None:
        """One look at the ledger."""
        self._kills = (self._kills[1], memory.kills())
        seen = self.ledger.watch(UNCLAIMED_S)
        alive = []
        for step_run, attempt, worker in seen["running"]:
            match self._lives(worker):
                case True:
                    alive.append(step_run)
                case False:
                    self._lost(step_run, attempt, worker)
        for answer in self.ledger.reap(LEASE_S, GRACE_S, alive)["answers"]:
            if answer["ok"]:
                log.warning("A step of run %s was taken back.", answer["run"])
                self.live.send([answer])
        if seen["overdue"]:
            for answer in self.ledger.overdue():
                if answer["ok"]:
                    log.info("A step of run %s waited for a person until its deadline.", answer["run"])
                    self.live.send([answer])
        for queue in seen["queues"]:
            self._announce(queue)
        if seen["unplaced"]:
            self._place()

    def _lives(self, worker: str) -> bool | None:
        """Of a worker of this machine: whether its process is there (no need to wait for its lease to end). None: cannot tell."""
        _, _, rest = worker.partition(":")
        pid, _, rest = rest.partition(":")
        start, _, where = rest.partition(":")
        if where.partition(":")[0] != self.place or not pid.isdigit():
            return None
        if born(int(pid)) != start:
            return False
        return None if paused(int(pid)) else True

    def _lost(self, step_run: str, attempt: int, worker: str) -> None:
        if memory.kills() > self._kills[0]:
            error = memory.told()
            error |= {"hint": f"The system ended its worker so that the machine could go on. {error['hint']}", "traceback": ""}
        else:
            error = {
                "code": "worker_lost", "message": "The worker that ran this step stopped without a word.",
                "hint": "It was killed or cut off; if this repeats, the step may need more memory than there is.", "traceback": "",
            }  # fmt: skip
        answer = self.ledger.fail(step_run, attempt, "", "lost", error, retry=True, take=False)
        if answer["ok"]:
            log.warning("The worker %s is gone; its step was taken back.", worker)
            self.live.send([answer])

    def _announce(self, queue: str) -> None:
        waiting = backlog(queue)
        if waiting is None:
            return
        if waiting < BACKLOG and (ids := self.ledger.unclaimed(queue, UNCLAIMED_S, waiting, BACKLOG)):
            announce(queue, ids)

    def _place(self) -> None:
        """Steps that only some hosts may run: one of these may have come, or have room again."""
        wakes: dict[str, list[str]] = {}
        for step in self.ledger.unplaced(UNCLAIMED_S, BACKLOG):
            wakes.setdefault(step["queue"], []).append(step["id"])
        for queue, ids in wakes.items():
            if (waiting := backlog(queue)) is not None and waiting < BACKLOG:
                announce(queue, ids[: BACKLOG - waiting])


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    reaper = Reaper()
    signal.signal(signal.SIGTERM, reaper.stop)
    signal.signal(signal.SIGINT, reaper.stop)
    reaper.run()


if __name__ == "__main__":
    main()
