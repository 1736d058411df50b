"""Processes by identity, not by number alone: a number is given again after a process ended, so each is kept with its start mark.

Ends only what carries the mark of one of our supervisors.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

MARK = "HEADRACE_SUPERVISOR"
"""Environment variable that every process below a supervisor inherits; its value is that supervisor's token."""

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def start_mark(pid: int) -> str | None:
    """What tells this process from an earlier or later one with the same number; None when there is none (or only its zombie)."""
    if sys.platform == "linux":
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else f"{_boot()}:{fields[19]}"
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
    except psutil.Error:
        return None


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
    except OSError:
        return ""


def alive(pid: int, mark: str) -> bool:
    return bool(mark) and start_mark(pid) == mark


def die_with_parent(number: int) -> None:
    """Called in a fresh child: have the kernel send it `number` when the supervisor ends, however it ends (Linux only)."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)


def adopt_orphans() -> None:
    """Processes whose parent died become children of this one instead of the system's, so that none can hide (Linux only)."""
    if _libc is not None:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def marked(token: str) -> list[int]:
    """Every process that inherited this supervisor's mark, except ourselves."""
    found = []
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == token:
                found.append(process.pid)
    return found


def end_group(pid: int, number: int = signal.SIGKILL) -> None:
    """Signal a child's whole process group (each child of the supervisor leads its own)."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def end(pid: int, number: int = signal.SIGKILL) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def wait_gone(known: Iterable[tuple[int, str]], seconds: float) -> bool:
    """Wait until none of these processes is alive any more."""
    until = time.monotonic() + seconds
    left = list(known)
    while True:
        left = [(pid, mark) for pid, mark in left if alive(pid, mark)]
        if not left or time.monotonic() > until:
            return not left
        time.sleep(0.03)
