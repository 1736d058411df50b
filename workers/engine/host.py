"""This machine as the ledger knows it: who it is, what it has, and how its worker processes are called.

Nothing here loads CUDA: devices are counted by the driver's own files and program. `HEADRACE_DEVICES` names devices by hand (tests, and
accelerators that are not NVIDIA's).
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import os
import platform
import re
import shutil
import socket
import subprocess
import uuid
from pathlib import Path
from typing import Any

import psutil

Json = dict[str, Any]


def place() -> str:
    """What tells this machine (and its process table) from others, short."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    space = Path("/proc/self/ns/pid")
    known = (boot.read_text() if boot.exists() else "") + (str(space.readlink()) if space.is_symlink() else "")
    return hashlib.sha256(f"{socket.gethostname()} {known}".encode()).hexdigest()[:12]


def born(pid: int) -> str:
    """When a process started (a process number alone may be used again); empty when there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if stat[0] == "Z" else stat[19]


def paused(pid: int) -> bool:
    """Whether somebody has stopped the process (it is there, and will not beat)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0] in "Tt"
    except OSError:
        return False


def worker_name(pid: int | None = None) -> str:
    """`hostname:pid:start:place:host`, unique to this process (or to the one with this number)."""
    number = os.getpid() if pid is None else pid
    return f"{socket.gethostname()[:100]}:{number}:{born(number)}:{place()}:{identity()}"


@functools.cache
def identity() -> str:
    """The id of this host: made once, kept with its data, so that it is the same host after a restart."""
    path = Path(os.environ.get("HEADRACE_DATA_DIR", ".headrace")).absolute() / "host_id"
    with contextlib.suppress(OSError, ValueError):
        return str(uuid.UUID(path.read_text().strip()))
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".host_id.{os.getpid()}")
    fresh.write_text(f"{uuid.uuid4()}\n")
    with contextlib.suppress(FileExistsError):
        os.link(fresh, path)  # of several processes that start at once, one gives the name
    fresh.unlink()
    return str(uuid.UUID(path.read_text().strip()))


def labels() -> dict[str, str]:
    """`HEADRACE_LABELS`: site=factory-3,rack=2."""
    pairs = (one.partition("=") for one in os.environ.get("HEADRACE_LABELS", "").split(",") if "=" in one)
    return {name.strip(): value.strip() for name, _, value in pairs}


def share() -> int:
    """How many steps may hold one device at a time."""
    with contextlib.suppress(ValueError):
        return max(1, int(os.environ.get("HEADRACE_GPU_SHARE", "1")))
    return 1


@functools.cache
def devices() -> tuple[Json, ...]:
    """`{id, name, memory}` of each device, in the order of the numbers that the ledger gives them. `id` is what CUDA calls it."""
    if (named := os.environ.get("HEADRACE_DEVICES")) is not None:
        return tuple({"id": one.strip(), "name": one.strip(), "memory": 0} for one in named.split(",") if one.strip())
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    found = {one["id"]: one for one in _nvidia()}
    if visible is None:
        return tuple(found.values())
    chosen = [one.strip() for one in visible.split(",") if one.strip() and one.strip() != "-1"]
    return tuple(found.get(one, {"id": one, "name": "NVIDIA GPU", "memory": 0}) for one in chosen)


def _nvidia() -> list[Json]:
    """From the driver's program, else (a container that lacks it) as many as there are device files."""
    if program := shutil.which("nvidia-smi"):
        with contextlib.suppress(OSError, subprocess.SubprocessError, ValueError):
            said = subprocess.run(
                [program, "--query-gpu=index,name,memory.total", "--format=csv,noheader,nounits"],
                check=True, capture_output=True, text=True, timeout=20,
            ).stdout  # fmt: skip
            rows = [[part.strip() for part in line.split(",")] for line in said.splitlines() if line.strip()]
            return [{"id": index, "name": name, "memory": int(memory) * 1024**2} for index, name, memory in rows]
    files = sorted(p.name for p in Path("/dev").glob("nvidia[0-9]*") if re.fullmatch(r"nvidia\d+", p.name))
    return [{"id": name.removeprefix("nvidia"), "name": "NVIDIA GPU", "memory": 0} for name in files]


def memory() -> tuple[int, int]:
    """(all, free) bytes, within the limit that a container sets."""
    seen = psutil.virtual_memory()
    total, free = int(seen.total), int(seen.available)
    with contextlib.suppress(OSError, ValueError):
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text())
        if limit < total:
            used = int(Path("/sys/fs/cgroup/memory.current").read_text())
            total, free = limit, max(0, min(free, limit - used))
    return total, free


@functools.cache
def versions() -> Json:
    found = {"python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}"}
    for name in ("headrace", "torch", "onnxruntime"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def describe() -> Json:
    """What the ledger is told with each beat."""
    total, free = memory()
    return {
        "id": identity(), "name": os.environ.get("HEADRACE_HOST_NAME") or socket.gethostname(),
        "studio": "HEADRACE_HOST_TOKEN" not in os.environ,
        "place": place(), "labels": labels(), "memory_bytes": total, "memory_free": free,
        "devices": [{"name": one["name"], "memory": one["memory"]} for one in devices()], "share": share(), "versions": versions(),
    }  # fmt: skip


class Machine:
    """The devices of this host, for the steps of one worker process."""

    def __init__(self) -> None:
        self._ids = [str(one["id"]) for one in devices()]

    def visible(self, claim: Json) -> str | None:
        """What `CUDA_VISIBLE_DEVICES` is for this step; None for a step that does not ask for a device."""
        if claim["queue"] != "gpu":
            return None
        return ",".join(self._ids[number] for number in claim.get("devices") or () if number < len(self._ids))
