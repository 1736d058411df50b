"""The broker as the engine sees it: the Celery app, waking workers, and how many messages wait.

The tasks and the worker's own signals are in `workers.celery`, above the engine; here only the task's name is known.
"""

from __future__ import annotations

import logging
import os

import redis
from celery import Celery
from kombu import Queue

from workers.sdk import transport, wake

log = logging.getLogger(__name__)

URL = os.environ.get("BROKER_URL", "redis://localhost:6379/0")
WAKE = wake.TASK
ASKED = "headrace.asked"
QUEUES = ("io", "cpu", "gpu")
"""Every worker may listen to these; each also listens to `cpu.<host>` and so on, where steps are announced that not every host may run."""

KEPT_S = float(os.environ.get("HEADRACE_UNACKED_S", "86400"))
"""After so long a message that a killed worker had taken is given out again. Nobody waits for it (the reaper has announced the step anew);
it must be longer than any step, or a busy worker's messages would come back, for nothing."""

transport.install()
# No fix-ups: where the environment names Django's settings, as a studio's does, Celery would set up all of the backend in the workers, 60
# MB that no step may use, and look after its connections around each wake-up.
app = Celery("headrace-steps", broker=URL, fixups=[])
app.conf.update(
    task_queues=[Queue(name) for name in QUEUES],
    task_default_queue="cpu",
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_store_errors_even_if_ignored=False,
    worker_prefetch_multiplier=1,
    worker_pool="workers.engine.pool:TaskPool",
    worker_redirect_stdouts=False,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    task_send_sent_event=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={
        "visibility_timeout": KEPT_S,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_connect_timeout": 2,
        **transport.AT_ONCE,
    },
)


def announce(queue: str, ids: list[str]) -> bool:
    """Wake workers for these steps. False when the broker is away (the reaper announces again)."""
    try:
        wake.wake(URL, [(queue, one) for one in ids])
    except (redis.RedisError, OSError) as exc:
        log.warning("The broker is away (%s): the reaper will announce these steps.", exc)
        return False
    return True


def asked(step_run: str) -> None:
    """Tell the studio that a step waits for a person, so that it sends the mail. The question itself is in the ledger."""
    try:
        app.send_task(ASKED, (step_run,), queue="platform", retry=False, ignore_result=True)
    except Exception as exc:  # the transport's own errors are not all wrapped by kombu
        log.warning("The broker is away (%s: %s): no mail asks for the answer, the inbox does.", type(exc).__name__, exc)


def backlog(queue: str) -> int | None:
    """How many messages wait in a queue; None when the broker is away."""
    from kombu.exceptions import OperationalError

    try:
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=0, timeout=2)
            return int(connection.default_channel._size(queue))
    except (OperationalError, OSError) as exc:
        log.warning("The broker is away (%s).", exc)
    except Exception as exc:  # the transport's own errors are not all wrapped by kombu
        log.warning("The broker is away (%s: %s).", type(exc).__name__, exc)
    return None
