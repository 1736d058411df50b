"""Wake-ups for workers, written as Celery writes them (message protocol 2 in kombu's JSON for Redis) and put into its queues at once.

`Celery.send_task` can do all that tasks may want, which takes five times as long as the way to the broker and back: 0.4 ms of an idle
processor, 1.4 ms between a run that was just started and the worker that waits for it. A wake-up wants nothing of that. A test holds what
is written here beside what Celery writes.
"""

from __future__ import annotations

import base64
import functools
import json
import os
import re
import socket
import uuid
from collections.abc import Iterable
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

TASK = "headrace.wake"
SOON_S = 0.05
"""How long a worker looks for a step that it was woken for while the step was being written."""
_REST = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
_FIXED: dict[str, Any] = {
    "lang": "py", "task": TASK, "shadow": None, "eta": None, "expires": None, "group": None, "group_index": None, "retries": 0,
    "timelimit": [None, None], "parent_id": None, "kwargsrepr": "{}", "ignore_result": True, "replaced_task_nesting": 0,
    "stamped_headers": None, "stamps": {},
}  # fmt: skip


@functools.lru_cache(maxsize=4)
def client(url: str) -> redis.Redis:
    """The broker, for what nobody waits for: it gives up at once, whoever tells or wakes says it again later. A connection that went
    stale (a broker that was restarted) is made anew. `url` as Celery takes it."""
    here = url.replace("redis+socket://", "unix://").replace("virtual_host=", "db=")
    here = re.sub(r"(?<=ssl_cert_reqs=)CERT_\w+", lambda said: said[0].removeprefix("CERT_").lower(), here)
    return redis.Redis.from_url(here, socket_timeout=1, socket_connect_timeout=1, max_connections=50, retry=Retry(NoBackoff(), 1))


def wake(url: str, ready: Iterable[tuple[str, str]], *, soon: bool = False) -> None:
    """Wake a worker for each (queue, step run). Raises redis.RedisError or OSError where the broker is away.

    `soon`: the step is written while the wake-up is on its way; the worker looks for it for `SOON_S` seconds."""
    queues: dict[str, list[str]] = {}
    for queue, step_run in ready:
        queues.setdefault(queue, []).append(message(queue, step_run, soon=soon))
    for queue, messages in queues.items():
        client(url).lpush(queue, *messages)


def message(queue: str, step_run: str, *, soon: bool = False) -> str:
    """One wake-up."""
    task = str(uuid.uuid4())
    asked = [step_run, True] if soon else [step_run]
    body = base64.b64encode(json.dumps([asked, {}, _REST]).encode()).decode()
    headers = {**_FIXED, "id": task, "root_id": task, "argsrepr": repr(asked), "origin": f"gen{os.getpid()}@{socket.gethostname()}"}
    properties = {
        "correlation_id": task, "reply_to": task, "delivery_mode": 2, "delivery_info": {"exchange": "", "routing_key": queue},
        "priority": 0, "body_encoding": "base64", "delivery_tag": str(uuid.uuid4()),
    }  # fmt: skip
    return json.dumps(
        {"body": body, "content-encoding": "utf-8", "content-type": "application/json", "headers": headers, "properties": properties}
    )
