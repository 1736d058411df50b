"""Reads of `runs`. Lists read the run rows alone (their counts and headline metrics are kept there); a run's page is a constant
number of queries however many steps it has; long metric series are thinned in the database.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import CharField, F, FloatField, Func, Q, QuerySet, Value
from django.db.models.functions import Cast, NullIf

from backend.artifacts.models import Artifact
from backend.core.errors import InvalidInput, NotFound
from backend.core.models import Project
from backend.core.queries import paginate
from backend.pipelines import queries as pipelines
from backend.pipelines.models import PipelineVersion
from backend.runs import hosts
from backend.runs.errors import NoSuchSort
from backend.runs.models import PRIORITIES, Attempt, Demo, LogLine, ProjectLimits, Run, RunEvent, StepOutput, StepRun
from backend.runs.triggers.queries import starters
from workers import catalog

Json = dict[str, Any]
METRIC = re.compile(r"metric:(.{1,120})", re.DOTALL)
MOST_LINES = 10_000
MOST_EVENTS = 5_000
COMPARED = 20
"""The most runs side by side; more cannot be read on a screen."""


def _runs(project: Project) -> QuerySet[Run]:
    return Run.objects.filter(project=project).select_related("pipeline_version__pipeline", "started_by").defer(
        "graph", "parameters", "pipeline_version__graph", "pipeline_version__pipeline__draft"
    )  # fmt: skip


def list_runs(
    project: Project, *, status: str | None = None, pipeline: str | None = None, dry_run: bool | None = None, search: str | None = None,
    sort: str = "-created",
    cursor: str | None = None, limit: int = 50,
) -> Json:  # fmt: skip
    """A page of `RunSummary`; `sort` is created, number, duration or metric:NAME, with `-` for descending."""
    found = _runs(project)
    if status:
        found = found.filter(status=status)
    if pipeline:
        found = found.filter(pipeline_version__pipeline__slug=pipeline)
    if dry_run is not None:
        found = found.filter(sample__isnull=not dry_run)
    if search:
        match = (
            Q(name__icontains=search)
            | Q(pipeline_version__pipeline__name__icontains=search)
            | Q(pipeline_version__pipeline__slug__icontains=search)
        )
        number = search.lstrip("#")
        if number.isdigit() and len(number) < 10:
            match |= Q(number=int(number))
        found = found.filter(match)
    sign, name = ("-", sort[1:]) if sort.startswith("-") else ("", sort)
    if name == "created":
        order = [f"{sign}created_at", f"{sign}id"]
    elif name == "number":
        order = [f"{sign}number", f"{sign}id"]
    elif name == "duration":
        found = found.annotate(
            duration=Func(
                F("finished_at") - F("started_at"), template="EXTRACT(EPOCH FROM %(expressions)s)::float8", output_field=FloatField()
            )
        )
        order = [f"{sign}duration", f"{sign}id"]
    elif metric := METRIC.fullmatch(name):
        text = Func(F("metrics"), Value(metric[1]), template="(%(expressions)s)", arg_joiner=" ->> ", output_field=CharField())
        found = found.annotate(headline=Cast(NullIf(text, Value("")), FloatField()))
        order = [f"{sign}headline", f"{sign}id"]
    else:
        raise NoSuchSort(sort=sort, field="sort", hint="Use created, number, duration or metric:NAME, with - in front for descending.")
    page: Any = paginate(found, order, cursor, limit, count=True)
    return {**page, "items": [summary(run) for run in page["items"]]}


def find(project: Project, run_id: UUID) -> Run:
    """A run of this project. Its graph, of a large run megabytes, is fetched by who looks at it."""
    found: Run | None = (
        Run.objects.select_related("project", "pipeline_version__pipeline", "started_by")
        .defer("graph", "pipeline_version__graph", "pipeline_version__pipeline__draft").filter(project=project, pk=run_id).first()
    )  # fmt: skip
    if found is None:
        raise NotFound(what="run", name=run_id)
    return found


def summary(run: Run) -> Json:
    pipeline = run.pipeline_version.pipeline
    return {
        "id": run.pk, "number": run.number, "name": run.name, "pipeline": pipeline.slug, "pipeline_name": pipeline.name,
        "pipeline_version": run.pipeline_version.number, "status": run.status, "steps_total": run.steps_total, "steps_done": run.steps_done,
        "priority": PRIORITIES[run.priority],
        "sample": run.sample,
        "progress": round(run.steps_done / run.steps_total, 4) if run.steps_total else 0.0, "started_by": run.started_by,
        "created_at": run.created_at, "started_at": run.started_at, "finished_at": run.finished_at, "error": run.error,
        "metrics": {k: v for k, v in run.metrics.items() if isinstance(v, int | float)},
    }  # fmt: skip


_OF_STEP = (
    "run_id", "step", "position", "component", "queue", "status", "skip_reason", "blocked_by", "attempt", "max_attempts", "needs", "state",
    "parameters", "parent_id", "undoes_id", "shard", "children_total", "children_open", "children_failed", "wait_until", "progress",
    "message", "error", "ready_at", "started_at", "finished_at",
)  # fmt: skip
_OF_ARTIFACT = ("id", "kind", "digest", "size", "media_type", "created_at")


def details(runs: Sequence[Run]) -> list[Json]:
    """`RunOut` of each, in a few queries for all. The newest event's number is read first: what happens meanwhile is
    heard of again, never missed. Then the run, then its steps, then what these gave: of a run that is over, everything is there."""
    ids = [run.pk for run in runs]
    last = dict.fromkeys(ids, 0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT r, (SELECT max(id) FROM runs_runevent WHERE run_id = r) FROM unnest(%s::uuid[]) r", [ids])
        last |= {run_id: newest or 0 for run_id, newest in cursor.fetchall()}
    fresh = {
        run.pk: run
        for run in Run.objects.filter(pk__in=ids).only(
            "status", "priority", "steps_done", "steps_total", "metrics", "error", "started_at", "finished_at", "undoing"
        )
    }
    steps: dict[UUID, list[Any]] = defaultdict(list)
    # Shards and rounds may be ten thousand: their step counts them, and `shards` lists them. As rows: objects cost more than the query.
    for step in StepRun.objects.filter(run__in=ids, shard=None).order_by("position", "step").values_list("pk", *_OF_STEP, named=True):
        steps[step.run_id].append(step)
    outputs: dict[UUID, list[Json]] = defaultdict(list)
    for made in (
        StepOutput.objects.filter(step_run__run__in=ids, step_run__shard=None)
        .order_by("port")
        .values("step_run_id", "port", "metadata", "artifact__metadata", *(f"artifact__{name}" for name in _OF_ARTIFACT))
    ):
        artifact = {name: made[f"artifact__{name}"] for name in _OF_ARTIFACT}
        artifact["metadata"] = made["metadata"] or made["artifact__metadata"]
        outputs[made["step_run_id"]].append({"port": made["port"], "artifact": artifact})
    triggered = starters(runs)
    unmet = hosts.unmet(s.pk for run in runs for s in steps[run.pk] if s.status == "queued" and s.blocked_by == 0 and _placed(s))
    found = []
    for run in runs:
        now = fresh[run.pk]
        run.status, run.steps_done, run.metrics, run.error = now.status, now.steps_done, now.metrics, now.error
        run.undoing, run.steps_total, run.priority = now.undoing, now.steps_total, now.priority
        run.started_at, run.finished_at = now.started_at, now.finished_at
        found.append({
            **summary(run), "graph": run.graph, "parameters": run.parameters, "values": run.values, "undoing": run.undoing,
            "rerun_of": run.rerun_of_id, "trigger": triggered.get(run.pk), "last_event": last[run.pk],
            "step_runs": [_step(s, run.graph, outputs[s.pk], unmet.get(s.pk, "")) for s in steps[run.pk]],
        })  # fmt: skip
    return found


def _placed(step: Any) -> bool:
    """Whether not every host may run it."""
    return step.needs is not None or step.queue == "gpu"


def _step(step: Any, graph: Json, outputs: list[Json], unmet: str = "") -> Json:
    """`step` is a `StepRun`, or a row of the same names."""
    component = catalog.load().components.get(step.component)
    own = (graph.get("code") or {}).get(step.component) or (graph.get("pipelines") or {}).get(step.component) or {}
    title = component.title if component is not None else own.get("title", step.component)
    return {
        "id": step.pk, "step": step.step, "name": graph["steps"].get(step.step, {}).get("name") or title, "component": step.component,
        "title": title, "queue": step.queue, "status": step.status, "skip_reason": step.skip_reason, "attempt": step.attempt,
        "max_attempts": step.max_attempts, "progress": step.progress, "message": step.message or unmet, "parameters": step.parameters,
        "outputs": outputs, "parent": step.parent_id, "undoes": step.undoes_id, "shard": step.shard,
        "shards": _shards(step),
        "question": {**step.state["question"], "until": step.wait_until} if step.status == "waiting" and step.state else None,
        "decision": (step.state or {}).get("decision"),
        "ready_at": step.ready_at, "started_at": step.started_at, "finished_at": step.finished_at, "error": step.error,
    }  # fmt: skip


def _shards(step: Any) -> Json | None:
    return {"total": step.children_total, "open": step.children_open, "failed": step.children_failed} if step.children_total else None


def version_of(run: Run, number: int) -> PipelineVersion:
    """A version of the pipeline that the run is of."""
    return pipelines.get_version(run.pipeline_version.pipeline, number)


def shards(run: Run, step: str, after: int, limit: int) -> list[Json]:
    """`ShardOut` of a mapped or repeated step's shards after that number, in order."""
    found = StepRun.objects.filter(parent=_step_id(run, step), shard__gt=after).order_by("shard")
    rows = found.values_list("shard", "step", "status", "skip_reason", "attempt", "started_at", "finished_at", "error")[:limit]
    return [
        {
            "shard": shard, "step": path, "status": status, "skip_reason": reason, "attempt": attempt,
            "seconds": (finished - started).total_seconds() if started and finished else None, "error": (error or {}).get("message", ""),
        }
        for shard, path, status, reason, attempt, started, finished, error in rows
    ]  # fmt: skip


def shard(run: Run, step: str) -> Json:
    """`StepRunOut` of one step of the run by its path, a shard or round too."""
    found = StepRun.objects.filter(run=run, step=step).defer("given").first()
    if found is None:
        raise NotFound(what="step", name=step)
    outputs = []
    for made in StepOutput.objects.filter(step_run=found).select_related("artifact").defer("artifact__inline").order_by("port"):
        made.artifact.metadata = made.metadata or made.artifact.metadata
        outputs.append({"port": made.port, "artifact": made.artifact})
    return _step(found, run.graph, outputs)


def waiting_step(run: Run, step: str) -> StepRun:
    found = StepRun.objects.select_related("run__project").filter(run=run, step=step).first()
    if found is None:
        raise NotFound(what="step", name=step)
    return found


def approvals(project: Project, email: str, role: str, may: Callable[[Json, str, str], bool]) -> list[Json]:
    """`ApprovalOut` of every step of the project that waits for this member, longest first."""
    rows = (
        StepRun.objects.filter(project=project, status="waiting").select_related("run__pipeline_version__pipeline")
        .defer("run__graph", "run__pipeline_version__graph", "run__pipeline_version__pipeline__draft").order_by("ready_at")[:500]
    )  # fmt: skip
    return [
        {
            "run": row.run_id, "run_number": row.run.number, "pipeline": row.run.pipeline_version.pipeline.slug,
            "pipeline_name": row.run.pipeline_version.pipeline.name, "step": row.step, "since": row.started_at,
            "question": {**row.state["question"], "until": row.wait_until},
        }
        for row in rows if row.state and may(row.state["question"], email, role)
    ]  # fmt: skip


def compare(project: Project, ids: str) -> Json:
    """`RunComparison` of runs by id, in the order asked."""
    try:
        wanted = list(dict.fromkeys(UUID(part.strip()) for part in ids.split(",") if part.strip()))
    except ValueError:
        raise InvalidInput(message="“ids” is not a list of run ids.", field="ids", hint="Ids of runs, separated by commas.") from None
    if not 2 <= len(wanted) <= COMPARED:
        raise InvalidInput(message=f"2 to {COMPARED} runs can be compared; these are {len(wanted)}.", field="ids")
    known = {
        run.pk: run
        for run in Run.objects.select_related("pipeline_version__pipeline", "started_by")
        .defer("pipeline_version__graph", "pipeline_version__pipeline__draft").filter(project=project, pk__in=wanted)
    }  # fmt: skip
    for run_id in wanted:
        if run_id not in known:
            raise NotFound(what="run", name=run_id)
    runs = details([known[run_id] for run_id in wanted])
    parameters = []
    steps = [{s["step"]: s["parameters"] for s in run["step_runs"]} for run in runs]
    for step in _union(run for run in steps):
        for name in _union(run.get(step, {}) for run in steps):
            values = [run.get(step, {}).get(name) for run in steps]
            parameters.append({"step": step, "parameter": name, "values": values, "differs": any(v != values[0] for v in values)})
    metrics = []
    for name in _union(run["metrics"] for run in runs):
        numbers = [run["metrics"].get(name) for run in runs]
        metrics.append({"name": name, "values": numbers, "differs": any(v != numbers[0] for v in numbers)})
    return {"runs": runs, "parameters": parameters, "metrics": metrics}


def _union(parts: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(key for part in parts for key in part))


def events(run: Run, after: int) -> Json:
    """`EventsOut`: what happened to the run after that number."""
    rows = list(RunEvent.objects.filter(run=run, pk__gt=after).order_by("pk")[:MOST_EVENTS])
    return {"events": [{**row.payload, "seq": row.pk} for row in rows], "last": rows[-1].pk if rows else after}


def _step_id(run: Run, step: str) -> UUID:
    found: UUID | None = StepRun.objects.filter(run=run, step=step).values_list("pk", flat=True).first()
    if found is None:
        raise NotFound(what="step", name=step)
    return found


def logs(run: Run, *, step: str | None, attempt: int | None, after: int, limit: int, search: str | None) -> Json:
    """`LogsOut`: lines after a number, oldest first. `last` is where to go on from."""
    if not 1 <= limit <= MOST_LINES:
        raise InvalidInput(message=f"1 to {MOST_LINES} lines at a time.", field="limit", hint=f"You asked for {limit}.")
    found = LogLine.objects.filter(pk__gt=after)
    found = found.filter(step_run=_step_id(run, step)) if step else found.filter(run=run)
    if attempt is not None:
        found = found.filter(attempt=attempt)
    if search:
        found = found.filter(text__icontains=search)
    lines = list(found.order_by("pk").values("id", "step_run_id", "attempt", "at", "stream", "level", "text")[:limit])
    names = dict(StepRun.objects.filter(pk__in={line["step_run_id"] for line in lines}).values_list("pk", "step"))
    for line in lines:
        line["step"] = names[line["step_run_id"]]
    return {"lines": lines, "last": lines[-1]["id"] if lines else after}


_POINT = "p.id, s.step, p.attempt, p.name, p.index, p.value, p.at"
_SERIES = """
SELECT p.step_run_id, p.attempt, p.name, count(*) AS many, min(p.id) AS first, max(p.id) AS last
  FROM runs_metricpoint p JOIN runs_steprun s ON s.id = p.step_run_id AND s.attempt = p.attempt
 WHERE p.run_id = %(run)s AND p.id > %(after)s AND (%(step)s::text IS NULL OR s.step = %(step)s)
 GROUP BY 1, 2, 3
"""
_ALL = f"""
SELECT {_POINT} FROM runs_metricpoint p JOIN runs_steprun s ON s.id = p.step_run_id AND s.attempt = p.attempt
 WHERE p.run_id = %(run)s AND p.id > %(after)s AND (%(step)s::text IS NULL OR s.step = %(step)s) ORDER BY p.id
"""  # noqa: S608 - the columns above
# One pass that aggregates: sorting the points of each series to number them took 25 times as long with millions of them. A stretch
# is one of the numbers (ids) of its series, so indexes far apart do not press the others into one. A series that is
# short enough has a stretch for every point.
_THIN = """
WITH series AS (
  SELECT * FROM unnest(%(steps)s::uuid[], %(attempts)s::int[], %(names)s::text[], %(firsts)s::bigint[],
                       %(lasts)s::bigint[], %(short)s::bool[])
    AS t(step_run_id, attempt, name, first, last, short)
), stretches AS (
  SELECT min(ARRAY[coalesce(p.value, 'Infinity'), p.id]) AS low, max(ARRAY[coalesce(p.value, '-Infinity'), p.id]) AS high
    FROM runs_metricpoint p JOIN series t USING (step_run_id, attempt, name)
   WHERE p.run_id = %(run)s AND p.id BETWEEN t.first AND t.last
   GROUP BY p.step_run_id, p.name,
         CASE WHEN t.short THEN p.id ELSE (p.id - t.first) * %(stretches)s / (t.last - t.first + 1) END
)
SELECT low[2]::bigint FROM stretches UNION SELECT high[2]::bigint FROM stretches
 UNION SELECT first FROM series UNION SELECT last FROM series
"""
_THESE = f"SELECT {_POINT} FROM runs_metricpoint p JOIN runs_steprun s ON s.id = p.step_run_id WHERE p.id = ANY(%(ids)s) ORDER BY p.id"  # noqa: S608 - the columns above


def metrics(run: Run, *, after: int, step: str | None, max_points: int) -> Json:
    """`MetricsOut` of each step's newest attempt. A series longer than `max_points` is thinned: of each stretch the lowest
    and the highest point stay, and the first and last of all, so peaks are never lost."""
    if not 10 <= max_points <= 100_000:
        raise InvalidInput(message="10 to 100000 points a series.", field="max_points", hint=f"You asked for {max_points}.")
    if step is not None:
        _step_id(run, step)
    asked = {"run": run.pk, "after": after, "step": step}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_SERIES, asked)
        series = cursor.fetchall()
        if any(many > max_points for _, _, _, many, _, _ in series):
            columns = [list(column) for column in zip(*series, strict=True)]
            asked |= dict(zip(("steps", "attempts", "names", "counts", "firsts", "lasts"), columns, strict=True))
            # The planner thinks that few points fit a list it cannot see into, and would sort millions of them on the disk.
            cursor.execute("SET LOCAL enable_sort = off")
            cursor.execute(_THIN, {**asked, "short": [many <= max_points for many in columns[3]], "stretches": max_points // 2 - 1})
            ids = [found for (found,) in cursor.fetchall()]
            cursor.execute("SET LOCAL enable_sort = on")
            cursor.execute(_THESE, {"ids": ids})
        else:
            cursor.execute(_ALL, asked)
        keys = ("id", "step", "attempt", "name", "index", "value", "at")
        points = [dict(zip(keys, row, strict=True)) for row in cursor.fetchall()]
    names = sorted({name for _, _, name, _, _, _ in series})
    return {"points": points, "names": names, "last": points[-1]["id"] if points else after}


def attempts(run: Run, step: str) -> list[Attempt]:
    """The attempts at a step, first one first."""
    return list(Attempt.objects.filter(step_run=_step_id(run, step)).order_by("number"))


def limits(project: Project) -> Json:
    """`LimitsOut`."""
    found = ProjectLimits.objects.filter(project=project).first()
    alive = Run.objects.filter(project=project, status__in=["queued", "running", "waiting"])
    return {
        "steps_at_once": found.steps_at_once if found else None, "runs_at_once": found.runs_at_once if found else None,
        "steps_running": StepRun.objects.filter(run__in=alive, status="running").exclude(worker="").count(),
        "runs_running": alive.exclude(started_at=None).count(),
    }  # fmt: skip


def dry_only(artifact: Artifact) -> bool:
    """Whether only dry runs have given it: nothing of the platform may come to rest on a part of the data."""
    made = StepOutput.objects.filter(artifact=artifact)
    return made.filter(step_run__run__sample__isnull=False).exists() and not made.filter(step_run__run__sample__isnull=True).exists()


def find_demo(project: Project, demo_id: UUID) -> Demo:
    found = Demo.objects.select_related("dataset", "pipeline").filter(project=project, pk=demo_id).first()
    if found is None:
        raise NotFound(what="demo", name=str(demo_id))
    return found


def demo(found: Demo) -> Json:
    """`DemoOut`."""
    return {
        "id": found.pk, "slug": found.slug, "status": found.status, "progress": found.progress, "message": found.message,
        "dataset": found.dataset.slug if found.dataset else None, "pipeline": found.pipeline.slug if found.pipeline else None,
        "run": found.run_id,
    }  # fmt: skip
