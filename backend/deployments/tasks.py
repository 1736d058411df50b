"""Celery tasks of `deployments` on the queue `platform`: thin, and harmless when they come twice, late or never."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from celery import shared_task
from celery.signals import worker_ready

from backend.core.tasks import let_go_of_the_database
from backend.deployments import suggesting


@shared_task(name=suggesting.PRELABEL)  # type: ignore[untyped-decorator]  # Celery has no types
def suggest_labels(schema_id: str) -> None:
    suggesting.prelabel(UUID(schema_id))


@worker_ready.connect  # type: ignore[untyped-decorator]  # as above
def take_up_what_waits(sender: Any, **_: Any) -> None:
    """A worker that starts announces all that is not done: the one before it may have been killed."""
    suggesting.announce_waiting(everything=True)
    let_go_of_the_database()
