"""Which workers are up: each says so every few seconds in Valkey, by queue. Only to tell people why a step waits; nothing is decided
by it."""

from __future__ import annotations

import logging
import os
import time
from typing import Any

import redis

from workers.engine.live import broker_client
from workers.sdk.messages import PRESENT_S, workers_key

log = logging.getLogger(__name__)
EVERY_S = PRESENT_S / 3


class Presence:
    """Of one worker (its parent process; the children are busy, this one never is)."""

    def __init__(self, name: str, queues: list[str]):
        self._name, self._queues = name, queues
        self._client: redis.Redis | None = None

    def tell(self) -> None:
        """Never raises: with Valkey away nobody hears it, and no step waits for it."""
        now = time.time()
        try:
            if self._client is None:
                self._client = broker_client(os.environ.get("BROKER_URL", "redis://localhost:6379/0"))
            pipe = self._client.pipeline(transaction=False)
            for queue in self._queues:
                pipe.zadd(workers_key(queue), {self._name: now})
                pipe.zremrangebyscore(workers_key(queue), 0, now - 10 * PRESENT_S)
            pipe.execute()
        except (redis.RedisError, OSError) as exc:
            self._client = None
            log.debug("The broker is away: %s", exc)

    def begin(self, timer: Any) -> None:
        """Now and from now on, on the worker's own timer."""
        self.tell()
        timer.call_repeatedly(EVERY_S, self.tell)
