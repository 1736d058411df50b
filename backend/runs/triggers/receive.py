"""The one way in: something happened, for one trigger or for all that listen to it. Keeps it and wakes the clock; starts nothing."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from backend.core.events import publish
from backend.core.models import Project
from backend.runs.triggers.events import MOST_BYTES, envelope
from backend.runs.triggers.kind import find_kind
from backend.runs.triggers.models import Trigger, TriggerEvent

Json = dict[str, Any]
CHANNEL = "headrace_triggers"
"""NOTIFY with `changed` after a trigger changed, with nothing after an event came or a run that was waited for has ended."""
OFF = "The trigger is switched off."


def receive(
    trigger: Trigger,
    *,
    key: str,
    source: str,
    payload: Json,
    nonce: str | None = None,
    depth: int = 0,
    replay_of: TriggerEvent | None = None,
    at_once: bool = False,
    ignored: str = "",
) -> tuple[TriggerEvent, bool]:
    """The event and whether it is new: the first of this key (or of this signature's `nonce`) is the only one. `at_once` is for
    what a person asks for: no waiting for others, and also while the trigger is off. `ignored` says why it is kept but starts nothing."""
    now = timezone.now()
    waiting = trigger.events.filter(status="received").order_by("due_at").values_list("due_at", flat=True).first()
    due = waiting if waiting and waiting > now else now + timedelta(seconds=trigger.coalesce_s)
    ignored = ignored or ("" if trigger.enabled or at_once else OFF)
    made = TriggerEvent(
        trigger=trigger,
        key=key[:200],
        nonce=nonce,
        source=source[:300],
        payload=payload,
        depth=depth,
        replay_of=replay_of,
        received_at=now,
        due_at=now if at_once else due,
        status="ignored" if ignored else "received",
        reason=ignored,
    )
    with transaction.atomic():
        TriggerEvent.objects.bulk_create([made], ignore_conflicts=True)
        same = trigger.events.filter(key=made.key).first() or trigger.events.filter(nonce=nonce).first()
        assert same is not None, "an insert that a unique key refused has met a row with that key"
        if same.pk != made.pk:
            return same, False
        if waiting is None:
            changed(trigger)
        if not ignored:
            notify("")
    return made, True


def occurred(project: Project, kind: str, *, key: str, source: str, data: Json, caused_by: UUID | None = None) -> None:
    """Something happened in the studio, in the caller's transaction: an event for each trigger that waits for it. `caused_by` is the
    run that did it: a chain of runs that start each other is counted by it."""
    found = list(Trigger.objects.select_related("project").filter(project=project, kind=kind, enabled=True, deleted_at=None))
    if not found:
        return
    cause = TriggerEvent.objects.filter(run=caused_by, status="started").first() if caused_by else None
    if len(json.dumps(data, default=str)) > MOST_BYTES:
        data = {name: value for name, value in data.items() if isinstance(value, str | int | float | bool | None)}
    for trigger in found:
        if find_kind(kind).matches(trigger.config, data):
            payload = envelope(kind, source, data, id=key)
            receive(trigger, key=key, source=source, payload=payload, depth=cause.depth + 1 if cause else 0)


def notify(word: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, word])


def changed(trigger: Trigger) -> None:
    """Tell the pages that a trigger or its history is another."""
    publish(trigger.project, "project", {"type": "trigger_changed", "trigger": trigger.slug})
