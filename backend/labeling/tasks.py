"""Celery tasks of `labeling` on the queue `platform`: thin, and harmless when they come twice, late or never (see `actions.announce`)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from celery import shared_task
from celery.signals import worker_ready

from backend.core.tasks import let_go_of_the_database
from backend.labeling.actions import announce
from backend.labeling.actions.auto_accept import accept_sure
from backend.labeling.actions.fill import fill
from backend.labeling.actions.labelled import run_labelled
from backend.labeling.actions.measure import measure
from backend.labeling.actions.taking_in import take_in


@shared_task(name=announce.FILL)  # type: ignore[untyped-decorator]  # Celery has no types
def fill_queue(schema_id: str) -> None:
    fill(UUID(schema_id))


@shared_task(name=announce.FREEZE)  # type: ignore[untyped-decorator]  # as above
def freeze_labels(labelled_id: str) -> None:
    run_labelled(UUID(labelled_id))


@shared_task(name=announce.MEASURE)  # type: ignore[untyped-decorator]  # as above
def measure_quality(schema_id: str) -> None:
    measure(UUID(schema_id))


@shared_task(name=announce.AUTO_ACCEPT)  # type: ignore[untyped-decorator]  # as above
def accept_suggestions(schema_id: str) -> None:
    accept_sure(UUID(schema_id))


@shared_task(name=announce.TAKE_IN)  # type: ignore[untyped-decorator]  # as above
def take_in_labels(import_id: str) -> None:
    take_in(UUID(import_id))


@worker_ready.connect  # type: ignore[untyped-decorator]  # as above
def take_up_what_waits(sender: Any, **_: Any) -> None:
    """A worker that starts announces all that is not done: the one before it may have been killed."""
    announce.announce_waiting(everything=True)
    let_go_of_the_database()
