"""What a step needs of the host that runs it. An optional part of a step; what is not said is absent, and any host will do.

    needs   {"gpu": n, "memory_gb": x, "labels": {"site": "factory-3"}}

`gpu`: so many devices, which the step then has to itself (or in shares, as the host is set); 0: none, also where there are some. Without a
word, a component that likes a GPU gets one where there is one. `memory_gb` is set aside on the host while the step runs. Every label must
be the host's, with this value. Matching is the ledger's (`backend/runs/sql/17_hosts.sql`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from workers.sdk.graph.plain import GraphError, plain, whole

PARTS = ("gpu", "memory_gb", "labels")
MOST_GPUS = 64
LEAST_MEMORY_GB, MOST_MEMORY_GB = 0.001, 100_000
"""It is kept to a thousandth."""
MOST_LABELS = 20
LABEL = re.compile(r"[a-z0-9](?:[a-z0-9._/-]{0,61}[a-z0-9])?")
VALUE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")


class Needs(TypedDict, total=False):
    gpu: int
    memory_gb: float
    labels: dict[str, str]


def normalise_needs(value: Any, field: str) -> Needs:
    """The normal form; empty where nothing is needed. Raises GraphError."""
    if not isinstance(value, Mapping):
        raise GraphError(f"must be an object with {', '.join(PARTS)}.", field)
    if unknown := [k for k in value if k not in PARTS]:
        raise GraphError(f"has no part “{unknown[0]}”; the parts are {', '.join(PARTS)}.", f"{field}.{unknown[0]}")
    found: Needs = {}
    if value.get("gpu") is not None:
        found["gpu"] = whole(value["gpu"], f"{field}.gpu", 0, MOST_GPUS)
    if (memory := value.get("memory_gb")) is not None:
        number = isinstance(memory, int | float) and not isinstance(memory, bool) and math.isfinite(memory)
        if not number or not LEAST_MEMORY_GB <= memory <= MOST_MEMORY_GB:
            raise GraphError(f"must be a number of gigabytes from {LEAST_MEMORY_GB} to {MOST_MEMORY_GB}.", f"{field}.memory_gb")
        found["memory_gb"] = plain(round(memory, 3), f"{field}.memory_gb")
    if labels := normalise_labels(value.get("labels") or {}, f"{field}.labels"):
        found["labels"] = labels
    return found


def normalise_labels(value: Any, field: str) -> dict[str, str]:
    """Labels in the order of their names. Raises GraphError."""
    if not isinstance(value, Mapping) or len(value) > MOST_LABELS:
        raise GraphError(f"must be at most {MOST_LABELS} pairs such as site: factory-3.", field)
    for name, one in value.items():
        if not isinstance(name, str) or not LABEL.fullmatch(name):
            raise GraphError(f"{name!r} is not the name of a label: small letters, digits and . _ / - between them, at most 63.", field)
        if not isinstance(one, str) or not VALUE.fullmatch(one):
            raise GraphError(f"{one!r} is not the value of a label: letters, digits and . _ - between them, at most 63.", f"{field}.{name}")
    return {name: str(value[name]) for name in sorted(value)}


def queue_of(resources: Literal["io", "cpu", "gpu"], needs: Mapping[str, Any] | None) -> str:
    """The queue of a step: its component's, unless the step says itself whether it wants a GPU."""
    wanted = (needs or {}).get("gpu")
    return resources if wanted is None else "gpu" if wanted else "cpu" if resources == "gpu" else resources


def placing(needs: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What the ledger keeps of it: `gpu: 0` chose the queue, and asks nothing of a host."""
    found = {part: one for part, one in (needs or {}).items() if part != "gpu" or one}
    return found or None
