"""Key points of one thing (decision 21): the points that name the same one as their parent, and that one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]
HIDDEN = "occluded"
"""The note (`meta.text`) of a point whose place is known though it is not seen."""


def root(one: Json) -> str:
    """The name of the instance that a point is of."""
    parent: str = one.get("parentID") or one["id"]
    return parent


def instances(points: Iterable[Json]) -> dict[str, list[Json]]:
    """Points by instance, in their order."""
    found: dict[str, list[Json]] = {}
    for one in points:
        found.setdefault(root(one), []).append(one)
    return found


def hidden(one: Json) -> bool:
    texts = (one.get("meta") or {}).get("text")
    return isinstance(texts, list) and HIDDEN in texts


def regrouped(points: list[Json], said: list[list[str]]) -> list[Json]:
    """Fused points as instances. `said`: for each point, which other points (ids of this list) its annotators put it with."""
    group = {one["id"]: one["id"] for one in points}

    def first(name: str) -> str:
        while group[name] != name:
            name = group[name]
        return name

    order = {one["id"]: n for n, one in enumerate(points)}
    for one, others in zip(points, said, strict=True):
        for other in others:
            a, b = sorted((first(one["id"]), first(other)), key=order.__getitem__)
            group[b] = a
    return [one if first(one["id"]) == one["id"] else {**one, "parentID": first(one["id"])} for one in points]
