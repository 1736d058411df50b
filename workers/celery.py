"""The Celery app of the steps: queues `io`, `cpu` and `gpu`, and one task.

A message is a wake-up and carries a step run's id, nothing else; what is to be done is asked of the ledger. A message that is lost,
late or doubled does no harm. The libraries that most steps need are imported once in the parent, before it forks: its
children share that memory and start their first step at once. Never torch, never anything that touches CUDA.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import time
from typing import Any

from celery import Celery
from celery.signals import worker_init, worker_process_init, worker_process_shutdown
from kombu import Queue

log = logging.getLogger(__name__)

QUEUES = ("io", "cpu", "gpu")
PRELOAD = ("numpy", "pandas", "pyarrow.parquet", "sklearn.ensemble", "sklearn.linear_model", "sklearn.model_selection", "sklearn.metrics")

app = Celery("headrace-steps", broker=os.environ.get("BROKER_URL", "redis://localhost:6379/0"))
app.conf.update(
    task_queues=[Queue(name) for name in QUEUES],
    task_default_queue="cpu",
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_store_errors_even_if_ignored=False,
    worker_prefetch_multiplier=1,
    worker_redirect_stdouts=False,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    task_send_sent_event=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={
        "visibility_timeout": 86400,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_connect_timeout": 2,
    },
)

_worker: Any = None


@app.task(name="headrace.wake", shared=False)
def wake(step_run: str) -> None:
    """This step run may be ready. The ledger knows."""
    global _worker
    if _worker is None:
        _prepare()
    _worker.run(step_run)


def announce(queue: str, ids: list[str]) -> bool:
    """Wake workers for these steps. False when the broker is away (the reaper announces again)."""
    from kombu.exceptions import OperationalError

    try:
        with app.producer_or_acquire() as producer:
            for one in ids:
                wake.apply_async((one,), queue=queue, producer=producer, retry=False)
    except (OperationalError, OSError) as exc:
        log.warning("The broker is away (%s): the reaper will announce these steps.", exc)
        return False
    except Exception as exc:  # the transport's own errors are not all wrapped by kombu
        log.warning("Steps were not announced (%s: %s): the reaper will.", type(exc).__name__, exc)
        return False
    return True


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


def _prepare() -> None:
    global _worker
    from workers.engine.live import Live
    from workers.engine.run_step import Worker

    live = Live(wake=announce)
    _worker = Worker(live=live)
    live.start()


@worker_init.connect
def _parent(**_: Any) -> None:
    """Before the children are forked."""
    from workers import catalog

    catalog.load()
    importlib.import_module("workers.engine.run_step")
    if os.environ.get("HEADRACE_PRELOAD", "1") != "0":
        start = time.monotonic()
        for name in PRELOAD:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
        log.info("libraries imported in %.1f s", time.monotonic() - start)


@worker_process_init.connect
def _child(**_: Any) -> None:
    _prepare()


@worker_process_shutdown.connect
def _shutdown(**_: Any) -> None:
    if _worker is not None and _worker.live is not None:
        _worker.live.stop()
