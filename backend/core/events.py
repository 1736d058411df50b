"""Live events of a project: numbered rows that a client can ask for again, and a message on the channel layer after commit.

The row is the truth, the message only saves a poll: with Valkey away the write goes on, and the client asks
for what it missed when it is back. Publish last in an action, and publish what changed, not the changed thing itself.

A number is given when the event is written, not when its transaction commits: while a client holds number 7, number 6 may still
be on its way. So each row also knows its transaction and the oldest one open then, and who asks from 7 on is told of 6 too.
What was written in that stretch is told again: clients know an event by its number.
"""

from __future__ import annotations

import functools
import json
import logging
import re
from typing import Any
from uuid import UUID

import redis
from channels.layers import get_channel_layer
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.db.models import Q

from backend.core.models import Event, Project

log = logging.getLogger(__name__)
TOPIC = re.compile(r"project|[a-z_]{1,20}:[A-Za-z0-9_-]{1,60}")
MAXIMUM = 1000
"""Events in one answer of `since`; a client that missed more reloads what it shows."""


def publish(project: Project, topic: str, payload: dict[str, Any]) -> int:
    """Keep the event in the caller's transaction and send it once that commits. Returns its number.

    `topic` is `project` or `<word>:<id>`; `payload` is one of the live event shapes without `seq`, which is the number.
    """
    if not TOPIC.fullmatch(topic):
        raise ValueError(f"“{topic}” is no topic: `project` or `<word>:<id>`")
    plain = json.loads(json.dumps(payload, cls=DjangoJSONEncoder))
    with transaction.atomic(savepoint=False):
        writer, horizon = _transaction()
        row = Event.objects.create(project=project, topic=topic, payload=plain, writer=writer, horizon=horizon)
    transaction.on_commit(functools.partial(send, group(project.pk, topic), {**plain, "seq": row.pk}), robust=True)
    return row.pk


def since(project: Project, topic: str, after: int, limit: int = MAXIMUM) -> list[dict[str, Any]]:
    """Events of a topic that someone who saw number `after` may not have seen, oldest first, at most `limit`: those numbered above
    it, and those below that may have been committed after it."""
    wanted = Q(pk__gt=after)
    seen = Event.objects.filter(pk=after, horizon__isnull=False).first()
    if seen is not None:  # what its own transaction wrote before it was sent before it
        wanted |= Q(pk__lt=after, writer__gte=seen.horizon) & ~Q(writer=seen.writer)
    rows = Event.objects.filter(wanted, project=project, topic=topic).order_by("pk")[:limit]
    return [{**row.payload, "seq": row.pk} for row in rows]


def missed(project: Project, topic: str, after: int) -> dict[str, Any]:
    """The answer to a client that was away: its events, the newest number, and whether that is all it missed."""
    newest = Event.objects.filter(project=project, topic=topic).order_by("-pk").values_list("pk", flat=True).first() or 0
    found = since(project, topic, after)
    last = max(newest, found[-1]["seq"] if found else 0)
    return {"events": found, "last": last, "complete": not found or found[-1]["seq"] >= newest}


def _transaction() -> tuple[int, int]:
    """Number of this transaction, given now if it had none, and of the oldest one still open. Asked before the event's own number
    is given: then a lower number that is not yet visible belongs to a transaction that was not older."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint, pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        writer, horizon = cursor.fetchone()
    return writer, horizon


def group(project_id: UUID, topic: str) -> str:
    """The channel layer's group of a topic: `project.<project id>`, `run.<run id>`, …"""
    return f"project.{project_id}" if topic == "project" else topic.replace(":", ".", 1)


def send(group_name: str, event: dict[str, Any]) -> bool:
    """Send to whoever listens now; False when Valkey is away. Never raises: the change is already committed.

    Uses a plain client and not `async_to_sync(layer.group_send)`: that would wait for the web process's event loop,
    and in a Celery worker open a new connection for every event.
    """
    layer = get_channel_layer()
    try:
        message = layer.serialize({"type": "live.event", "event": event})
        prefix = settings.CHANNEL_LAYERS["default"]["CONFIG"]["prefix"]
        valkey(settings.CHANNEL_LAYERS["default"]["CONFIG"]["hosts"][0]).publish(f"{prefix}__group__{group_name}", message)
    except (redis.RedisError, OSError) as exc:
        log.warning("event not sent live (kept in the database): %s", exc)
        return False
    return True


@functools.lru_cache(maxsize=1)
def valkey(url: str) -> redis.Redis:
    """Short timeouts: a request must not wait for a Valkey that hangs."""
    return redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1, max_connections=50)
