"""Stop a run."""

from __future__ import annotations

from django.db import transaction

from backend.core.actions.audit import record
from backend.core.models import User
from backend.runs.actions import ledger
from backend.runs.errors import RunOver
from backend.runs.models import Run


def cancel_run(run: Run, user: User) -> Run:
    """What waits ends at once, what runs within about two seconds. A second cancel changes nothing and is no error."""
    with transaction.atomic():
        answer = ledger.cancel(run.pk)
        run.refresh_from_db(fields=["status", "cancel_requested", "steps_done", "finished_at"])
        if not answer["ok"]:
            if run.cancel_requested:
                return run
            raise RunOver(number=run.number, status=run.status)
        record(user, "run.cancel", ("run", run.pk, f"run {run.number}"), project=run.project, details={"number": run.number})
    return run
