"""Why a step waits, in one sentence, from what the ledger holds now. Decides nothing: the same facts decide in `sql/`.

A constant number of queries however many steps wait. The reasons are looked at in the order in which they bind: what must come before
the step, a pause, a person, the project's limits, a machine, a worker, those before it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Q
from django.utils import timezone

from backend.core.models import User
from backend.runs.hosts import unmet
from backend.runs.hosts.lacking import SILENT
from backend.runs.models import Host, Run, StepInput, StepRun
from workers import catalog

Json = dict[str, Any]
NAMED = 3
"""So many steps or runs are named in a sentence; the others are counted."""
MOST = 500
"""Steps of a run that are looked at; more wait for the same reasons."""
ROLES = ("reviewer", "editor", "operator", "owner")


def why(run: Run, step: str | None = None) -> list[Json]:
    """`WaitOut` of every step of the run that waits (or of one, by its path; shards are not listed otherwise)."""
    found = StepRun.objects.filter(run=run, status__in=["queued", "waiting"]).defer("given", "parameters").order_by("position", "step")
    found = found.filter(step=step) if step is not None else found.filter(shard=None)
    steps = list(found[:MOST])
    if not steps:
        return []
    asked = _Reasons(run, steps)
    return [{"step_run": one.pk, "step": one.step, "why": asked.of(one)} for one in steps]


class _Reasons:
    """What several steps of one run have in common, read once."""

    def __init__(self, run: Run, steps: Sequence[StepRun]):
        self.run, self.now = run, timezone.now()
        self.current = Run.objects.only("priority", "started_at", "limited", "project").get(pk=run.pk)
        self.before = _before([s.pk for s in steps if s.status == "queued" and s.blocked_by and not s.held])
        ready = [s for s in steps if s.status == "queued" and not s.blocked_by and (s.ready_at is None or s.ready_at <= self.now)]
        self.limit = self._limit() if ready and self.current.limited else ""
        self.unmet = unmet([s.pk for s in ready if s.needs is not None or s.queue == "gpu"])
        self.queues = {queue: self._queue(queue) for queue in {s.queue for s in ready}}
        people = {
            str(p).casefold() for s in steps if s.status == "waiting" for p in ((s.state or {}).get("question") or {}).get("people") or ()
        }
        self.people = {u.email.casefold(): u.name or u.email for u in User.objects.filter(email__in=people)} if people else {}

    def of(self, step: StepRun) -> str:
        if step.status == "waiting":
            return self._person(step)
        if step.held:
            return self._turn(step)
        if step.blocked_by:
            return self._before_it(step)
        if step.ready_at is not None and step.ready_at > self.now:
            return self._pause(step)
        if step.pk in self.unmet and not self.limit:
            sentence = self.unmet[step.pk].rstrip(".")
            return sentence[0].lower() + sentence[1:]
        return self.limit or self._worker(step)

    def _name(self, path: str) -> str:
        return name_of(self.run.graph, path)

    def _person(self, step: StepRun) -> str:
        question = (step.state or {}).get("question") or {}
        if people := [self.people.get(str(p).casefold(), str(p)) for p in question.get("people") or ()]:
            who = _either(people)
        else:
            least = question.get("role", "operator")
            roles = ROLES[ROLES.index(least) :] if least in ROLES else ROLES[2:]
            who = _either([f"{'an' if r[0] in 'aeiou' else 'a'} {r}" for r in roles])
        return f"waits for {who} to decide" + (f", until {_time(step.wait_until)}" if step.wait_until else "")

    def _before_it(self, step: StepRun) -> str:
        sources = self.before.get(step.pk, [])
        if not sources:
            return "waits for the steps before it"
        first = sources[0]
        more = f" and {_count(len(sources) - 1, 'other step')}" if len(sources) > 1 else ""
        return f"waits for “{self._name(first.step)}”, which {_state(first)}{',' if more else ''}{more}"

    def _turn(self, step: StepRun) -> str:
        """A shard that its mapped step holds back."""
        shards = StepRun.objects.filter(parent=step.parent_id, shard__isnull=False, status__in=["queued", "running", "waiting"])
        numbers = shards.aggregate(away=Count("id", filter=Q(held=False)), before=Count("id", filter=Q(held=True, shard__lt=step.shard)))
        parent = StepRun.objects.only("step", "flow").get(pk=step.parent_id)
        at_once = ((parent.flow or {}).get("map") or {}).get("at_once") or numbers["away"]
        place = (
            "it is the next"
            if not numbers["before"]
            else f"{_count(numbers['before'], 'other')} {'is' if numbers['before'] == 1 else 'are'} before it"
        )
        return f"{numbers['away']} of the {at_once} shards that “{self._name(parent.step)}” runs at once are under way; {place}"

    def _pause(self, step: StepRun) -> str:
        seconds = max(1, round((step.ready_at - self.now).total_seconds()))
        if step.error:
            return f"tried again in {_span(seconds)} after: {str(step.error.get('message', '')).rstrip('.')[:200]}"
        return f"goes on in {_span(seconds)}"

    def _limit(self) -> str:
        """The limit of the project that binds this run now; empty where none does."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT l.steps_at_once, l.runs_at_once, r.steps, r.runs FROM runs_projectlimits l, ledger_room(l.project_id) r"
                " WHERE l.project_id = %s",
                [self.current.project_id],
            )
            row = cursor.fetchone()
        if row is None:
            return ""
        steps, runs, free_steps, free_runs = row
        alive = Run.objects.filter(project_id=self.current.project_id, status__in=["queued", "running", "waiting"])
        if free_runs is not None and free_runs <= 0 and self.current.started_at is None:
            numbers = list(alive.exclude(started_at=None).order_by("started_at").values_list("number", flat=True))
            return _taken(runs, "place for a run", [f"#{n}" for n in numbers])
        if free_steps is not None and free_steps <= 0:
            running = StepRun.objects.filter(run__in=alive, status="running").exclude(worker="").order_by("started_at")
            return _taken(steps, "place", [f"#{number} {path}" for number, path in running.values_list("run__number", "step")])
        return ""

    def _queue(self, queue: str) -> tuple[int, int, str]:
        """(runs of higher priority with a ready step there, workers up, and where all of them are busy: a sentence that says with what)"""
        with connection.cursor() as cursor:
            cursor.execute(
                """SELECT count(DISTINCT r.id) FILTER (WHERE r.priority > %(priority)s),
                          array_agg(s.ready_at) FILTER (WHERE r.priority = %(priority)s)
                     FROM runs_run r JOIN runs_steprun s ON s.run_id = r.id
                    WHERE r.status IN ('queued', 'running', 'waiting') AND s.status = 'queued' AND s.blocked_by = 0 AND s.queue = %(queue)s
                      AND s.ready_at <= clock_timestamp() AND s.run_id <> ALL ((SELECT ledger_held())::uuid[])""",
                {"priority": self.current.priority, "queue": queue},
            )
            higher, ready = cursor.fetchone()
        self._ready = getattr(self, "_ready", {}) | {queue: sorted(ready or ())}
        workers = workers_up(queue)
        return higher, len(workers), self._busy(queue, workers)

    def _busy(self, queue: str, workers: Sequence[str]) -> str:
        alive = Run.objects.filter(status__in=["queued", "running", "waiting"])
        running = StepRun.objects.filter(run__in=alive, status="running", worker__in=workers).order_by("started_at")
        found = list(running.values_list("worker", "project_id", "run__number", "step"))
        if not workers or len({worker for worker, *_ in found}) < len(workers):
            return ""
        names = [f"#{number} {path}" for _, project, number, path in found if project == self.current.project_id]
        # What other projects do is theirs to see.
        others = len(found) - len(names)
        names = _some(names) + ([f"{_count(others, 'step')} of other projects"] if others else [])
        return (
            f"the only {queue} worker is busy with {_and(names)}"
            if len(workers) == 1
            else f"all {len(workers)} {queue} workers are busy: {_and(names)}"
        )

    def _worker(self, step: StepRun) -> str:
        higher, up, busy = self.queues[step.queue]
        if up == 0:
            return f"no worker of the queue {step.queue} is up"
        earlier = sum(at < step.ready_at for at in self._ready[step.queue]) if step.ready_at else 0
        if higher:
            before = f"{_count(higher, 'run')} of higher priority {'is' if higher == 1 else 'are'} before it"
        elif earlier:
            before = f"{_count(earlier, 'step')} of the queue {step.queue} {'was' if earlier == 1 else 'were'} ready before it"
        else:
            before = "" if busy else f"it is next: a worker of the queue {step.queue} takes it when one is free"
        return "; ".join(filter(None, (busy, before)))


def _before(ids: list[UUID]) -> dict[UUID, list[StepRun]]:
    """The steps that each still waits for, those that are under way first."""
    found: dict[UUID, dict[UUID, StepRun]] = defaultdict(dict)
    wires = StepInput.objects.filter(step_run__in=ids, source__status__in=["queued", "running", "waiting"]).select_related("source")
    for wire in wires.defer("source__given", "source__parameters"):
        found[wire.step_run_id][wire.source_id] = wire.source
    rank = {"waiting": 0, "running": 1, "queued": 2}
    return {one: sorted(sources.values(), key=lambda s: (rank[s.status], s.position)) for one, sources in found.items()}


def _state(step: StepRun) -> str:
    match step.status:
        case "waiting":
            return "waits for a person"
        case "running" if step.children_total:
            return f"is running ({step.children_total - step.children_open} of {step.children_total})"
        case "running":
            return f"is running ({step.progress:.0%})".replace("%", " %") if step.progress else "is running"
    return "has not begun"


def _taken(limit: int, what: str, names: list[str]) -> str:
    """`what` is place, or place for a run. More may be taken than there are: a limit that is lowered ends nothing."""
    shown = _some(names)
    if limit == 1 == len(names):
        return f"this project's only {what} is taken by {_and(shown)}"
    plural = what.replace("place", "places").replace("a run", "runs")
    return f"{len(names)} of this project's {limit} {plural if limit != 1 else what} are taken by {_and(shown)}"


def _some(names: list[str]) -> list[str]:
    return names[:NAMED] + ([f"{len(names) - NAMED} more"] if len(names) > NAMED else [])


def workers_up(queue: str) -> list[str]:
    """The names of the worker processes of a queue that were heard of lately, on hosts that take steps."""
    hosts = Host.objects.filter(wanted="running", beat_at__gt=timezone.now() - SILENT, queues__contains=[queue])
    return [one["worker"] for host in hosts for group in host.groups.values() if queue in group["queues"] for one in group["processes"]]


def name_of(graph: Mapping[str, Any], path: str) -> str:
    """How a person knows the step: its name, else its component's title, else its path."""
    step = graph["steps"].get(path)
    if step is None:
        return path
    component = catalog.load().components.get(step["component"])
    own = {**(graph.get("pipelines") or {}), **(graph.get("code") or {})}.get(step["component"], {})
    return str(step.get("name") or (component.title if component else own.get("title")) or path)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _span(seconds: int) -> str:
    return f"{seconds} s" if seconds < 100 else f"{round(seconds / 60)} min" if seconds < 6000 else f"{round(seconds / 3600)} h"


def _time(moment: datetime) -> str:
    return f"{moment:%-d %b %H:%M} UTC"


def _and(names: Iterable[str], word: str = "and") -> str:
    *first, last = names
    return f"{', '.join(first)} {word} {last}" if first else last


def _either(names: Iterable[str]) -> str:
    return _and(names, "or")
