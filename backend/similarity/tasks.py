"""Celery tasks of `similarity` on the queue `platform`: thin, and harmless when they come twice, late or never (see `actions.announce`)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from celery import shared_task
from celery.signals import worker_ready

from backend.core.tasks import let_go_of_the_database
from backend.similarity.actions import announce
from backend.similarity.actions.computing import compute
from backend.similarity.actions.doubting import check
from backend.similarity.actions.ordering import arrange


@shared_task(name=announce.COMPUTE)  # type: ignore[untyped-decorator]  # Celery has no types
def compute_space(space_id: str) -> None:
    compute(UUID(space_id))


@shared_task(name=announce.CHECK)  # type: ignore[untyped-decorator]  # as above
def check_labels(schema_id: str) -> None:
    check(UUID(schema_id))


@shared_task(name=announce.ARRANGE)  # type: ignore[untyped-decorator]  # as above
def arrange_queue(schema_id: str) -> None:
    arrange(UUID(schema_id))


@worker_ready.connect  # type: ignore[untyped-decorator]  # as above
def take_up_what_waits(sender: Any, **_: Any) -> None:
    """A worker that starts announces all that is not done: the one before it may have been killed."""
    announce.announce_waiting(everything=True)
    let_go_of_the_database()
