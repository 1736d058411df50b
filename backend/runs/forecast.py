"""What a run would take, from what past attempts took. Says how much it rests on, and says nothing where nothing is known.

For each step: succeeded attempts of its component in the project with the rows that came in, the seconds and the peak of memory. With
attempts at three numbers of rows or more a straight line is laid through them (neither part of it below zero); with fewer, the truth lies
between "takes the same whatever comes" and "in proportion to the rows", and both are told. Other machines, other columns and other
neighbours on the machine are in the range only as far as past runs had them.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from backend.core.errors import HeadraceError
from backend.core.models import Project
from backend.datasets.queries import resolve_reference
from backend.pipelines import queries as pipelines
from backend.runs.models import Run
from backend.runs.pins import pinned
from backend.runs.why import name_of
from workers.sdk import graph as graphs
from workers.sdk.graph.order import topological
from workers.sdk.graph.plan import effective
from workers.sdk.graph.skip import unneeded

Json = dict[str, Any]
NEWEST = 100
"""So many runs of the project are looked at, the newest ones."""
ALIKE = 0.1
"""Runs with so nearly the same rows (a part of them) are taken as they were."""
APART = 3
"""A line needs so many different numbers of rows."""


@dataclass(frozen=True, kw_only=True)
class Past:
    rows: int | None
    seconds: float
    peak: int | None
    parameters: Mapping[str, Any]


def of_run(run: Run) -> Json:
    """`ForecastOut` of a run's graph, on all of its data; what this run took counts too."""
    return _forecast(run.project, run.graph, run)


def of_pipeline(project: Project, slug: str, version: int | None) -> Json:
    """`ForecastOut` of a pipeline's draft, or of a version."""
    found = pipelines.find(project, slug)
    graph = found.draft if version is None else pipelines.get_version(found, version).graph
    newest = Run.objects.filter(project=project, pipeline_version__pipeline=found, status="succeeded").order_by("-created_at")
    return _forecast(project, graphs.normalise(graph), newest.defer("graph").first())


def _forecast(project: Project, graph: Mapping[str, Any], like: Run | None) -> Json:
    """`like` is a run of the same pipeline, which tells what part of the rows arrives at each step."""
    components = pipelines.components_for(project, graph)
    past = _past(project, {step["component"] for step in graph["steps"].values()})
    rows = _rows(project, graph, components, like)
    pins = set(pinned(graph))
    idle = unneeded(graph, pins) if pins else set()
    # What a process holds that does next to nothing (its libraries) does not grow with the rows.
    floor = float(min((p.peak for seen in past.values() for p in seen if p.peak is not None), default=0))
    steps: list[Json] = []
    for key in topological(graph):
        step = graph["steps"][key]
        component = components.get(step["component"])
        skipped = "pinned" if key in pins else "only needed by what is pinned" if key in idle else ""
        seen = past.get(step["component"], [])
        wanted = _settings(component, effective(component, step["parameters"])) if component is not None else {}
        same = [p for p in seen if component is not None and _settings(component, p.parameters) == wanted]
        told = same or seen
        counts = [p.rows for p in told if p.rows is not None]
        steps.append({
            "step": key, "name": name_of(graph, key), "skipped": skipped, "rows": rows.get(key), "runs": len(told),
            "least": min(counts, default=None), "most": max(counts, default=None), "settings": "same" if same or not told else "other",
            "time": None if skipped else span([(p.rows, p.seconds) for p in told], rows.get(key)),
            "memory": None if skipped else span([(p.rows, float(p.peak)) for p in told if p.peak is not None], rows.get(key), floor),
        })  # fmt: skip
    running = [s for s in steps if not s["skipped"]]
    times, memories = [s["time"] for s in running if s["time"]], [s["memory"] for s in running if s["memory"]]
    return {
        "steps": steps, "known": len(times), "total": len(running),
        "time": {part: sum(t[part] for t in times) for part in ("low", "likely", "high")} if times else None,
        "memory": {part: max(m[part] for m in memories) for part in ("low", "likely", "high")} if memories else None,
    }  # fmt: skip


def span(points: Sequence[tuple[int | None, float]], rows: int | None, floor: float = 0.0) -> dict[str, float] | None:
    """What to expect at `rows`, from (rows, value) pairs; None without any. What is in proportion is so above `floor`."""
    known = [(float(x), y) for x, y in points if x]
    if not points:
        return None
    alike = [y for x, y in known if rows and abs(x - rows) <= ALIKE * rows]
    if not rows or not known or (alike and len({x for x, _ in known}) < APART):
        values = sorted(alike or [y for _, y in points])
        return {"low": values[0], "likely": values[len(values) // 2], "high": values[-1]}
    if len({x for x, _ in known}) < APART:
        nearest = min(abs(math.log(rows / x)) for x, _ in known)
        grown = [(y, floor + max(0.0, y - floor) * rows / x) for x, y in known if abs(math.log(rows / x)) <= nearest]
        bounds = [(min(pair), max(pair)) for pair in grown]
        low, high = min(b[0] for b in bounds), max(b[1] for b in bounds)
        return {"low": low, "likely": (low + high) / 2, "high": high}
    base, slope = _line(known)
    likely = base + slope * rows
    # How far past runs lay beside the line, as a part of it, holds for what is asked; beyond what was seen, growth in proportion is added.
    off = max(abs(y - (base + slope * x)) / max(base + slope * x, 1e-9) for x, y in known)
    largest, there = max(known)
    high = max(likely * (1 + off), floor + max(0.0, there - floor) * rows / largest if rows > largest else 0.0)
    return {"low": max(0.0, likely * (1 - off)), "likely": likely, "high": high}


def _line(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Least squares; neither the start nor the slope is below zero."""
    n = len(points)
    mean_x, mean_y = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    slope = max(0.0, sum((x - mean_x) * (y - mean_y) for x, y in points) / spread)
    base = mean_y - slope * mean_x
    if base < 0:
        return 0.0, max(0.0, sum(x * y for x, y in points) / sum(x * x for x, _ in points))
    return base, slope


_PAST = """
SELECT s.component, a.rows, EXTRACT(EPOCH FROM a.finished_at - a.started_at)::float8, a.peak_memory, s.parameters
  FROM (SELECT id FROM runs_run WHERE project_id = %(project)s ORDER BY created_at DESC LIMIT %(newest)s) r
  JOIN runs_steprun s ON s.run_id = r.id
  JOIN runs_attempt a ON a.step_run_id = s.id AND a.number = s.attempt
 WHERE s.component = ANY (%(names)s) AND s.status = 'succeeded' AND s.parent_id IS NULL AND s.children_total = 0
"""


def _past(project: Project, names: set[str]) -> dict[str, list[Past]]:
    found: dict[str, list[Past]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_PAST, {"names": list(names), "project": project.pk, "newest": NEWEST})
        for name, rows, seconds, peak, parameters in cursor.fetchall():
            told = json.loads(parameters) if isinstance(parameters, str) else parameters
            found[name].append(Past(rows=rows, seconds=seconds, peak=peak, parameters=told))
    return found


def _settings(component: Any, parameters: Mapping[str, Any]) -> Json:
    """The parameters without the data they name: rows are counted, not compared."""
    known = component.parameters.get("properties", {})
    return {name: value for name, value in parameters.items() if known.get(name, {}).get("format") != "dataset-version"}


def _rows(project: Project, graph: Mapping[str, Any], components: Mapping[str, Any], like: Run | None) -> dict[str, int]:
    """How many rows would come to each step: of a source those of its data set; after it the part that came there in the run `like`, and
    where that does not tell, all."""
    sources: dict[str, int] = {}
    for reference in graphs.dataset_references(graph, components):
        try:
            sources[reference.step] = resolve_reference(project, reference.text).item_count
        except HeadraceError:
            continue  # the check of the graph says what is wrong
    arrived = _arrived(like) if like is not None else {}
    feeding: dict[str, set[str]] = {}
    found: dict[str, int] = {}
    for key in topological(graph):
        before = {ref["step"] for refs in graph["steps"][key]["inputs"].values() for ref in refs}
        feeding[key] = set().union(*(feeding.get(b, set()) for b in before)) | ({key} if key in sources else set())
        if key in sources:
            found[key] = sources[key]
        elif feeding[key]:
            whole = sum(sources[s] for s in feeding[key])
            then = sum(arrived.get(s, 0) for s in feeding[key])
            if key in arrived and then:
                found[key] = round(arrived[key] * whole / then)
            elif like is None or key not in arrived:
                found[key] = whole
    return found


def _arrived(run: Run) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.step, a.rows FROM runs_steprun s JOIN runs_attempt a ON a.step_run_id = s.id AND a.number = s.attempt"
            " WHERE s.run_id = %s AND s.parent_id IS NULL AND a.rows IS NOT NULL",
            [run.pk],
        )
        return dict(cursor.fetchall())
