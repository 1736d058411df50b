"""Rows that nobody will ask for again. The audit log is not among them: it is kept for good."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.sessions.models import Session
from django.db.models import Q
from django.utils import timezone

from backend.core.limits import WINDOW
from backend.core.models import ApiToken, Event, IdempotencyKey, SignInFailure, SignInLink

EVENTS = timedelta(days=7)
"""A page that was away for longer loads anew."""
KEYS = timedelta(days=7)
"""Longer than any step is retried."""
STEP_TOKENS = timedelta(days=1)


def tidy() -> dict[str, int]:
    """Delete what is past its time; returns how many rows of each."""
    now = timezone.now()
    old = {
        "events": Event.objects.filter(at__lt=now - EVENTS),
        "keys": IdempotencyKey.objects.filter(created_at__lt=now - KEYS),
        "links": SignInLink.objects.filter(expires_at__lt=now - EVENTS),
        "failures": SignInFailure.objects.filter(at__lt=now - WINDOW),
        "step_tokens": ApiToken.objects.filter(
            Q(expires_at__lt=now - STEP_TOKENS) | Q(revoked_at__lt=now - STEP_TOKENS), step_run__isnull=False
        ),
        "sessions": Session.objects.filter(expire_date__lt=now),
    }
    return {name: rows.delete()[0] for name, rows in old.items()}
