"""Who is asking: a session (with CSRF check) or an API token."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from ninja.security.base import AuthBase
from ninja.utils import check_csrf

from backend.core.errors import NotAllowed, SignInNeeded
from backend.core.models import ApiToken

PREFIX = "hr_"


def new_secret() -> tuple[str, str, str]:
    """(secret, its SHA-256, the first characters to recognise it by)."""
    secret = PREFIX + secrets.token_urlsafe(32)
    return secret, hash_secret(secret), secret[:10]


def hash_secret(secret: str) -> str:
    """SHA-256 is enough: the secret has 256 random bits, so there is nothing to guess slowly."""
    return hashlib.sha256(secret.encode()).hexdigest()


def token_for(secret: str) -> ApiToken | None:
    """The live token with this secret, or None."""
    now = timezone.now()
    return (
        ApiToken.objects.select_related("user")
        .filter(Q(expires_at=None) | Q(expires_at__gt=now), token_hash=hash_secret(secret), revoked_at=None, user__is_active=True)
        .first()
    )


class SessionOrToken(AuthBase):
    """`Authorization: Bearer hr_…`, or the session cookie with Django's CSRF check. Public routes pass through:
    the access decorators of `core.http` decide."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __call__(self, request: HttpRequest) -> Any:
        request.token = None  # type: ignore[attr-defined]  # declared on ApiRequest
        header = request.headers.get("Authorization", "")
        if header:
            scheme, _, secret = header.partition(" ")
            token = token_for(secret.strip()) if scheme.lower() == "bearer" else None
            if token is None:
                raise SignInNeeded
            request.user = token.user
            request.token = token  # type: ignore[attr-defined]  # declared on ApiRequest
            return token.user
        if error := check_csrf(request):
            raise NotAllowed(role="", action="", hint="The page is out of date (CSRF token); reload it.") from None if error else None
        return request.user if request.user.is_authenticated else True
