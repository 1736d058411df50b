"""From events to runs. Any number of processes may do this at once: a trigger is worked on under its row lock, others pass it by.

The run and what its event becomes are one transaction, so a process that dies in between leaves the event as it was: waiting.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import Error as DatabaseError
from django.db import connection, transaction
from django.utils import timezone

from backend.core.errors import HeadraceError, NotFound
from backend.core.models import Membership
from backend.core.permissions import may
from backend.pipelines import queries as pipelines
from backend.pipelines.models import PipelineVersion
from backend.runs.actions import Wish, start_run
from backend.runs.models import Run
from backend.runs.triggers.errors import NotPublished, TriggerRefused
from backend.runs.triggers.events import Missing, envelope, take
from backend.runs.triggers.kinds import cron
from backend.runs.triggers.models import PRIORITIES, Trigger, TriggerEvent
from backend.runs.triggers.receive import changed, receive

log = logging.getLogger(__name__)
Json = dict[str, Any]
DEEPEST = 5
"""Runs that may follow from one another: run → trigger → run …; a longer chain is taken for a loop."""
MOST_WAITING = 100
"""Events that wait for a place. More are not worth waiting for: the newest are refused and can be replayed."""
A_ROUND = 100

DUE = """
SELECT t.id FROM runs_trigger t
 WHERE EXISTS (SELECT 1 FROM runs_triggerevent e WHERE e.trigger_id = t.id AND e.status = 'received' AND e.due_at <= clock_timestamp())
   AND (SELECT count(*) FROM runs_triggerevent e JOIN runs_run r ON r.id = e.run_id
         WHERE e.trigger_id = t.id AND e.status = 'started' AND r.status IN ('queued', 'running', 'waiting')) < t.most_at_once
"""
"""Triggers with something to do and a place to do it in. The clock asks the same."""
DUE_SCHEDULES = "SELECT t.id FROM runs_trigger t WHERE t.enabled AND t.deleted_at IS NULL AND t.next_at <= clock_timestamp()"


def advance(most: int = A_ROUND) -> bool:
    """Do what is due, at most `most` pieces of it; True when there may be more."""
    return all(_schedule() or _trigger() for _ in range(most))


def _claim(due: str) -> Trigger | None:
    """One of the triggers that nobody else works on, locked."""
    with connection.cursor() as cursor:
        cursor.execute(due + " LIMIT 1 FOR NO KEY UPDATE OF t SKIP LOCKED")
        found = cursor.fetchone()
    return Trigger.objects.select_related("project", "owner", "pipeline").get(pk=found[0]) if found else None


def _schedule() -> bool:
    """Of one schedule whose time has come: events for it, and for what was missed as its rule says; then its next time."""
    with transaction.atomic():
        trigger = _claim(DUE_SCHEDULES)
        if trigger is None:
            return False
        now = timezone.now()
        assert trigger.next_at is not None
        config = cron.Config.model_validate(trigger.config)
        run, left_out = cron.missed(config, trigger.next_at, now)
        for moment in run:
            receive(trigger, key=f"cron:{_text(moment)}", source="schedule", payload=scheduled(config, moment))
        if left_out:
            _note(trigger, trigger.next_at, left_out, config)
        Trigger.objects.filter(pk=trigger.pk).update(next_at=cron.following(config, now))
    return True


def scheduled(config: cron.Config, moment: datetime) -> Json:
    local = moment.astimezone(ZoneInfo(config.time_zone)).isoformat()
    return envelope("cron", "schedule", {"scheduled": _text(moment), "local": local}, id=_text(moment), time=_text(moment))


def _note(trigger: Trigger, first: datetime, count: int, config: cron.Config) -> None:
    """That times were left out is in the history too, as one event."""
    word = {"skip": "skipped", "last": "only the last is run", "all": f"only the last {config.catch_up_most} are run"}[config.catch_up]
    times = f"{count} times" if count > 1 else "A time"
    reason = (
        f"{times} passed while the studio was away; by this trigger's rule, {'what was missed is ' if word == 'skipped' else ''}{word}."
    )
    TriggerEvent.objects.bulk_create(
        [TriggerEvent(trigger=trigger, key=f"missed:{_text(first)}", source="schedule", status="ignored", reason=reason,
                      payload=envelope("cron", "schedule", {"missed": count, "from": _text(first)}, id=f"missed:{_text(first)}"))],
        ignore_conflicts=True,
    )  # fmt: skip
    changed(trigger)


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _trigger() -> bool:
    """The next event of one trigger, or with a window all that came within it."""
    with transaction.atomic():
        trigger = _claim(DUE)
        if trigger is None:
            return False
        now = timezone.now()
        waiting = trigger.events.filter(status="received", due_at__lte=now).order_by("received_at", "id")
        if trigger.coalesce_s:
            # All that came since belong together, also those whose own window is not over.
            waiting = trigger.events.filter(status="received").order_by("received_at", "id")
            event = waiting.last()
        else:
            event = waiting.first()
        if event is None:
            return True
        if trigger.deleted_at is not None or not trigger.enabled:
            waiting.update(status="ignored", reason="The trigger was switched off before this came to its turn.")
        elif wait := _over_limit(trigger, now):
            waiting.update(status="limited", reason=wait)
        else:
            started = start(trigger, event)
            if trigger.coalesce_s:
                joined = f"Joined the event of {event.received_at:%H:%M:%S} UTC, which came within the same {trigger.coalesce_s} s."
                waiting.exclude(pk=event.pk).update(status="coalesced", reason=joined, run=started)
            else:
                kept = list(waiting.filter(status="received").values_list("pk", flat=True)[:MOST_WAITING])
                waiting.filter(status="received").exclude(pk__in=kept).update(
                    status="limited", reason=f"{MOST_WAITING} earlier events of this trigger were waiting already."
                )
        changed(trigger)
    return True


def _over_limit(trigger: Trigger, now: datetime) -> str:
    within = trigger.events.filter(status="started", run__created_at__gt=now - timedelta(hours=1))
    if within.count() < trigger.most_per_hour:
        return ""
    runs = f"{trigger.most_per_hour} runs were" if trigger.most_per_hour != 1 else "One run was"
    return f"{runs} started within the hour, which is this trigger's limit."


def start(trigger: Trigger, event: TriggerEvent) -> Run | None:
    """Start the run of an event, in the caller's transaction. What keeps it from starting is kept with the event, in words."""
    run: Run | None = None
    try:
        if event.depth > DEEPEST:
            event.status = "limited"
            event.reason = f"It follows from {event.depth} runs that started one another; a chain stops after {DEEPEST}."
        else:
            with transaction.atomic():
                _depth(str(event.depth))
                run = _run(trigger, event)
                _depth("")
            event.status, event.reason, event.run = "started", "", run
    except HeadraceError as error:
        event.status, event.reason = "failed", _words(error)
    except DatabaseError:
        raise  # the database is away: the event waits
    except Exception:
        log.exception("trigger %s, event %s", trigger.slug, event.pk)
        event.status, event.reason = "failed", "Something went wrong in the studio while the run was started; its log says more."
    event.save(update_fields=["status", "reason", "run"])
    return run


def _depth(text: str) -> None:
    """Tells `run_finished.sql`, within this transaction, what a run that ends while it is started follows from."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('headrace.trigger_depth', %s, true)", [text])


def _run(trigger: Trigger, event: TriggerEvent) -> Run:
    owner = trigger.owner
    if owner is None:
        raise TriggerRefused(message="Whoever this trigger ran for has no account any more; somebody who saves it takes it over.")
    member = Membership.objects.filter(project=trigger.project, user=owner).first()
    if trigger.project.archived_at is not None:
        raise TriggerRefused(message="The project is archived.")
    if member is None or not owner.is_active:
        raise TriggerRefused(message=f"{owner}, for whom this trigger runs, is no longer a member; somebody who saves it takes it over.")
    if not may(member.role, "run.start"):
        raise TriggerRefused(
            message=(
                f"{owner}, for whom this trigger runs, may not start runs any more (as {member.role}); somebody who saves it takes it over."
            )
        )
    pipeline = trigger.pipeline
    if pipeline.deleted_at is not None:
        raise NotFound(what="pipeline", name=pipeline.slug)
    version = newest(trigger) if trigger.version is None else pipelines.get_version(pipeline, trigger.version)
    return start_run(
        trigger.project,
        owner,
        pipeline,
        version,
        Wish(parameters=parameters(trigger, event.payload), name=trigger.name, priority=PRIORITIES[trigger.priority]),
    )


def newest(trigger: Trigger) -> PipelineVersion:
    found: PipelineVersion | None = trigger.pipeline.versions.order_by("-number").first()
    if found is None:
        raise NotPublished(pipeline=trigger.pipeline.name, field="pipeline", hint="Publish it first.")
    return found


def parameters(trigger: Trigger, payload: Json) -> dict[str, Json]:
    """The constants, and over them what the mapping takes from the event."""
    found: dict[str, Json] = {step: dict(values) for step, values in trigger.parameters.items()}
    for step, values in trigger.mapping.items():
        for name, path in values.items():
            try:
                found.setdefault(step, {})[name] = take(payload, path)
            except Missing as missing:
                raise TriggerRefused(message=f"{step}.{name} is taken from {path}, but {missing}.", field=f"{step}.{name}") from None
    return found


def _words(error: HeadraceError) -> str:
    """An error in one sentence or two, with the first places it names."""
    told = str(error)
    for problem in error.problems[:3]:
        line = f"{problem.get('field', '')}: {problem.get('message', '')}"
        told += "" if line.rstrip(".") in told else f" {line.rstrip('.')}."
    return f"{told} {error.hint}".strip()[:500] if error.hint and error.hint not in told else told[:500]
