"""What a worker process of the steps runs (`celery -A workers.celery worker`): one task, and what is made ready before and after forking.

A message is a wake-up and carries a step run's id, nothing else; what is to be done is asked of the ledger. A message that is lost,
late or doubled does no harm. The libraries that most steps need are imported once in the parent, before it forks: its
children share that memory and start their first step at once. Never torch, never anything that touches CUDA.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import logging
import os
import time
from typing import Any

from celery.signals import celeryd_after_setup, worker_init, worker_process_init, worker_process_shutdown, worker_ready, worker_shutdown

from workers.engine import host
from workers.engine.agent import Agent
from workers.engine.broker import QUEUES, WAKE, announce, app

log = logging.getLogger(__name__)

PRELOAD = ("numpy", "pandas", "pyarrow.parquet")
SHARED = ("sklearn.ensemble", "sklearn.linear_model", "sklearn.model_selection", "sklearn.metrics")
"""60 MB that few steps need: loaded for all where several children share them, else by a child's first step that does (a second or two)."""
SEVERAL = 4

_worker: Any = None
_agent: Agent | None = None


@app.task(name=WAKE, shared=False)
def wake(step_run: str, soon: bool = False) -> None:
    """This step run may be ready, or (`soon`) is just being written. The ledger knows."""
    global _worker
    if _worker is None:
        _prepare()
    _worker.run(step_run, soon=soon)


def _prepare() -> None:
    global _worker
    from workers.engine.live import Live
    from workers.engine.run_step import Worker

    live = Live(wake=announce)
    _worker = Worker(live=live)
    live.start()


@worker_init.connect
def _parent(sender: Any, **_: Any) -> None:
    """Before the children are forked."""
    from workers import catalog

    catalog.load()
    importlib.import_module("workers.engine.run_step")
    if os.environ.get("HEADRACE_PRELOAD", "1") != "0":
        start = time.monotonic()
        for name in (*PRELOAD, *(SHARED if (sender.concurrency or 0) >= SEVERAL else ())):
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
        log.info("libraries imported in %.1f s", time.monotonic() - start)
    gc.collect()
    gc.freeze()  # a child that collects would write to every object's head, and so copy all the pages that it shares


@celeryd_after_setup.connect
def _queues(instance: Any, **_: Any) -> None:
    """Beside each of its queues, the one on which only this host is told: of steps that not every host may run."""
    for name in list(instance.app.amqp.queues.consume_from):
        if name in QUEUES:
            instance.app.amqp.queues.select_add(f"{name}.{host.identity()}")


@worker_ready.connect
def _begin(sender: Any, **_: Any) -> None:
    """The main process takes messages now: from here on the host is heard of."""
    global _agent
    consumer, listened = sender, list(sender.app.amqp.queues.consume_from)

    def listen(wanted: bool) -> None:
        for name in listened:
            consumer.call_soon(consumer.add_task_queue if wanted else consumer.cancel_task_queue, name)

    def processes() -> list[int]:
        pool = getattr(consumer.pool, "_pool", None)
        return [p.pid for p in list(getattr(pool, "_pool", ()))] or [os.getpid()]

    _agent = Agent(os.environ.get("HEADRACE_GROUP", "steps"), [q for q in listened if q in QUEUES], processes, listen)
    _agent.start()


@worker_shutdown.connect
def _end(**_: Any) -> None:
    if _agent is not None:
        _agent.stop()


@worker_process_init.connect
def _child(**_: Any) -> None:
    _prepare()


@worker_process_shutdown.connect
def _shutdown(**_: Any) -> None:
    if _worker is not None and _worker.live is not None:
        _worker.live.stop()
