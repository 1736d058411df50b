"""Celery functions of `core`, on the platform's worker."""

from __future__ import annotations

from celery import shared_task
from django.db import connection

from backend.core.actions import tidy as tidying


@shared_task(name="core.tidy")
def tidy() -> None:
    """Delete what is past its time; the platform's worker runs it when it starts and then every hour."""
    tidying.tidy()


def let_go_of_the_database() -> None:
    """For what a worker's first process does when it starts: children forked later must not inherit its connections."""
    connection.close()
    if close := getattr(connection, "close_pool", None):
        close()
