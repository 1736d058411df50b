"""Schedules: which times they mean, also where clocks are changed, and what becomes of those that pass while the studio is away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from django.utils import timezone

from backend.runs.models import Run, TriggerEvent
from backend.runs.triggers import fire
from backend.runs.triggers.kinds.cron import GRACE, Config, missed, times
from backend.runs.triggers.models import Trigger
from tests.backend.people import Person
from tests.backend.runs.test_triggers import Json, history, make, pipeline  # noqa: F401 - fixtures


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "zone", "after", "expected"),
    [
        ("30 2 * * *", "Europe/Amsterdam", "2026-03-28T12:00", ["2026-03-29T01:00", "2026-03-30T00:30"]),
        ("30 2 * * *", "Europe/Amsterdam", "2026-10-24T12:00", ["2026-10-25T00:30", "2026-10-26T01:30"]),
        ("10,30 2 * * *", "Europe/Amsterdam", "2026-03-28T12:00", ["2026-03-29T01:00", "2026-03-30T00:10"]),
        ("0 * * * *", "Europe/Amsterdam", "2026-10-24T23:30", ["2026-10-25T00:00", "2026-10-25T01:00", "2026-10-25T02:00"]),
        ("30 1 * * *", "America/New_York", "2026-11-01T06:00", ["2026-11-02T06:30"]),
        ("0 6 * * 1-5", "Asia/Kolkata", "2026-11-27T00:31", ["2026-11-30T00:30"]),
        ("0 0 29 2 *", "UTC", "2026-01-01T00:00", ["2028-02-29T00:00"]),
    ],
    ids=[
        "set forward: just after the gap", "set back: once", "two in the gap: once", "hourly: both hours",
        "after the first of two: tomorrow", "half hours", "leap day",
    ],
)  # fmt: skip
def test_times_are_right_where_clocks_change(schedule: str, zone: str, after: str, expected: list[str]) -> None:
    found = list(islice(times(Config(schedule=schedule, time_zone=zone), at(after)), len(expected)))
    assert found == [at(text) for text in expected]


@pytest.mark.parametrize(
    ("policy", "late", "run", "left_out"),
    [("skip", 3600, 0, 13), ("skip", 20, 1, 12), ("last", 3600, 1, 12), ("all", 3600, 5, 8)],
)
def test_what_was_missed_follows_the_rule(policy: Any, late: int, run: int, left_out: int) -> None:
    last = at("2026-05-02T12:00")
    config = Config(schedule="0 * * * *", catch_up=policy)
    found, others = missed(config, last - timedelta(hours=12), last + timedelta(seconds=late - (1 if late == 3600 else 0)))
    assert (len(found), others) == (run, left_out)
    assert not found or found[-1] == last
    assert found == sorted(found)


def test_a_year_of_minutes_is_no_work() -> None:
    now = at("2026-05-02T12:00")
    found, left_out = missed(Config(schedule="* * * * *", catch_up="all", catch_up_most=3), now - timedelta(days=365), now)
    assert [now - moment for moment in found] == [timedelta(minutes=2), timedelta(minutes=1), timedelta(0)] and left_out > 10_000


@pytest.mark.django_db(transaction=True)
def test_a_schedule_runs_each_time_once_and_catches_up(editor: Person, make: Callable[..., Json]) -> None:  # noqa: F811 - the fixture
    made = make("cron", config={"schedule": "0 * * * *", "time_zone": "Europe/Amsterdam", "catch_up": "last"}, most_at_once=10)
    assert made["next_at"] is not None and made["sentence"] == "Starts at the start of every hour, Europe/Amsterdam (0 * * * *)."
    assert fire.advance() is False and not TriggerEvent.objects.exists()
    before = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=7)
    Trigger.objects.update(next_at=before)
    fire.advance()
    fire.advance()
    events = history(editor, made)
    assert sorted(e["status"] for e in events) == ["ignored", "started"] and Run.objects.count() == 1
    assert "7 times passed while the studio was away" in next(e["reason"] for e in events if e["status"] == "ignored")
    following = Trigger.objects.get().next_at
    assert following is not None and timedelta(0) < following - timezone.now() <= timedelta(hours=1)
    Trigger.objects.update(next_at=before)  # as after a restored backup: the same times again
    fire.advance()
    assert Run.objects.count() == 1, "the time of a run is its key"

    editor.post("/triggers/cron/disable", status=200)
    assert Trigger.objects.get().next_at is None
    assert editor.post("/triggers/cron/enable", status=200)["next_at"] is not None


@pytest.mark.django_db
def test_the_form_is_told_the_next_times_or_what_is_wrong(editor: Person) -> None:
    found = editor.get("/cron-times?schedule=30%202%20*%20*%20*&time_zone=Europe/Amsterdam")["times"]
    assert len(found) == 5 and found == sorted(found)
    wrong = editor.get("/cron-times?schedule=0%2025%20*%20*%20*", status=422)["error"]
    assert wrong["field"] == "schedule" and "hour" in wrong["message"]
    assert editor.get("/cron-times?schedule=0%200%2030%202%20*", status=422)["error"]["field"] == "schedule"


def test_late_by_less_than_a_minute_is_on_time() -> None:
    assert timedelta(seconds=30) < GRACE <= timedelta(minutes=1)
