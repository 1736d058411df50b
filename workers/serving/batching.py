"""Adaptive micro-batching: requests that are already there share one call of the model; nobody waits for company.

While the model is idle a request runs at once. What arrives while a batch is running is taken together by the next.
A model that answers quickly (under `INLINE_S`) runs on the event loop itself: a hop to a thread and back would cost as
much as the answer; a slower one runs in a thread, so that the loop stays free.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from workers.serving.model import Columns, LoadedModel

INLINE_S = 0.002
MAX_QUEUED_ROWS = 4096


class Overloaded(Exception):
    """More rows are waiting than may wait."""


class Batcher:
    """One per loaded model; lives on one event loop."""

    def __init__(self, model: LoadedModel, executor: ThreadPoolExecutor):
        self.model, self._executor = model, executor
        self._waiting: deque[tuple[Columns, int, asyncio.Future[Any]]] = deque()
        self._queued = 0
        self._busy = False
        self._row_s = 1.0
        """Smoothed seconds of one call; starts high, so that the first call goes to a thread."""

    def submit(self, columns: Columns, rows: int) -> asyncio.Future[Any]:
        """A future of the raw answers for these rows; raises Overloaded."""
        if self._queued + rows > MAX_QUEUED_ROWS and self._queued:
            raise Overloaded
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._waiting.append((columns, rows, future))
        self._queued += rows
        if not self._busy:
            self._busy = True
            # At the end of this turn of the loop: whoever is in the same turn joins.
            loop.call_soon(self._start)
        return future

    def _take(self) -> list[tuple[Columns, int, asyncio.Future[Any]]]:
        batch: list[tuple[Columns, int, asyncio.Future[Any]]] = []
        rows = 0
        while self._waiting and (not batch or rows + self._waiting[0][1] <= self.model.max_batch):
            entry = self._waiting.popleft()
            self._queued -= entry[1]
            if not entry[2].done():  # the client may have gone
                batch.append(entry)
                rows += entry[1]
        return batch

    def _start(self) -> None:
        batch = self._take()
        if not batch:
            self._busy = False
            return
        columns = batch[0][0]
        if len(batch) > 1:
            columns = [[value for entry in batch for value in entry[0][i]] for i in range(len(columns))]
        if self._row_s < INLINE_S and self.model.tokens is None:  # the next text may be a hundred times as long
            self._finish(batch, *self._call(columns))
        else:
            loop = asyncio.get_running_loop()
            task = loop.run_in_executor(self._executor, self._call, columns)
            task.add_done_callback(lambda done: self._finish(batch, *done.result()))

    def _call(self, columns: Columns) -> tuple[Any, BaseException | None]:
        began = time.perf_counter()
        try:
            return self.model.infer(columns), None
        except Exception as error:  # told to every request of the batch
            return None, error
        finally:
            self._row_s = 0.8 * self._row_s + 0.2 * (time.perf_counter() - began) if self._row_s < 1 else time.perf_counter() - began

    def _finish(self, batch: list[tuple[Columns, int, asyncio.Future[Any]]], raw: Any, error: BaseException | None) -> None:
        start = 0
        for _, rows, future in batch:
            if not future.done():
                if error is not None:
                    future.set_exception(error)
                else:
                    future.set_result(raw[start : start + rows])
            start += rows
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._start)
        else:
            self._busy = False
