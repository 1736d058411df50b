"""The platform's Celery app: short Django-side work (ingestion, profiles, mail). Steps of runs are not here: `workers.celery`."""

from __future__ import annotations

import contextlib
import gc
import os
import threading
import time

from celery import Celery
from celery.signals import worker_init, worker_ready, worker_shutting_down

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.config.settings")
from django.conf import settings

from workers.sdk import transport

transport.install()
app = Celery("headrace-platform", broker=settings.BROKER_URL)
app.conf.update(
    task_default_queue="platform",
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    worker_pool="workers.engine.pool:TaskPool",
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={
        "visibility_timeout": 86400,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        **transport.AT_ONCE,
    },
)
app.set_default()  # requests run in threads, which know no “current” app
app.autodiscover_tasks(
    [
        "backend.core", "backend.datasets", "backend.labeling", "backend.labelstudio", "backend.runs", "backend.deployments",
        "backend.similarity", "backend.learning",
    ]
)  # fmt: skip


@worker_init.connect
def _share_memory(sender: object = None, **_: object) -> None:
    """Before the children are forked: one that collects would write to every object's head, and so copy all the pages that it shares."""
    app.loader.import_default_modules()
    gc.collect()
    gc.freeze()


@worker_ready.connect
def _tidy_hourly(sender: object = None, **_: object) -> None:
    """Instead of a scheduler process of its own for two small jobs an hour."""

    def run() -> None:
        while True:
            with contextlib.suppress(Exception):  # broker away: in an hour again
                app.send_task("core.tidy")
                app.send_task("runs.tidy_triggers")
                app.send_task("datasets.clean")
            time.sleep(3600)

    threading.Thread(target=run, name="tidy", daemon=True).start()


@worker_ready.connect
def _start_clock(sender: object = None, **_: object) -> None:
    """Of triggers: in the worker's first process, which does nothing else but watch the others."""
    from backend.runs.triggers.clock import Clock

    clock = Clock()
    clock.start()
    worker_shutting_down.connect(lambda **_: clock.stop(), weak=False)
