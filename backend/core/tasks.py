"""Celery functions of `core`, on the platform's worker."""

from __future__ import annotations

from celery import shared_task

from backend.core.actions import tidy as tidying


@shared_task(name="core.tidy")
def tidy() -> None:
    """Delete what is past its time; the platform's worker runs it when it starts and then every hour."""
    tidying.tidy()
