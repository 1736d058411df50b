"""Personal API tokens: stored hashed, shown once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from backend.core.actions import audit
from backend.core.actions.people import clean_name
from backend.core.auth import new_secret
from backend.core.errors import Conflict, NotFound
from backend.core.models import ApiToken, Membership, User

MOST = 100
"""Live tokens of one person: far more than anyone uses, few enough to list."""


def create(user: User, name: str, project: str | None = None, expires_in_days: int | None = None) -> tuple[ApiToken, str]:
    """The token and its secret; the secret cannot be had again."""
    bound = None
    if project is not None:
        member = Membership.objects.select_related("project").filter(user=user, project__slug=project, project__archived_at=None).first()
        if member is None:
            raise NotFound(what="project", name=project, field="project")
        bound = member.project
    if ApiToken.objects.filter(user=user, step_run=None, revoked_at=None).count() >= MOST:
        raise Conflict(message=f"You have {MOST} tokens.", hint="Revoke those you do not use.")
    secret, digest, prefix = new_secret()
    expires = timezone.now() + timedelta(days=expires_in_days) if expires_in_days else None
    with transaction.atomic():
        token = ApiToken.objects.create(
            user=user, project=bound, name=clean_name(name), prefix=prefix, token_hash=digest, expires_at=expires
        )
        audit.record(
            user,
            "token.create",
            ("token", token.pk, token.name),
            after={"name": token.name, "project": project, "expires_at": expires},
            project=bound,
        )
    return token, secret


def revoke(user: User, token_id: Any) -> None:
    with transaction.atomic():
        token = ApiToken.objects.select_for_update().filter(pk=token_id, user=user, step_run=None, revoked_at=None).first()
        if token is None:
            raise NotFound(what="token", name=token_id)
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
        audit.record(user, "token.revoke", ("token", token.pk, token.name), project=token.project)
