"""What a person may choose when starting a studio, and what follows from the machine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8000


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_workers() -> int:
    """At least two, so that a step which only waits does not hold up a run; not more than eight, which is what a laptop's memory bears."""
    return max(2, min(8, cores()))


def gpus() -> int:
    """NVIDIA devices here, without loading a library that would touch them."""
    if (named := os.environ.get("HEADRACE_DEVICES")) is not None:
        return len([d for d in named.split(",") if d.strip()])
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([d for d in visible.split(",") if d.strip() and d.strip() != "-1"])
    known = Path("/proc/driver/nvidia/gpus")
    found = len(list(known.iterdir())) if known.is_dir() else 0
    return found or len([p for p in Path("/dev").glob("nvidia[0-9]*") if p.name[6:].isdigit()])


def share() -> int:
    """How many steps may hold one device at a time."""
    found = os.environ.get("HEADRACE_GPU_SHARE", "1")
    return max(1, int(found)) if found.isdigit() else 1


@dataclass(frozen=True, kw_only=True)
class Options:
    host: str = DEFAULT_HOST
    port: int | None = None
    """None: the default, or the next free one; 0: any free one; else exactly this one."""
    workers_cpu: int | None = None
    gpu: Literal["auto", "none"] = "auto"
    logs: bool = False
    services_only: bool = False
    """Only the database and the broker, for a management command that needs them for a moment."""
