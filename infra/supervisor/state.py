"""The supervisor's state file: what `status`, `down`, `demo` and the next `up` know about a studio. Written whole, renamed into place."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

from infra.supervisor import processes
from infra.supervisor.errors import CannotStart
from infra.supervisor.layout import Layout

GRACEFUL = {"postgres": signal.SIGINT, "valkey": signal.SIGTERM}
"""Orphans that deserve a word before the end: they would replay a log at the next start. The others lose nothing."""


def read(layout: Layout) -> dict[str, Any]:
    """The last state written, or {} when there is none or it cannot be read."""
    try:
        found = json.loads(layout.state.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write(layout: Layout, state: dict[str, Any]) -> None:
    fresh = layout.state.with_suffix(".json.new")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "w") as file:
        json.dump(state, file, indent=1)
    fresh.rename(layout.state)


def running(layout: Layout) -> dict[str, Any]:
    """The state of the studio that runs on this data directory now, or {}."""
    found = read(layout)
    return found if found and processes.alive(int(found.get("pid", 0)), str(found.get("mark", ""))) else {}


def lock(layout: Layout) -> int:
    """Hold the data directory for this process; the kernel lets go when it ends, however it ends."""
    fd = os.open(layout.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        os.close(fd)
        now = running(layout)
        where = f" (process {now['pid']}, {now.get('url') or 'still starting'})" if now else ""
        raise CannotStart(
            f"A studio already runs on {layout.data}{where}; use it, stop it with “manage.py down”, or choose another --data-dir."
        ) from exc
    return fd


def end_orphans(layout: Layout) -> list[str]:
    """End what a killed supervisor left behind. Call only while holding the lock. Returns the names of what was found."""
    found = read(layout)
    if not found:
        return []
    left = {name: (int(child["pid"]), str(child["mark"])) for name, child in found.get("children", {}).items() if child.get("pid")}
    left = {name: known for name, known in left.items() if processes.alive(*known)}
    for name, (pid, _) in left.items():
        if name in GRACEFUL:
            processes.end(pid, GRACEFUL[name])
        else:
            processes.end_group(pid)
    strays = [
        (pid, processes.start_mark(pid) or "")
        for pid in processes.marked(str(found.get("token", "")))
        if pid not in {p for p, _ in left.values()}
    ]
    for pid, _ in strays:
        processes.end(pid)
    if not processes.wait_gone(left.values(), 5):
        for pid, mark in left.values():
            if processes.alive(pid, mark):
                processes.end_group(pid)
        processes.wait_gone(left.values(), 5)
    processes.wait_gone(strays, 3)
    return [*left, *(["steps"] if strays and "steps" not in left else [])]


def clear_stale_pid_file(database: Path) -> None:
    """PostgreSQL refuses to start while the number in `postmaster.pid` belongs to any process, also a stranger's after a reboot."""
    path = database / "postmaster.pid"
    try:
        pid = int(path.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return
    if os.fsencode(str(database)) not in command:
        path.unlink(missing_ok=True)
    else:  # a server of ours whose supervisor is gone and whose state was lost
        mark = processes.start_mark(pid) or ""
        processes.end(pid, signal.SIGINT)
        if not processes.wait_gone([(pid, mark)], 5):
            processes.end(pid, signal.SIGQUIT)
            processes.wait_gone([(pid, mark)], 2)


def wait_for(layout: Layout, status: str, seconds: float) -> dict[str, Any]:
    """Wait until the studio on this data directory has the status (used by whoever started it)."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        now = running(layout)
        if now.get("status") == status:
            return now
        time.sleep(0.05)
    return {}
