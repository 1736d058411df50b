"""Tells the studio what has just been committed: events to the channel layer, wake-ups to Celery, from a thread of its own.

Both are hints. With Valkey away they are dropped: the events are kept in the ledger, and the reaper wakes workers again.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import msgpack
import redis

from workers.sdk.messages import STUDIO_GROUP, project_group, run_group
from workers.sdk.wake import client

log = logging.getLogger(__name__)
Json = dict[str, Any]
PREFIX = "headrace"
"""As in the studio's CHANNEL_LAYERS. Its messages are packed by msgpack; what packs them there brings the 7 MB of cryptography along."""
GATHER_S = 0.03
"""How long to wait for more before events go out: one message to Valkey in place of many."""


class Live:
    """`wake(queue, ids)` announces ready steps; `events` goes to those who watch. `put` never blocks."""

    def __init__(self, broker_url: str | None = None, wake: Callable[[str, list[str]], object] | None = None):
        self._url = broker_url or os.environ.get("BROKER_URL", "redis://localhost:6379/0")
        self._wake = wake
        self._queue: queue.SimpleQueue[Json | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._away = 0.0

    def start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._loop, name="live", daemon=True)
            self._thread.start()

    def put(self, answer: Json) -> None:
        """What a ledger function answered: its events and the steps to announce."""
        self._queue.put(answer)

    def events(self, run: str, events: list[Json]) -> None:
        """Events only the run's page shows (log lines, metric points, progress)."""
        self._queue.put({"run": run, "only_run": events})

    def studio(self, event: Json) -> None:
        """An event that is no project's."""
        self._queue.put({"studio": event})

    def others_wait(self, queue: str) -> bool:
        """Whether a message lies in a queue: leave to work that nobody has taken. False when Valkey is away."""
        if time.monotonic() < self._away:
            return False
        try:
            return bool(client(self._url).llen(queue))
        except (redis.RedisError, OSError):
            self._away = time.monotonic() + 1
            return False

    def stop(self, timeout_s: float = 2) -> None:
        """Send what is left."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(timeout_s)
            self._thread = None

    def _loop(self) -> None:
        going = True
        while going:
            batch = [self._queue.get()]
            if not (batch[0] or {}).get("ready"):
                time.sleep(GATHER_S)
            while True:
                try:
                    batch.append(self._queue.get_nowait())
                except queue.Empty:
                    break
            going = None not in batch
            try:
                self.send([b for b in batch if b is not None])
            except Exception:
                log.exception("What was just committed could not be told.")

    def send(self, answers: list[Json]) -> None:
        """Now, in the calling thread."""
        wakes: dict[str, list[str]] = {}
        for answer in answers:
            for step in answer.get("ready") or ():
                wakes.setdefault(step["queue"], []).append(step["id"])
        if self._wake is not None:
            for name, ids in wakes.items():
                self._wake(name, ids)
        self._publish(messages(answers))

    def _publish(self, pairs: Iterable[tuple[str, Json]]) -> None:
        found = list(pairs)
        if not found or time.monotonic() < self._away:
            return
        try:
            broker = client(self._url)
            # Whoever begins to listen after this question reads from the ledger what was committed before it.
            heard = {channel for channel, listeners in broker.pubsub_numsub(*{_channel(group) for group, _ in found}) if listeners}
            pipe = broker.pipeline(transaction=False)
            for group, event in found:
                if _channel(group).encode() in heard:
                    pipe.publish(_channel(group), msgpack.packb({"type": "live.event", "event": event}))
            if len(pipe):
                pipe.execute()
        except (redis.RedisError, OSError) as exc:
            self._away = time.monotonic() + 1
            log.warning("Events were not sent live (they are kept): %s", exc)


def _channel(group: str) -> str:
    return f"{PREFIX}__group__{group}"


def messages(answers: list[Json]) -> list[tuple[str, Json]]:
    """(group, event) of what the ledger answered; of a run's progress only the newest is told."""
    found: list[tuple[str, Json]] = []
    progress: dict[str, tuple[str, Json]] = {}
    for answer in answers:
        run, project = answer.get("run"), answer.get("project_id")
        if "studio" in answer:
            found.append((STUDIO_GROUP, answer["studio"]))
            continue
        for event in answer.get("only_run") or ():
            found.append((run_group(str(run)), event))
        events = answer.get("events") or []
        for event in events:
            found.append((run_group(str(run)), event))
            if project:
                found.append((project_group(project), event))
        if events and project and answer.get("steps_total"):
            fraction = round(answer["steps_done"] / answer["steps_total"], 4)
            progress[str(run)] = (
                project,
                {
                    "type": "run_changed",
                    "seq": events[-1]["seq"],
                    "run": run,
                    "status": answer["status"],
                    "steps_done": answer["steps_done"],
                    "progress": fraction,
                },
            )
    for run, (project, event) in progress.items():
        found += [(run_group(run), event), (project_group(project), event)]
    return found
