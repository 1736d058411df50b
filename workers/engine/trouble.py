"""What fails again and again is told once a minute, in one line that says what is wrong and what to do, and once when it is over."""

from __future__ import annotations

import logging
import time

import psycopg

AGAIN_S = 60.0


class Trouble:
    """Of one thing that is tried again and again: `what` begins its sentences. The log gets a traceback only of a mistake of ours."""

    def __init__(self, log: logging.Logger, what: str) -> None:
        self._log, self._what = log, what
        self._since = self._told_at = 0.0
        self._times = 0
        self._said = ""

    def met(self, error: Exception) -> None:
        """It failed."""
        now, said = time.monotonic(), _told(error)
        if not self._times:
            self._since = now
        self._times += 1
        if said == self._said and now - self._told_at < AGAIN_S:
            return
        again = f" ({self._times} times in {now - self._since:.0f} s)" if self._times > 1 else ""
        ours = not isinstance(error, psycopg.Error | OSError)
        self._log.error("%s failed%s: %s", self._what, again, said, exc_info=error if ours else None)
        self._told_at, self._said = now, said

    def over(self) -> None:
        """It succeeded."""
        if self._times:
            self._log.warning("%s succeeds again, after %s failures in %.0f s.", self._what, self._times, time.monotonic() - self._since)
        self._times, self._said = 0, ""


def _told(error: Exception) -> str:
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    if isinstance(error, psycopg.errors.DiskFull):
        return f"the database's disk is full ({first}). Free space on it; steps go on meanwhile, lines of their logs may be missing."
    if isinstance(error, psycopg.OperationalError):
        return f"the database does not answer ({first}). See whether it runs; steps go on meanwhile, lines of their logs may be missing."
    return first
