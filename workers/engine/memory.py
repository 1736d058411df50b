"""A step's memory: how much there is for it, how much it took, and what is told when that was not enough.

Whatever ended the step (Python, a library, CUDA, the sandbox's limit, the kernel) the words are the same: what it had, what it asked
for, what to try. Counts are read from the kernel and from nobody else; where it tells nothing, nothing is claimed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import resource
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Json = dict[str, Any]
UNBOUND = 1 << 60
"""A control group of version 1 without a limit says a number near 2^63."""
NEAR = 0.9
"""A process that was killed with so much of all there is in its hands is taken for one that ran out of it."""
TRY = "Try fewer rows or columns, smaller batches, or run it where there is more memory."
TRY_GPU = "Try smaller batches or images, a smaller model, or a GPU with more memory."
_UNIT = r"[KMGTPE]i?B"
_ASKED = re.compile(rf"(?:unable to allocate|tried to allocate:?|[mr]e?alloc of size) ([\d.,]+) ?({_UNIT}|bytes?)?", re.IGNORECASE)
_CAPACITY = re.compile(rf"total capacity of ([\d.]+ {_UNIT})")
_LIBRARY = re.compile(
    r"can(?:'|no)t allocate memory|out of memory|std::bad_alloc|CUBLAS_STATUS_ALLOC_FAILED|failed to allocate memory", re.IGNORECASE
)


class Peak:
    """The most memory this process holds from `begin` on. Two system calls a step, so it is measured for every one."""

    def __init__(self) -> None:
        self._fd = -1
        with contextlib.suppress(OSError):
            self._fd = os.open("/proc/self/clear_refs", os.O_WRONLY | os.O_CLOEXEC)
        self._before = 0

    def begin(self) -> None:
        if self._fd >= 0:
            os.write(self._fd, b"5")  # proc(5): the peak starts anew
        self._before = _maxrss()

    def bytes(self) -> int | None:
        """None where the kernel cannot start a peak anew and this step did not raise it."""
        peak = _maxrss()
        return peak if self._fd >= 0 or peak > self._before else None


def _maxrss() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def whole_peak() -> int:
    """Of a process that runs one step, and of what it started and waited for."""
    return max(_maxrss(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)


def had() -> int:
    """Bytes that this process may use: the least of its own limits, its control group's, and the machine's memory."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
        soft, _ = resource.getrlimit(kind)
        if soft != resource.RLIM_INFINITY:
            found.append(soft)
    for folder in _groups():
        for name in ("memory.max", "memory.limit_in_bytes"):
            with contextlib.suppress(OSError, ValueError):
                found.append(int((folder / name).read_text()))
    return min(n for n in found if 0 < n < UNBOUND)


def kills() -> int:
    """How many processes the kernel has killed for want of memory, in this control group, or where that is not told on this machine."""
    for folder in _groups():
        for name in ("memory.events", "memory.oom_control"):
            with contextlib.suppress(OSError):
                if (count := _named(folder / name, "oom_kill")) is not None:
                    return count + (_named(Path("/proc/vmstat"), "oom_kill") or 0)
    with contextlib.suppress(OSError):
        return _named(Path("/proc/vmstat"), "oom_kill") or 0
    return 0


def _groups() -> Iterator[Path]:
    """The folders of this process's control groups that bind memory, nearest first; in a container its own is the root."""
    root = Path("/sys/fs/cgroup")
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers and "memory" not in controllers.split(","):
                continue
            base = root / "memory" if controllers else root
            here = base / path.lstrip("/")
            yield from (folder for folder in (here, *here.parents) if folder.is_relative_to(base) and folder.is_dir())


def _named(file: Path, name: str) -> int | None:
    for line in file.read_text().splitlines():
        word, _, count = line.partition(" ")
        if word == name and count.strip().isdigit():
            return int(count)
    return None


def killed(status: int, kills_before: int, peak: int | None) -> bool:
    """Whether a process that ended with this status was killed because memory was short."""
    return status == -signal.SIGKILL and (kills() > kills_before or (peak is not None and peak >= NEAR * had()))


def is_short(exc: BaseException) -> bool:
    """Whether an exception says that there was too little memory: Python's own, NumPy's, Arrow's, torch's, or a library's in words."""
    if isinstance(exc, MemoryError) or type(exc).__name__ == "OutOfMemoryError":
        return True
    if isinstance(exc, OSError):
        return exc.errno == errno.ENOMEM
    return isinstance(exc, RuntimeError) and _LIBRARY.search(str(exc)) is not None


def told(exc: BaseException | None = None, *, limit: int | None = None, peak: int | None = None) -> Json:
    """What is kept of the end (without a traceback). `limit` is what it had where somebody else knows better, `peak` what it took."""
    text = str(exc) if exc is not None else ""
    asked = _ASKED.search(text)
    more = f" (it asked for another {_amount(asked[1], asked[2])})" if asked else f" (it held {size(peak)} at last)" if peak else ""
    if exc is not None and ("CUDA" in text or "CUBLAS" in text):
        capacity = _CAPACITY.search(text)
        has = f": it had {capacity[1]}, needed more{more}" if capacity else more
        return {"code": "out_of_memory", "message": f"The step ran out of the GPU's memory{has}.", "hint": TRY_GPU}
    return {
        "code": "out_of_memory",
        "message": f"The step ran out of memory: it had {size(limit or had())}, needed more{more}.",
        "hint": TRY,
    }


def _amount(number: str, unit: str | None) -> str:
    digits = number.rstrip(".,").replace(",", "")
    return size(int(float(digits))) if not unit or unit.lower().startswith("byte") else f"{digits} {unit}"


def size(count: int) -> str:
    value = float(count)
    for unit in ("bytes", "KiB", "MiB", "GiB", "TiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if value >= 10 or unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:,.1f} PiB"
