"""`workers.celery` on a bad day: its first child is dead before the worker looks at its children for the first time."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from celery.signals import worker_process_init, worker_ready

from workers.celery import app

_first = Path(os.environ["HEADRACE_TEST_FIRST"])


@worker_process_init.connect(weak=False)
def _die(**_: Any) -> None:
    try:
        _first.touch(exist_ok=False)
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


@worker_ready.connect(weak=False)
def _wait(**_: Any) -> None:
    """Called just before that first look."""
    end = time.monotonic() + 20
    while not _first.exists() and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(0.5)


__all__ = ["app"]
