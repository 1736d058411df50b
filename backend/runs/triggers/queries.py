"""Reads of triggers: the list with each one's last event and connection, the history, the times of a schedule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from backend.core.errors import InvalidInput, NotFound
from backend.core.models import Project
from backend.core.queries import paginate
from backend.runs.models import Run
from backend.runs.triggers.kind import find_kind, kinds
from backend.runs.triggers.kinds import cron
from backend.runs.triggers.models import PRIORITIES, Trigger, TriggerEvent

Json = dict[str, Any]
SHOWN_TIMES = 5
STALE = timedelta(seconds=90)
"""A listener says every half a minute that it still listens; after this long nobody listens."""


def triggers(project: Project) -> QuerySet[Trigger]:
    last = TriggerEvent.objects.filter(trigger=OuterRef("pk")).order_by("-received_at", "-id")
    return (
        Trigger.objects.filter(project=project).select_related("project", "pipeline", "owner").defer("pipeline__draft")
        .annotate(last_event=Subquery(last.values("pk")[:1]))
    )  # fmt: skip


def list_triggers(project: Project, deleted: bool) -> list[Json]:
    return outs(triggers(project).filter(deleted_at__isnull=not deleted).order_by("name", "slug"))


def find(project: Project, slug: str) -> Trigger:
    """Deleted ones too, so that they can be shown and restored."""
    found: Trigger | None = triggers(project).filter(slug=slug).first()
    if found is None:
        raise NotFound(what="trigger", name=slug)
    return found


def get_trigger(project: Project, slug: str, secret: str | None = None) -> Json:
    return outs([find(project, slug)], secret)[0]


def outs(rows: Iterable[Trigger], secret: str | None = None) -> list[Json]:
    """`TriggerOut` of each, in two queries for all."""
    found = list(rows)
    last = {event.pk: event for event in _events().filter(pk__in=[t.last_event for t in found if t.last_event])}  # type: ignore[attr-defined]  # annotated above
    return [_out(trigger, last.get(trigger.last_event), secret) for trigger in found]  # type: ignore[attr-defined]  # as above


def _out(trigger: Trigger, last: TriggerEvent | None, secret: str | None) -> Json:
    known = kinds().get(trigger.kind)
    config = known.config.model_construct(**trigger.config) if known else None
    return {
        "id": trigger.pk, "slug": trigger.slug, "name": trigger.name, "kind": trigger.kind,
        "kind_title": known.title if known else trigger.kind,
        "sentence": f"Starts {known.describe(config)}." if known else "This kind of trigger is not installed.",
        "pipeline": trigger.pipeline.slug, "pipeline_name": trigger.pipeline.name,
        "pipeline_deleted": trigger.pipeline.deleted_at is not None,
        "version": trigger.version, "parameters": trigger.parameters, "mapping": trigger.mapping, "config": trigger.config,
        "secrets_set": sorted(trigger.secrets.keys() & set(known.secret_fields())) if known else [], "enabled": trigger.enabled,
        "priority": PRIORITIES[trigger.priority],
        "most_per_hour": trigger.most_per_hour, "most_at_once": trigger.most_at_once, "coalesce_s": trigger.coalesce_s,
        "owner": trigger.owner,
        "url": f"{settings.PUBLIC_URL}/api/v1/hooks/{trigger.hook}" if trigger.hook else None, "secret": secret, "next_at": trigger.next_at,
        "last_event": event_out(last) if last else None, "connection": _connection(trigger), "created_at": trigger.created_at,
        "updated_at": trigger.updated_at, "deleted_at": trigger.deleted_at,
    }  # fmt: skip


def _connection(trigger: Trigger) -> Json | None:
    """How the listener of a topic stands; None for kinds that need none, and for triggers that nobody listens for."""
    known = kinds().get(trigger.kind)
    if known is None or known.listens != "topic" or not trigger.enabled or trigger.deleted_at is not None:
        return None
    told = trigger.connection
    if not told or timezone.now() - timezone.datetime.fromisoformat(told["at"]) > STALE:
        return {"state": "connecting", "message": "Waiting for a listener.", "at": told.get("at")}
    return told


def _events() -> QuerySet[TriggerEvent]:
    return TriggerEvent.objects.select_related("run").only(
        "id", "trigger_id", "key", "received_at", "source", "depth", "status", "reason", "due_at", "replay_of_id",
        "run__id", "run__number", "run__status",
    )  # fmt: skip


def list_events(trigger: Trigger, status: str | None, cursor: str | None, limit: int) -> Json:
    """A page of the history, newest first, without the payloads."""
    found = _events().filter(trigger=trigger)
    if status:
        found = found.filter(status=status)
    page: Any = paginate(found, ("-received_at", "-id"), cursor, limit, count=True)
    return {**page, "items": [event_out(event) for event in page["items"]]}


def find_event(trigger: Trigger, event_id: UUID) -> TriggerEvent:
    found = TriggerEvent.objects.select_related("run").filter(trigger=trigger, pk=event_id).first()
    if found is None:
        raise NotFound(what="event of this trigger", name=event_id)
    found.trigger = trigger
    return found


def event_out(event: TriggerEvent) -> Json:
    reason = event.reason
    if event.status == "received" and not reason:
        early = event.due_at > timezone.now()
        reason = f"Waits until {event.due_at:%H:%M:%S} UTC for others to join." if early else "Waits for its turn."
    return {
        "id": event.pk,
        "key": event.key,
        "received_at": event.received_at,
        "source": event.source,
        "status": event.status,
        "reason": reason,
        "depth": event.depth,
        "run": event.run_id,
        "run_number": event.run.number if event.run else None,
        "run_status": event.run.status if event.run else None,
        "replay_of": event.replay_of_id,
    }


def event_detail(event: TriggerEvent) -> Json:
    return {**event_out(event), "payload": event.payload}


def starters(runs: Sequence[Run]) -> dict[UUID, Json]:
    """By run, the trigger that started it: `{slug, name, kind, event}`."""
    found = TriggerEvent.objects.filter(run__in=[run.pk for run in runs], status="started").select_related("trigger")
    rows = found.values_list("run_id", "pk", "trigger__slug", "trigger__name", "trigger__kind", "source")
    return {
        run: {"event": event, "slug": slug, "name": name, "kind": kind, "source": source} for run, event, slug, name, kind, source in rows
    }


def kinds_out() -> list[Json]:
    return [
        {
            "name": kind.name,
            "title": kind.title,
            "about": kind.about,
            "listens": kind.listens,
            "schema": kind.schema(),
            "example": kind.example,
        }
        for kind in kinds().values()
    ]


def cron_times(schedule: str, time_zone: str) -> Json:
    """The next times of a schedule, for its form; raises InvalidInput with `schedule` or `time_zone`."""
    try:
        config = find_kind("cron").read({"schedule": schedule, "time_zone": time_zone})
    except InvalidInput as exc:
        field = (exc.field or "").removeprefix("config.")
        raise InvalidInput(
            message=str(exc).removeprefix("config."), field=field, problems=[{**p, "field": field} for p in exc.problems]
        ) from None
    assert isinstance(config, cron.Config)
    found: list[Any] = []
    for moment in cron.times(config, timezone.now()):
        found.append(moment)
        if len(found) == SHOWN_TIMES:
            break
    return {"times": found}
