"""Walking the lineage: what a thing came from and what came of it.

Edges name their ends by type and id, because `artifacts` knows none of the later stages. Each app tells how its things are
called (`describe`, from its `AppConfig.ready`); a thing nobody describes is shown by its type and the end of its id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q

from backend.artifacts.models import Artifact, LineageEdge
from backend.core.errors import NotFound
from backend.core.models import Project

LIMIT = 300  # things shown at once; beyond that a picture tells nothing
DEPTH = 30
Describer = Callable[[Project, Iterable[UUID]], Mapping[UUID, tuple[str, str]]]
_describers: dict[str, Describer] = {}
Key = tuple[str, UUID]


@dataclass(frozen=True, kw_only=True)
class Node:
    """One thing of the picture; `href` is its page in the studio ('' where it has none)."""

    type: str
    id: str
    label: str
    href: str


def describe(kind: str, describer: Describer) -> None:
    """Say how things of type `kind` are called: ids → (label, href), in one query, within the project."""
    _describers[kind] = describer


def _artifacts(project: Project, ids: Iterable[UUID]) -> dict[UUID, tuple[str, str]]:
    rows = Artifact.objects.filter(project=project, id__in=list(ids)).values_list("id", "kind", "digest")
    return {id_: (f"{kind} {digest[:8]}", "") for id_, kind, digest in rows}


describe("artifact", _artifacts)


def walk(project: Project, start: Key, limit: int = LIMIT) -> tuple[list[Node], list[tuple[str, str, str]]]:
    """Everything upstream of `start` and everything downstream of it: never what else came of its sources, which may be the whole
    project. One query per step of distance and direction."""
    known: set[Key] = {start}
    edges: set[tuple[Key, Key, str]] = set()
    for up in (True, False):
        seen: set[Key] = {start}
        front = [start]
        for _ in range(DEPTH):
            if not front or len(known) >= limit:
                break
            here = _ends("target" if up else "source", front)
            following: list[Key] = []
            for row in LineageEdge.objects.filter(here, project=project).order_by("id")[: limit * 4]:
                source, target = (row.source_type, row.source_id), (row.target_type, row.target_id)
                other = source if up else target
                if other not in seen:
                    if other not in known and len(known) >= limit:
                        continue
                    seen.add(other)
                    known.add(other)
                    following.append(other)
                edges.add((source, target, row.relation))
            front = following
    labels = {kind: _describers[kind](project, [i for t, i in known if t == kind]) for kind in {t for t, _ in known} if kind in _describers}
    if start not in {key for edge in edges for key in edge[:2]} and start[1] not in labels.get(start[0], {}):
        raise NotFound(what=start[0].replace("_", " "), name=str(start[1]))
    nodes = []
    for kind, id_ in sorted(known, key=str):
        label, href = labels.get(kind, {}).get(id_) or (f"{kind.replace('_', ' ')} …{str(id_)[-6:]}", "")
        nodes.append(Node(type=kind, id=str(id_), label=label, href=href))
    return nodes, sorted((str(a[1]), str(b[1]), relation) for a, b, relation in edges)


def _ends(side: str, keys: list[Key]) -> Q:
    by_type: dict[str, list[UUID]] = {}
    for kind, id_ in keys:
        by_type.setdefault(kind, []).append(id_)
    found: Any = Q(pk__in=[])
    for kind, ids in by_type.items():
        found |= Q(**{f"{side}_type": kind, f"{side}_id__in": ids})
    return found
