"""The ledger's SQL functions from this side, and what follows a commit: events to the pages, wake-ups to the workers."""

from __future__ import annotations

import functools
import json
import logging
import time
from typing import Any
from uuid import UUID

import redis
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from backend.core import events
from backend.core.queries.rows import prepared
from workers.sdk import wake

log = logging.getLogger(__name__)
Json = dict[str, Any]
WAKES = 32
"""As `workers.engine.ledger.WAKES`: the most wake-ups per queue; the reaper sends more where these were too few."""


def start(run: Json, steps: list[Json], inputs: list[Json], edges: list[Json], entry: Json) -> Json:
    """`ledger_start`; tells the workers and the pages once that is committed. It writes all of a start, so it needs no transaction.

    Where there is none, a worker is woken before for a first step that runs in any case: the wake-up takes as long as the writing."""
    woken = None if transaction.get_connection().in_atomic_block else _wake_soon(run, steps, inputs)
    return _call(
        "SELECT ledger_start(%s::jsonb, %s::jsonb, %s::jsonb, %s::int, %s::jsonb, %s::jsonb)",
        [_json(run), _json(steps), _json(inputs), WAKES, _json(edges), _json(entry)], woken,
    )  # fmt: skip


def _wake_soon(run: Json, steps: list[Json], inputs: list[Json]) -> tuple[str, float] | None:
    """(The step, until when the worker that was woken looks for it). What may be taken from the cache is not worth a worker's way."""
    waiting = {wire["step_run"] for wire in inputs}
    for step in steps:
        known = step.get("skip") or step.get("source") or (run["use_cache"] and step["cacheable"] and not step.get("fresh"))
        if not (known or step["needs"] or step["queue"] == "gpu" or step["id"] in waiting):
            until = time.monotonic() + wake.SOON_S
            try:
                wake.wake(settings.BROKER_URL, [(step["queue"], step["id"])], soon=True)
            except (redis.RedisError, OSError):
                return None  # said again, and logged, once it is written
            return step["id"], until
    return None


def cancel(run: UUID) -> Json:
    """`ledger_cancel`, likewise. `ok` is False when there was nothing to cancel."""
    return _call("SELECT ledger_cancel(%s::uuid)", [str(run)])


def decide(step_run: UUID, decision: Json) -> Json:
    """`ledger_decide`: a person has answered. `ok` is False when the step no longer waits."""
    return _call("SELECT ledger_decide(%s::uuid, %s::jsonb, false)", [str(step_run), _json(decision)])


def prioritise(run: UUID, priority: int) -> Json:
    """`ledger_prioritise`. `ok` is False when the run is over."""
    return _call("SELECT ledger_prioritise(%s::uuid, %s::int)", [str(run), priority])


def limit(project: UUID, steps: int | None, runs: int | None) -> Json:
    """`ledger_limit`; what there is room for now is announced."""
    return _call("SELECT ledger_limit(%s::uuid, %s::int, %s::int)", [str(project), steps, runs])


def _call(sql: str, parameters: list[Any], woken: tuple[str, float] | None = None) -> Json:
    with prepared() as cursor:
        cursor.execute(sql, parameters)
        answer = cursor.fetchone()[0]
    found: Json = json.loads(answer) if isinstance(answer, str) else answer
    if woken is not None and time.monotonic() < woken[1]:
        found["ready"] = [step for step in found["ready"] if step["id"] != woken[0]]
    transaction.on_commit(functools.partial(tell, found), robust=True)
    return found


def tell(answer: Json) -> None:
    """Never raises: what it tells is committed, kept, and found by the reaper if it is not heard."""
    try:
        wake.wake(settings.BROKER_URL, [(step["queue"], step["id"]) for step in answer.get("ready") or ()])
    except (redis.RedisError, OSError) as exc:
        log.warning("The broker is away (%s): the reaper will announce what is ready.", exc)
    for event in answer.get("events") or ():
        if not events.send(f"run.{answer['run']}", event) or not events.send(f"project.{answer['project_id']}", event):
            break


def _json(value: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=True, allow_nan=False)
