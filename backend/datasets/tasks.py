"""Celery tasks of `datasets` on the queue `platform`: thin, and harmless when they come twice, late or never (see `actions.announce`)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from celery import shared_task
from celery.signals import worker_ready

from backend.core.tasks import let_go_of_the_database
from backend.datasets.actions import announce, cleaning
from backend.datasets.actions.freezing import run_freeze
from backend.datasets.actions.importing import import_upload
from backend.datasets.actions.profiling import make_profile


@shared_task(name=announce.READ)  # type: ignore[untyped-decorator]  # Celery has no types
def read_upload(upload_id: str) -> None:
    import_upload(UUID(upload_id))


@shared_task(name=announce.FREEZE)  # type: ignore[untyped-decorator]  # Celery has no types
def freeze_version(version_id: str) -> None:
    run_freeze(UUID(version_id))


@shared_task(name=announce.PROFILE)  # type: ignore[untyped-decorator]  # Celery has no types
def profile_version(version_id: str) -> None:
    make_profile(UUID(version_id))


@shared_task(name="datasets.clean")  # type: ignore[untyped-decorator]  # Celery has no types
def clean() -> None:
    """Remove what nobody will ask for again; the platform's worker runs it when it starts and then every hour."""
    cleaning.clean()


@worker_ready.connect  # type: ignore[untyped-decorator]  # as above
def take_up_what_waits(sender: Any, **_: Any) -> None:
    """A worker that starts announces all that is not done: the one before it may have been killed."""
    announce.announce_waiting(everything=True)
    cleaning.sweep()
    let_go_of_the_database()
