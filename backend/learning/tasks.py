"""Celery tasks of `learning` on the queue `platform`: thin, and harmless when they come twice, late or never."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from backend.learning.actions import rounds


@shared_task(name="learning.look")  # type: ignore[untyped-decorator]  # Celery has no types
def look() -> None:
    """Wake each loop that can go on."""
    for id_ in rounds.going():
        advance.apply_async([str(id_)], queue="platform", ignore_result=True)


@shared_task(name="learning.advance")  # type: ignore[untyped-decorator]  # as above
def advance(loop_id: str) -> None:
    rounds.advance(UUID(loop_id))
