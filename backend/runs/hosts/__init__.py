"""Machines that run steps: what they are, who may stop them, how they join, and why a step has none (see README.md)."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID


def unmet(step_run_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Of these queued step runs, those that no host may be given now, each with one sentence that says why."""
    from backend.runs.hosts.lacking import sentences  # models import this package

    return sentences(step_run_ids)
