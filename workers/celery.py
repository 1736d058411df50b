"""What a worker process of the steps runs (`celery -A workers.celery worker`): one task, and what is made ready before and after forking.

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

from celery.signals import worker_init, worker_process_init, worker_process_shutdown, worker_ready

from workers.engine.broker import WAKE, announce, app

log = logging.getLogger(__name__)

PRELOAD = ("numpy", "pandas", "pyarrow.parquet", "sklearn.ensemble", "sklearn.linear_model", "sklearn.model_selection", "sklearn.metrics")

_worker: Any = None
_present: Any = None


@app.task(name=WAKE, shared=False)
def wake(step_run: str) -> None:
    """This step run may be ready. The ledger knows."""
    global _worker
    if _worker is None:
        _prepare()
    _worker.run(step_run)


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


@worker_ready.connect
def _up(sender: Any, **_: Any) -> None:
    """The parent takes messages now; after a broken connection again."""
    from workers.engine.presence import Presence

    global _present
    if _present is None:
        _present = Presence(str(sender.hostname), list(sender.app.amqp.queues.consume_from))
        _present.begin(sender.timer)


@worker_process_init.connect
def _child(**_: Any) -> None:
    _prepare()


@worker_process_shutdown.connect
def _shutdown(**_: Any) -> None:
    if _worker is not None and _worker.live is not None:
        _worker.live.stop()
