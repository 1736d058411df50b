"""Celery tasks of `runs` on the queue `platform`. Steps are not here: they are `workers.engine`'s."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from backend.core import mail
from backend.runs.actions import ask_people, demo
from backend.runs.models import StepRun
from backend.runs.triggers import actions as triggers
from backend.runs.triggers import counting, fire
from backend.runs.triggers.clock import TASK as ADVANCE_TRIGGERS


@shared_task(name=demo.TASK)  # type: ignore[untyped-decorator]  # Celery has no types
def advance_demo(demo_id: str) -> None:
    demo.advance_demo(UUID(demo_id))


@shared_task(name="headrace.asked")  # type: ignore[untyped-decorator]  # as above
def asked(step_run: str) -> None:
    """A step has begun to wait for a person."""
    found = StepRun.objects.select_related("run__project", "run__pipeline_version__pipeline").filter(pk=step_run).first()
    if found is not None:
        ask_people(found)
        mail.wait()


@shared_task(name=ADVANCE_TRIGGERS)  # type: ignore[untyped-decorator]  # as above
def advance_triggers() -> None:
    """Start what is due; with much to do, give others their turn in between."""
    if fire.advance():
        advance_triggers.apply_async(queue="platform", ignore_result=True)


@shared_task(name=counting.TASK)  # type: ignore[untyped-decorator]  # as above
def count_labels() -> None:
    counting.count_labels()


@shared_task(name="runs.tidy_triggers")  # type: ignore[untyped-decorator]  # as above
def tidy_triggers() -> None:
    triggers.tidy()
