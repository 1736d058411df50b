"""Links that work once: to sign in (printed by the terminal) and to reset a password (sent by mail)."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from backend.core.actions import audit
from backend.core.auth import hash_secret, new_secret
from backend.core.models import SignInLink, User

SIGN_IN_LIFETIME = timedelta(hours=12)
"""The terminal that printed it may wait for a while; it works once and opens nothing but this studio."""


def issue(user: User, path: str = "/", lifetime: timedelta = SIGN_IN_LIFETIME) -> str:
    """The address that signs `user` in, once, and leads to `path` (inside the studio)."""
    return f"{public_url()}/link/{make(user, SignInLink.Purpose.SIGN_IN, lifetime, path)}"


def make(user: User, purpose: str, lifetime: timedelta, path: str = "/") -> str:
    """A new secret; only its hash is kept."""
    if not path.startswith("/") or path.startswith(("//", "/\\")):
        raise ValueError(f"a link leads to a path of this studio, not to “{path}”")
    secret, digest, _ = new_secret()
    with transaction.atomic():
        link = SignInLink.objects.create(user=user, purpose=purpose, path=path, token_hash=digest, expires_at=timezone.now() + lifetime)
        audit.record(None, "link.issue", ("sign_in_link", link.pk, user.email), details={"purpose": str(purpose), "path": path})
    return secret


def use(secret: str, purpose: str) -> SignInLink | None:
    """Spend the link: returned to exactly one caller; None when it is unknown, used, expired or its person is switched off."""
    now = timezone.now()
    spent = SignInLink.objects.filter(
        token_hash=hash_secret(secret), purpose=purpose, used_at=None, expires_at__gt=now, user__is_active=True
    ).update(used_at=now)
    return SignInLink.objects.select_related("user").get(token_hash=hash_secret(secret)) if spent else None


def public_url() -> str:
    return settings.PUBLIC_URL.rstrip("/")
