"""A worker whose heartbeats fail for long says so in a line a minute, not in a traceback a beat."""

from __future__ import annotations

import logging

import psycopg
import pytest

from workers.engine import trouble
from workers.engine.trouble import Trouble

FULL = psycopg.errors.DiskFull('could not extend file "base/1/2": No space left on device\nHINT: Check free disk space.')


def test_a_full_disk_is_one_line_a_minute_and_one_when_it_is_over(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = 0.0
    monkeypatch.setattr(trouble.time, "monotonic", lambda: now)
    beats = Trouble(logging.getLogger("beats"), "A heartbeat")
    beats.over()
    assert not caplog.records, "all is well: nothing is said"
    for _ in range(150):
        beats.met(FULL)
        now += 1.0
    first, second, third = (record.getMessage() for record in caplog.records)
    assert "disk is full" in first and "No space left on device" in first and "Free space on it" in first
    assert "61 times in 60 s" in second and "121 times in 120 s" in third
    assert all(record.exc_info is None and "\n" not in record.getMessage() for record in caplog.records)
    caplog.clear()
    beats.met(psycopg.OperationalError("connection refused"))
    assert "does not answer (connection refused)" in caplog.text, "something else is wrong now: that is said at once"
    beats.over()
    beats.over()
    assert [r.getMessage() for r in caplog.records][1:] == ["A heartbeat succeeds again, after 151 failures in 150 s."]
    beats.met(ValueError("a mistake"))
    assert caplog.records[-1].exc_info is not None, "a mistake of ours is told whole"
