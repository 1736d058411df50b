"""Whether a pinned output can be taken is known to a later stage alone: it says so here, from its `AppConfig.ready`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from backend.core.models import Project
from workers.sdk.graph import Problem

Judge = Callable[[Project, Mapping[str, Any], Mapping[str, Any]], list[Problem]]
_judges: list[Judge] = []


def judge(one: Judge) -> None:
    """`one(project, graph, components)` gives the problems of the graph's pins."""
    _judges.append(one)


def problems(project: Project, graph: Mapping[str, Any], components: Mapping[str, Any]) -> list[Problem]:
    return [found for one in _judges for found in one(project, graph, components)]
