"""Celery tasks of `runs` on the queue `platform`. Steps are not here: they are `workers.engine`'s."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from backend.runs.actions import demo


@shared_task(name=demo.TASK)  # type: ignore[untyped-decorator]  # Celery has no types
def advance_demo(demo_id: str) -> None:
    demo.advance_demo(UUID(demo_id))
