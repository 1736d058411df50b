"""One child: how it is started, what it says, when it is started again, how it is ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.supervisor import processes
from infra.supervisor.log import Log

FIRST_PAUSE, LONGEST_PAUSE, HEALTHY_AFTER = 0.1, 10.0, 20.0
"""Seconds before the first restart, at most, and after which a child counts as well again. The first is short: one crash should
cost a user nothing."""


@dataclass(frozen=True, kw_only=True)
class ChildSpec:
    name: str
    command: list[str]
    environment: Mapping[str, str]
    cwd: str
    stop: int = signal.SIGTERM
    orphaned: int = signal.SIGTERM
    """What the kernel sends it when the supervisor is killed."""
    user: Mapping[str, Any] = field(default_factory=dict)
    keep_open: tuple[int, ...] = ()
    """File descriptors it inherits (a listening socket stays open while its process is replaced)."""
    silent: bool = False
    """What it says is for us alone and not for the log: a secret."""


class Child:
    def __init__(self, spec: ChildSpec, log: Log, changed: Callable[[], None]) -> None:
        self.spec, self._log, self._changed = spec, log, changed
        self.process: subprocess.Popen[bytes] | None = None
        self.mark = ""
        self.restarts = 0
        self.last_exit = ""
        self.said: deque[str] = deque(maxlen=40)
        self.wanted = False
        self._pause = FIRST_PAUSE
        self._started = 0.0
        self._later: asyncio.TimerHandle | None = None

    @property
    def pid(self) -> int:
        return self.process.pid if self.process and self.process.returncode is None else 0

    def start(self) -> None:
        self.wanted, self._later = True, None
        reading, writing = os.pipe()
        orphaned = self.spec.orphaned

        def prepare() -> None:
            processes.die_with_parent(orphaned)

        try:
            self.process = subprocess.Popen(
                self.spec.command,
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                env=dict(self.spec.environment),
                cwd=self.spec.cwd,
                start_new_session=True,
                pass_fds=self.spec.keep_open,
                preexec_fn=prepare,
                **self.spec.user,
            )
        except OSError as exc:
            os.close(reading)
            self._line(f"cannot be started: {exc}")
            self.last_exit = str(exc)
            self._again()
            return
        finally:
            os.close(writing)
        self._started = time.monotonic()
        self.mark = processes.start_mark(self.process.pid) or ""
        self._listen(reading)
        self._changed()

    def _listen(self, reading: int) -> None:
        """Pass on whole lines as they come, until the last process that holds the other end is gone."""
        loop = asyncio.get_running_loop()
        os.set_blocking(reading, False)
        rest = b""

        def ready() -> None:
            nonlocal rest
            try:
                data = os.read(reading, 65536)
            except BlockingIOError:
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self._line(line.decode(errors="replace").rstrip("\r"))
            if not data or len(rest) > 65536:
                if rest:
                    self._line(rest.decode(errors="replace"))
                rest = b""
            if not data:
                loop.remove_reader(reading)
                os.close(reading)

        loop.add_reader(reading, ready)

    def _line(self, text: str) -> None:
        self.said.append(text)
        if not self.spec.silent:
            self._log.write(self.spec.name, text)

    def poll(self) -> None:
        """Called after SIGCHLD: notice the end, end what is left of its group, plan the restart."""
        if self.process is None or self.process.returncode is not None or self.process.poll() is None:
            return
        processes.end_group(self.process.pid)
        self.last_exit = _exit(self.process.returncode or 0)
        if self.wanted:
            self._log.write("headrace", f"{self.spec.name} ended ({self.last_exit})")
            self._again()
        self._changed()

    def _again(self) -> None:
        self._pause = FIRST_PAUSE if time.monotonic() - self._started > HEALTHY_AFTER else self._pause
        self.restarts += 1
        self._later = asyncio.get_running_loop().call_later(self._pause, self.start)
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
        self._changed()

    def give_up(self) -> None:
        """Do not start it again, whatever happens."""
        self.wanted = False
        if self._later is not None:
            self._later.cancel()
            self._later = None

    async def stop(self, seconds: float) -> None:
        """Ask, wait, insist."""
        self.give_up()
        if not self.pid:
            return
        pid = self.pid
        processes.end(pid, self.spec.stop)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.ended()
        processes.end_group(pid)
        await self.ended()

    async def ended(self) -> None:
        while self.pid:
            await asyncio.sleep(0.02)
            self.poll()

    def state(self) -> dict[str, Any]:
        status = "running" if self.pid else "restarting" if self._later else "stopped"
        return {
            "pid": self.pid,
            "mark": self.mark if self.pid else "",
            "status": status,
            "restarts": self.restarts,
            "last_exit": self.last_exit,
        }


def _exit(code: int) -> str:
    return f"exit status {code}" if code >= 0 else f"signal {-code}"
