"""The limits that no single process has: memory and processes of the whole sandbox, its folder, the disk it lies on. Looked at a few times
a second by the worker, from outside; and how a sandbox is ended."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from workers.engine import memory
from workers.engine.isolate import Ended
from workers.engine.sandbox.box import Box
from workers.engine.sandbox.limits import MIB

LINGER_S = 2.0
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


class Watch:
    def __init__(self, box: Box, pid: int):
        self._box, self._pid = box, pid
        self._answered = self._next = 0.0
        self._longest = 0.0

    @property
    def peak(self) -> int | None:
        """The most memory that all of the sandbox was seen to hold."""
        return self._box.peak

    def look(self) -> Ended | None:
        """What the sandbox uses more of than it may, as the step's end; None when all is well."""
        limits = self._box.limits
        processes = descendants(self._pid)
        held, threads = 0, 0
        for pid in processes:
            with contextlib.suppress(OSError, IndexError, ValueError):
                # after the name in brackets: utime is field 14 of proc(5), num_threads 20, rss 24
                stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
                held += int(stat[21]) * PAGE
                threads += int(stat[17])
                self._longest = max(self._longest, (int(stat[11]) + int(stat[12])) / TICKS)
        self._box.peak = max(self._box.peak or 0, held)
        if held > limits.memory * 1.1:
            error = memory.told(limit=limits.memory, peak=held)
            return Ended("failed", error["code"], error["message"], error["hint"], retry=False)
        if threads > limits.processes + 16:
            return Ended("failed", "too_many_processes", f"The step started more than {limits.processes} processes and threads.",
                         "Let the libraries use fewer.", retry=False)  # fmt: skip
        return self._disk()

    def _disk(self) -> Ended | None:
        now = time.monotonic()
        if now < self._next:
            return None
        limits = self._box.limits
        size, count = used(self._box.scratch, limits.scratch_files)
        self._next = time.monotonic() + 4 * (time.monotonic() - now)  # a folder with many files is not looked at all the time
        if count > limits.scratch_files:
            return Ended("failed", "too_many_files", f"The step made more than {limits.scratch_files:,} files.", retry=False)
        if size > limits.scratch:
            return Ended("failed", "disk_full", f"The step wrote more than {limits.scratch // MIB:,} MiB of files.",
                         "Write less, or remove what is not needed any more.", retry=False)  # fmt: skip
        with contextlib.suppress(OSError):
            if shutil.disk_usage(self._box.scratch).free < limits.disk_left:
                return Ended("lost", "disk_full", "There is too little room left on the worker's disk for the step to go on.", retry=True)
        return None

    def lingers(self) -> bool:
        """Asked from the moment the step has answered: whether it should have been gone by now."""
        self._answered = self._answered or time.monotonic()
        return time.monotonic() - self._answered > LINGER_S

    def processor_time_is_up(self) -> bool:
        return self._longest >= self._box.limits.cpu_s - 1

    def end(self, process: subprocess.Popen[bytes]) -> None:
        """In a process space of its own the death of the first process is everybody's. Otherwise that process is asked to sweep,
        and where it does not answer we sweep ourselves."""
        if self._box.mode == "bubblewrap" or self._box.machine.namespaces:
            process.kill()
            process.wait()
            return
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=3)
            return
        for pid in descendants(self._pid):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        process.kill()


def descendants(pid: int) -> list[int]:
    """All processes that come from `pid`, itself not among them."""
    found: list[int] = []
    todo = [pid]
    while todo:
        with contextlib.suppress(OSError):
            for task in os.scandir(f"/proc/{(one := todo.pop())}/task"):
                with contextlib.suppress(OSError):
                    children = [int(c) for c in Path(f"/proc/{one}/task/{task.name}/children").read_text(encoding="ascii").split()]
                    found += children
                    todo += children
    return found


def used(folder: Path, most: int) -> tuple[int, int]:
    """(bytes on disk, files and folders) below `folder`; stops counting beyond `most`. Follows no link."""
    size = count = 0
    todo = [str(folder)]
    while todo and count <= most:
        try:
            entries = list(os.scandir(todo.pop()))
        except OSError:
            continue
        for entry in entries:
            count += 1
            with contextlib.suppress(OSError):
                found = entry.stat(follow_symlinks=False)
                size += found.st_blocks * 512
                if entry.is_dir(follow_symlinks=False):
                    todo.append(entry.path)
    return size, count
