"""Who goes first, and how much of the studio a project may take."""

from __future__ import annotations

from django.db import transaction

from backend.core.actions.audit import record
from backend.core.models import Project, User
from backend.runs.actions import ledger
from backend.runs.errors import RunEnded
from backend.runs.models import PRIORITIES, ProjectLimits, Run


def set_priority(run: Run, user: User, priority: str) -> Run:
    """Of a run under way: the next worker that asks for a step takes this into account. What runs goes on."""
    with transaction.atomic():
        held = Run.objects.select_for_update(of=("self",), no_key=True).only("status", "priority").get(pk=run.pk)
        before = PRIORITIES[held.priority]
        if not ledger.prioritise(run.pk, PRIORITIES.index(priority))["ok"]:
            raise RunEnded(number=run.number, status=held.status, field="priority")
        if before != priority:
            record(
                user,
                "run.priority",
                ("run", run.pk, f"run {run.number}"),
                {"priority": before},
                {"priority": priority},
                project=run.project,
            )
    run.priority = PRIORITIES.index(priority)
    return run


def set_limits(project: Project, user: User, steps: int | None, runs: int | None) -> None:
    """Lower ones end nothing: what runs goes on, and nothing begins until there is room."""
    with transaction.atomic():
        found = ProjectLimits.objects.filter(project=project).first()
        before = {"steps_at_once": found.steps_at_once if found else None, "runs_at_once": found.runs_at_once if found else None}
        ledger.limit(project.pk, steps, runs)
        record(user, "project.limits", project, before, {"steps_at_once": steps, "runs_at_once": runs})
