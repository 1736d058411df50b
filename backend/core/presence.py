"""Who is where now: kept in Valkey for a few seconds, said again by a heartbeat, and gone without one.

A *room* is any name; a *line* is one open page. Nothing here is the truth of anything: with Valkey away nobody is seen anywhere.
"""

from __future__ import annotations

import json
import logging
import time
from typing import Any

import redis
from django.conf import settings

from backend.core.events import valkey

log = logging.getLogger(__name__)
KEPT_S = 7.0
"""So long somebody is there after the last heartbeat. Pages send one each 2.5 s: a cut line is noticed within this, two lost beats are
forgiven."""


def enter(room: str, line: str, what: dict[str, Any]) -> bool:
    """Say that this line is (still) here; True if that is news."""
    try:
        client, key = _hash(room)
        before = client.hget(key, line)
        with client.pipeline() as together:
            together.hset(key, line, json.dumps({"what": what, "until": time.time() + KEPT_S}))
            together.expire(key, 60)
            together.execute()
    except (redis.RedisError, OSError) as exc:
        log.warning("who is here is not known now: %s", exc)
        return False
    known = json.loads(before) if isinstance(before, bytes) else None
    return known is None or known["what"] != what or known["until"] < time.time()


def leave(room: str, line: str) -> bool:
    """Say that this line has gone; True if that is news."""
    try:
        client, key = _hash(room)
        return bool(client.hdel(key, line))
    except (redis.RedisError, OSError):
        return False  # it will be gone in KEPT_S


def present(room: str) -> list[dict[str, Any]]:
    """What each line that is here said."""
    try:
        client, key = _hash(room)
        found = client.hgetall(key)
    except (redis.RedisError, OSError):
        return []
    assert isinstance(found, dict)
    told, now = {line: json.loads(value) for line, value in found.items()}, time.time()
    if gone := [line for line, one in told.items() if one["until"] < now]:
        client.hdel(key, *gone)
    return [one["what"] for one in told.values() if one["until"] >= now]


def _hash(room: str) -> tuple[redis.Redis, str]:
    config = settings.CHANNEL_LAYERS["default"]["CONFIG"]
    return valkey(config["hosts"][0]), f"{config['prefix']}:presence:{room}"
