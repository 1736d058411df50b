"""A schedule: cron's five fields, in a time zone, with a rule for what was missed while the studio was away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError
from pydantic import BaseModel, Field, field_validator

from backend.runs.triggers.kind import Kind

MOST_MISSED = 100
MOST_LOOKED_AT = 10_000
GRACE = timedelta(seconds=60)
"""Later than this a time counts as missed: the finest schedule is a minute, and a busy machine is not an outage."""


class Config(BaseModel):
    schedule: Annotated[
        str,
        Field(
            title="Schedule",
            max_length=100,
            description="Minute, hour, day of the month, month, day of the week: “0 6 * * 1-5” is at 06:00 on weekdays.",
        ),
    ] = "0 6 * * *"
    time_zone: Annotated[
        str,
        Field(
            title="Time zone",
            max_length=60,
            json_schema_extra={"format": "time-zone"},
            description=(
                "The clock that the schedule is read by. Where it is set forward, a time that does not exist runs just "
                "after; where it is set back, a time that comes twice runs once."
            ),
        ),
    ] = "UTC"
    catch_up: Annotated[
        Literal["skip", "last", "all"],
        Field(
            title="After the studio was away",
            description="Skip what was missed, run once for the last time that was missed, or run for every missed time.",
        ),
    ] = "last"
    catch_up_most: Annotated[
        int,
        Field(
            title="At most this many missed times",
            ge=1,
            le=MOST_MISSED,
            description="Only with “all”: the newest are run.",
            json_schema_extra={"x-advanced": True},
        ),
    ] = 5

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"“{value}” is no time zone; a name such as Europe/Amsterdam is needed")
        return value

    @field_validator("schedule")
    @classmethod
    def _schedule(cls, value: str) -> str:
        if len(value.split()) != 5:
            raise ValueError("five fields are needed: minute, hour, day of the month, month, day of the week")
        try:
            next(CronSim(value, datetime(2024, 1, 1)))  # noqa: DTZ001 - only whether there is any such time
        except CronSimError as exc:
            raise ValueError(f"this is no schedule: {str(exc).lower().replace('bad', 'the field is wrong:')}") from None
        except StopIteration:
            raise ValueError("there is no such day") from None
        return " ".join(value.split())


def times(config: Config, after: datetime) -> Iterator[datetime]:
    """The times after `after`, in UTC, each once and in order. Cron's own rules for a clock that is set forward or back may give a
    time again or one that has been: those are left out."""
    last = after
    for found in CronSim(config.schedule, after.astimezone(ZoneInfo(config.time_zone))):
        moment = found.astimezone(UTC)
        if moment > last:
            last = moment
            yield moment


def following(config: Config, after: datetime) -> datetime | None:
    return next(times(config, after), None)


def missed(config: Config, first: datetime, now: datetime) -> tuple[list[datetime], int]:
    """Of the times from `first` to `now`: those to run, and how many are left out. The newest is on time while it is younger
    than GRACE; the rest are for the policy."""
    due = list(islice(takewhile(lambda moment: moment <= now, times(config, first - timedelta(seconds=1))), MOST_LOOKED_AT))
    if len(due) == MOST_LOOKED_AT:  # every minute, and away for long: the newest are in the last days
        due = list(takewhile(lambda moment: moment <= now, times(config, now - timedelta(days=8))))
    on_time = [moment for moment in due[-1:] if now - moment <= GRACE]
    match config.catch_up:
        case "skip":
            run = on_time
        case "last":
            run = due[-1:]
        case "all":
            run = due[-config.catch_up_most :]
    return run, len(due) - len(run)


def describe(config: Config) -> str:
    said = CronSim(config.schedule, datetime(2024, 1, 1, tzinfo=UTC)).explain()
    return f"{said[:1].lower()}{said[1:]}, {config.time_zone} ({config.schedule})"


KIND = Kind(
    name="cron",
    title="Schedule",
    about="At fixed times: every night, on weekdays, on the first of the month.",
    order=10,
    listens="clock",
    config=Config,
    describe=describe,
    example={
        "id": "2026-03-01T05:00:00Z",
        "source": "schedule",
        "type": "cron",
        "time": "2026-03-01T05:00:00Z",
        "data": {"scheduled": "2026-03-01T05:00:00Z", "local": "2026-03-01T06:00:00+01:00"},
    },
)
