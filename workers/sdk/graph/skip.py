"""Steps of a run that are not to be run, known before it starts: what a dry run must not do, what is pinned, what only a pin needs.

Pure. What the ledger skips for other reasons (a cached result, a branch not taken) is its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.sdk.graph.order import topological
from workers.sdk.graph.plan import need


def unsafe(graph: Mapping[str, Any], components: Mapping[str, Any]) -> set[str]:
    """Steps that change the platform or ask somebody, and those that cannot run without what these would give."""
    found: set[str] = set()
    for key in topological(graph):
        step = graph["steps"][key]
        component = components.get(step["component"])
        if getattr(component, "changes", False):
            found.add(key)
            continue
        needs = {port.name: need(port) for port in component.inputs} if component is not None else {}
        for port, refs in step["inputs"].items():
            gone = [ref["step"] in found for ref in refs]
            if any(gone) and (needs.get(port, "all") == "all" or (needs[port] == "any" and all(gone))):
                found.add(key)
    return found


def unneeded(graph: Mapping[str, Any], pinned: set[str]) -> set[str]:
    """Steps whose results only pinned steps would take. A step that nobody takes anything from is there for its own sake."""
    followers: dict[str, set[str]] = {key: set() for key in graph["steps"]}
    for key, step in graph["steps"].items():
        for refs in step["inputs"].values():
            for ref in refs:
                if ref["step"] in followers:
                    followers[ref["step"]].add(key)
    found: set[str] = set()
    for key in reversed(topological(graph)):
        if key not in pinned and followers[key] and followers[key] <= pinned | found:
            found.add(key)
    return found
