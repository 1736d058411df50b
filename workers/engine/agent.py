"""The voice of a worker's main process: tells the ledger every two seconds that this host lives and what it has, hears what is wanted of
it, and does so: takes wake-ups, takes none, or ends.

What is not taken any more is the ledger's to refuse (`ledger_open`); here the host only stops listening, so that wake-ups go to others.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import psutil

from workers.engine import host
from workers.engine.ledger import Ledger
from workers.engine.live import Live
from workers.engine.trouble import Trouble

log = logging.getLogger(__name__)
Json = dict[str, Any]
BEAT_S = float(os.environ.get("HEADRACE_HOST_BEAT_S", "2"))
ENDS = ("stopped", "removed")


class Agent:
    """`processes` gives the numbers of the processes that run steps; `listen(True or False)` begins and ends taking wake-ups."""

    def __init__(self, name: str, queues: list[str], processes: Callable[[], list[int]], listen: Callable[[bool], None]):
        self.name, self.queues, self._processes, self._listen = name, queues, processes, listen
        self.wanted = "running"
        self._stop = threading.Event()
        self._ledger = Ledger(give_up=self._stop.is_set)
        self._live = Live()
        self._told: tuple[Any, ...] = ()
        self._thread = threading.Thread(target=self._loop, name="host", daemon=True)

    def start(self) -> None:
        self._live.start()
        self._thread.start()

    def stop(self) -> None:
        """The last word: this group of processes is gone."""
        self._stop.set()
        self._thread.join(BEAT_S + 1)
        try:
            self._ledger.host_beat(host.describe(), self.name, None)
            self._live.studio({"type": "hosts_changed", "seq": 0, "host": host.identity()})
        except Exception as exc:  # the database is away: the silence will tell
            log.info("The ledger did not hear that this host's %s ended: %s", self.name, exc)
        self._live.stop()

    def _loop(self) -> None:
        trouble = Trouble(log, "A beat of this host")
        while True:
            try:
                self._beat()
                trouble.over()
            except Exception as exc:
                if self._stop.is_set():
                    return
                trouble.met(exc)
            if self._stop.wait(BEAT_S):
                return

    def _beat(self) -> None:
        processes = [_process(pid) for pid in self._processes()]
        group = {"queues": self.queues, "processes": processes}
        wanted = self._ledger.host_beat(host.describe(), self.name, group)
        told = (wanted, tuple(p["worker"] for p in processes))
        if told != self._told:
            self._told = told
            self._live.studio({"type": "hosts_changed", "seq": 0, "host": host.identity()})
        if wanted == self.wanted:
            return
        log.info("This host is to be %s.", wanted)
        if (wanted == "running") != (self.wanted == "running"):
            self._listen(wanted == "running")
        self.wanted = wanted
        if wanted in ENDS:
            os.kill(os.getpid(), signal.SIGTERM)  # as anybody would end a worker: what runs is finished first


def _process(pid: int) -> Json:
    try:
        used = psutil.Process(pid).memory_info().rss
    except psutil.Error:
        used = 0
    return {"worker": host.worker_name(pid), "pid": pid, "memory": used}
