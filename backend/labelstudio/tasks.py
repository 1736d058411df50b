"""Celery tasks of `labelstudio` on the queue `platform`: thin, harmless when they come twice, late or never (see `actions.announce`)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from celery import shared_task
from celery.signals import worker_ready

from backend.core.tasks import let_go_of_the_database
from backend.labelstudio.actions import announce
from backend.labelstudio.actions.backends import predict
from backend.labelstudio.actions.delivering import deliver
from backend.labelstudio.actions.freezing import freeze_tasks
from backend.labelstudio.actions.sync import sync


@shared_task(name=announce.FREEZE)  # type: ignore[untyped-decorator]  # Celery has no types
def freeze_imported(counterpart_id: str) -> None:
    freeze_tasks(int(counterpart_id))


@shared_task(name=announce.DELIVER)  # type: ignore[untyped-decorator]  # as above
def deliver_message(delivery_id: str) -> None:
    deliver(UUID(delivery_id))


@shared_task(name=announce.PREDICT)  # type: ignore[untyped-decorator]  # as above
def ask_backend(backend_id: str) -> None:
    predict(int(backend_id))


@shared_task(name=announce.SYNC)  # type: ignore[untyped-decorator]  # as above
def sync_link(link_id: str) -> None:
    sync(UUID(link_id))


@worker_ready.connect  # type: ignore[untyped-decorator]  # as above
def take_up_what_waits(sender: Any, **_: Any) -> None:
    """A worker that starts announces all that is not done: the one before it may have been killed."""
    announce.announce_waiting(everything=True)
    let_go_of_the_database()
