"""Who is asking: a session (with CSRF check) or an API token."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any, cast

from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from ninja.security.base import AuthBase
from ninja.utils import check_csrf

from backend.core import http
from backend.core.errors import PageOutOfDate, SignInNeeded
from backend.core.http import ApiRequest
from backend.core.models import ApiToken
from backend.core.queries import who

PREFIX = "hr_"
USE_NOTED_EVERY = timedelta(minutes=1)


def new_secret() -> tuple[str, str, str]:
    """(secret, its SHA-256, the first characters to recognise it by)."""
    secret = PREFIX + secrets.token_urlsafe(32)
    return secret, hash_secret(secret), secret[:10]


def hash_secret(secret: str) -> str:
    """SHA-256 is enough: the secret has 256 random bits, so there is nothing to guess slowly."""
    return hashlib.sha256(secret.encode()).hexdigest()


def token_for(secret: str) -> ApiToken | None:
    """The live token with this secret, or None."""
    return who.token_with(hash_secret(secret))


class SessionOrToken(AuthBase):
    """`Authorization: Bearer hr_…`, or the session cookie with Django's CSRF check on writes; then the route's
    access rule (`core.http.check`), before any input is read."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __call__(self, request: HttpRequest) -> Any:
        asked = cast(ApiRequest, request)
        asked.token = None
        header = request.headers.get("Authorization", "")
        if header:
            scheme, _, secret = header.partition(" ")
            found = who.token_in(hash_secret(secret.strip()), asked.access.project) if scheme.lower() == "bearer" else None
            if found is None:
                raise SignInNeeded
            token, asked.membership = found
            asked.user, asked.token = token.user, token
            http.check(asked)
            note_use(token)
            return token.user
        if asked.access.needs != "public" and not asked.user.is_authenticated:
            raise SignInNeeded
        if check_csrf(request) is not None:
            raise PageOutOfDate
        http.check(asked)
        return asked.user if asked.user.is_authenticated else True


def note_use(token: ApiToken) -> None:
    """Keep `last_used_at` to the minute: a write for every request would cost more than many of the requests."""
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > USE_NOTED_EVERY:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_NOTED_EVERY)
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
