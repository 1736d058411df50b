"""`workers.celery` whose children begin just after it was killed: before they could ask the kernel to end with it."""

from __future__ import annotations

import contextlib
import os
import signal
import time

import psutil
from celery import platforms

from workers.celery import app

_ask = platforms.set_pdeathsig


def _too_late(name: str) -> None:
    worker = os.getppid()
    if worker != 1:
        with contextlib.suppress(psutil.Error, ProcessLookupError):  # the other child was quicker
            while len(psutil.Process(worker).children()) < 2:  # alone it would see that its pipe is closed
                time.sleep(0.01)
            os.kill(worker, signal.SIGKILL)
    while os.getppid() == worker != 1:
        time.sleep(0.01)
    _ask(name)


platforms.set_pdeathsig = _too_late

__all__ = ["app"]
