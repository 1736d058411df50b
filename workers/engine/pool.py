"""The processes of a worker: Celery's own pool, which does not give the whole worker up for one child that died young."""

from __future__ import annotations

import contextlib
import os
from typing import Any

from celery.concurrency.prefork import TaskPool as Prefork
from celery.signals import worker_process_init

_parent = 0


@worker_process_init.connect
def _orphaned(**_: Any) -> None:
    """A child has just asked the kernel to end with its parent, which may be gone by then: nothing would end it, nor give it work."""
    if os.getppid() != _parent:
        os._exit(1)


class TaskPool(Prefork):  # type: ignore[misc]  # Celery has no types
    """A child may be killed (out of memory, by hand) at any moment, also between its fork and the first look at it. Celery then ends the
    worker with 'Could not start worker processes', and what runs on its other children is lost. The pool replaces a dead child anyway,
    every five seconds and whenever one ends, and gives up by itself where each replacement dies, too."""

    def did_start_ok(self) -> bool:
        return True

    def on_start(self) -> None:
        # Each child asks the kernel to end with its parent, for which billiard reads a line of C: with a parser that is ready before the
        # fork, no child holds 5 MB of its own for it.
        with contextlib.suppress(ImportError):
            import cffi

            cffi.FFI().cdef("int prctl(int option, ...);")
        global _parent
        _parent = os.getpid()
        super().on_start()
