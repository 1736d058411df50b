"""The clock of triggers: a thread of the platform worker's first process that sleeps until something is due and then wakes a worker.

It holds no state and decides nothing. It sleeps on PostgreSQL's NOTIFY (an event came, a trigger changed, a run that was waited for
has ended) and until the next time that the database names, and asks the database nothing in between. While there is a topic to
listen to it keeps the listener's process running. While there is something to watch (`watch`: labels that are counted) it looks every
few seconds instead: whoever writes these is in more of a hurry than whoever waits for them. Any number of clocks may run.

With a plain psycopg connection and without Django's: the worker's processes are forked from this one and must not inherit any.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

import psycopg
from celery import current_app
from django.conf import settings

from backend.runs.triggers.fire import DUE, DUE_SCHEDULES
from backend.runs.triggers.kind import topics
from backend.runs.triggers.receive import CHANNEL

log = logging.getLogger(__name__)
TASK = "runs.advance_triggers"
LONGEST = 60.0
"""Seconds between looks even if nobody says anything: a NOTIFY is lost when the connection breaks."""
AGAIN = 5.0
"""Seconds before another wake-up for what the first one has not done: the workers may be busy."""
SETTLE = 0.05
"""Seconds that notifications of one storm are taken together."""

LOOK = f"""
SELECT EXISTS ({DUE}) OR EXISTS ({DUE_SCHEDULES}),
       extract(epoch FROM least((SELECT min(due_at) FROM runs_triggerevent WHERE status = 'received' AND due_at > clock_timestamp()),
                                (SELECT min(next_at) FROM runs_trigger
                                  WHERE enabled AND deleted_at IS NULL AND next_at > clock_timestamp()))
                           - clock_timestamp())::float8,
       EXISTS (SELECT 1 FROM runs_trigger WHERE enabled AND deleted_at IS NULL AND kind = ANY (%s))
"""  # noqa: S608 - constants


@dataclass(frozen=True, kw_only=True)
class Watch:
    """While `sql` answers true, a worker is sent `task` every few seconds."""

    sql: str
    task: str


_watches: dict[str, Watch] = {}


def watch(what: Watch) -> None:
    """Called by later stages from their `AppConfig.ready`."""
    _watches[what.task] = what


class Clock:
    def __init__(self) -> None:
        self._watched = 0.0
        self._stop = threading.Event()
        self._listener: subprocess.Popen[bytes] | None = None
        self._spawned = 0.0

    def start(self) -> None:
        threading.Thread(target=self.run, name="triggers", daemon=True).start()

    def stop(self) -> None:
        """Also ends the listener; what it had not acknowledged comes again."""
        self._stop.set()
        if self._listener is not None and self._listener.poll() is None:
            self._listener.terminate()

    def run(self) -> None:
        pause = 1.0
        while not self._stop.is_set():
            try:
                with psycopg.connect(settings.DATABASE_URL, autocommit=True) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    pause = 1.0
                    while not self._stop.is_set():
                        self._wait(connection, self.look(connection))
            except Exception as exc:  # the database is away, or being made: try again for as long as it takes
                if not self._stop.wait(pause):
                    log.info("The clock of triggers looks again: %s", str(exc).strip().splitlines()[:1])
                    pause = min(pause * 2, 30.0)

    def look(self, connection: psycopg.Connection) -> float:
        """Wake a worker if something is due; returns the seconds until the next look."""
        row = connection.execute(LOOK, [topics()]).fetchone()
        assert row is not None
        due, seconds, listening = row
        if listening:
            self._keep_listening()
        watching = self._look_after(connection)
        wait = LONGEST if seconds is None else max(0.0, min(seconds, LONGEST))
        if not due:
            return min(wait, AGAIN) if listening or watching else wait
        self.wake()
        return min(wait + SETTLE, AGAIN)

    def _look_after(self, connection: psycopg.Connection) -> bool:
        """Whether there is something to watch; a worker looks at it, but not more often than each `AGAIN`."""
        found = [one for one in _watches.values() if (row := connection.execute(one.sql).fetchone()) and row[0]]
        if found and time.monotonic() - self._watched >= AGAIN - SETTLE:
            self._watched = time.monotonic()
            for one in found:
                self.wake(one.task)
        return bool(found)

    def wake(self, task: str = TASK) -> None:
        try:
            current_app.send_task(task, queue="platform", retry=False, ignore_result=True)
        except Exception as exc:  # whatever the broker's client raises: the events wait in the database
            log.warning("The broker is away (%s): triggers wait.", exc)

    def _wait(self, connection: psycopg.Connection, seconds: float) -> None:
        if list(connection.notifies(timeout=seconds, stop_after=1)):
            self._stop.wait(SETTLE)
            list(connection.notifies(timeout=0))  # not inside the first: a connection gives its notifications to one at a time

    def _keep_listening(self) -> None:
        if (self._listener is None or self._listener.poll() is not None) and time.monotonic() - self._spawned > AGAIN:
            self._spawned = time.monotonic()
            self._listener = subprocess.Popen([sys.executable, "-m", "backend.runs.triggers.listen"], stdin=subprocess.DEVNULL)
