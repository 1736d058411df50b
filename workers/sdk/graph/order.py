"""The order in which steps can run."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from typing import Any

from workers.sdk.graph.plain import GraphError
from workers.sdk.graph.shape import normal


class CycleError(GraphError):
    """Steps that wait for each other. `cycle` names them in order, the first one again at the end."""

    def __init__(self, cycle: list[str]):
        self.cycle = cycle
        super().__init__(f"these steps wait for each other: {' → '.join(cycle)}. Remove one of the wires between them.", "steps")


def topological(graph: Mapping[str, Any]) -> list[str]:
    """Keys, each after all it takes inputs from; among equals alphabetical, so that the order is always the same.
    Wires from steps that do not exist are passed over (`check` reports them). Raises CycleError."""
    steps = normal(graph)["steps"]
    sources = {
        key: {ref["step"] for refs in step["inputs"].values() for ref in refs if ref["step"] in steps} for key, step in steps.items()
    }
    followers: dict[str, list[str]] = {key: [] for key in steps}
    for key, before in sources.items():
        for source in before:
            followers[source].append(key)
    missing = {key: len(before) for key, before in sources.items()}
    ready = [key for key, count in missing.items() if count == 0]
    heapq.heapify(ready)
    order: list[str] = []
    while ready:
        key = heapq.heappop(ready)
        order.append(key)
        for follower in followers[key]:
            missing[follower] -= 1
            if missing[follower] == 0:
                heapq.heappush(ready, follower)
    if len(order) == len(steps):
        return order
    waiting = {key for key, count in missing.items() if count}
    # Each waiting step has a waiting source, so walking back must come round.
    walk, at = [], min(waiting)
    while at not in walk:
        walk.append(at)
        at = min(sources[at] & waiting)
    around = [*walk[walk.index(at) :]][::-1]
    first = around.index(min(around))
    around = around[first:] + around[:first]
    raise CycleError([*around, around[0]])
