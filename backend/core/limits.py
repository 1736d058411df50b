"""How often one may try: sign-in attempts by e-mail and address, counted in the database (so that a restart forgets nothing)."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from backend.core.errors import TooManyRequests
from backend.core.models import SignInFailure

WINDOW = timedelta(minutes=15)
PER_PAIR = 10
"""Wrong passwords for one e-mail address from one network address."""
PER_ADDRESS = 100
"""Wrong passwords from one network address for any account: many people may share it, but not fail that often."""
PER_MAIL = 3
"""Mails asked for by one form for one e-mail address."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One attempt, noted before it is known whether it fails (a hundred sent at once are counted too)."""

    pair: str
    rows: tuple[int, ...]

    def succeeded(self) -> None:
        """Forget this attempt, and the earlier failures of the same person from the same address."""
        SignInFailure.objects.filter(Q(pk__in=self.rows) | Q(key=self.pair)).delete()


def attempt(purpose: str, email: str, address: str | None, *, per_pair: int = PER_PAIR, per_address: int = PER_ADDRESS) -> Attempt:
    """Note an attempt; raises TooManyRequests when there were too many within the window."""
    now = timezone.now()
    SignInFailure.objects.filter(at__lt=now - WINDOW).delete()
    pair = _key(purpose, email, address or "")
    limits = {pair: per_pair, _key(purpose, "", address or ""): per_address}
    rows = tuple(row.pk for row in SignInFailure.objects.bulk_create(SignInFailure(key=key, at=now) for key in limits))
    for key, most in limits.items():
        newest = list(SignInFailure.objects.filter(key=key).order_by("-at", "-pk").values_list("at", flat=True)[: most + 1])
        if len(newest) > most:
            SignInFailure.objects.filter(pk__in=rows).delete()  # a refused attempt does not make the wait longer
            wait = (newest[-1] + WINDOW - now).total_seconds()
            raise TooManyRequests(message="There were too many attempts.", retry_after=max(1, math.ceil(wait)))
    return Attempt(pair=pair, rows=rows)


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
