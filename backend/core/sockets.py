"""Who is behind a WebSocket, and whether they still may be: the same session, tokens and table as for HTTP."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.sessions.models import Session
from django.utils import timezone

from backend.core.auth import token_for
from backend.core.errors import SignInNeeded
from backend.core.http import authorize
from backend.core.models import ApiToken, Membership, User
from backend.core.permissions import may


@dataclass(frozen=True, kw_only=True)
class Seat:
    """One person's place at one project's socket, with what it was given for."""

    user: UUID
    project: UUID
    action: str
    session: str = ""
    session_hash: str = ""
    token: UUID | None = None


def admit(scope: dict[str, Any], slug: str, action: str) -> Seat:
    """From `Authorization: Bearer …`, else the session; raises SignInNeeded, NotFound or NotAllowed. Reads the database."""
    header = dict(scope.get("headers", [])).get(b"authorization", b"").decode("latin-1")
    if header:
        scheme, _, secret = header.partition(" ")
        token = token_for(secret.strip()) if scheme.lower() == "bearer" else None
        if token is None:
            raise SignInNeeded
        project, _ = authorize(token.user, slug, action, token)
        return Seat(user=token.user_id, project=project.pk, action=action, token=token.pk)
    user = scope.get("user")
    if user is None or not user.is_authenticated:
        raise SignInNeeded
    project, _ = authorize(user, slug, action)
    return Seat(
        user=user.pk,
        project=project.pk,
        action=action,
        session=scope["session"].session_key or "",
        session_hash=user.get_session_auth_hash(),
    )


def still_good(seats: Iterable[Seat]) -> set[Seat]:
    """Those of `seats` whose session or token, person, project and role still allow them; four queries for any number."""
    asked, now = set(seats), timezone.now()
    people = {user.pk: user for user in User.objects.filter(pk__in={s.user for s in asked}, is_active=True)}
    roles = {
        (user, project): role
        for user, project, role in Membership.objects.filter(
            user__in=people, project__in={s.project for s in asked}, project__archived_at=None
        ).values_list("user_id", "project_id", "role")
    }
    sessions = set(Session.objects.filter(pk__in={s.session for s in asked if s.session}, expire_date__gt=now).values_list("pk", flat=True))
    tokens = {
        pk
        for pk, expires in ApiToken.objects.filter(pk__in={s.token for s in asked if s.token}, revoked_at=None).values_list(
            "pk", "expires_at"
        )
        if expires is None or expires > now
    }

    def good(seat: Seat) -> bool:
        if (person := people.get(seat.user)) is None or not may(roles.get((seat.user, seat.project)), seat.action):
            return False
        if seat.token is not None:
            return seat.token in tokens
        return seat.session in sessions and seat.session_hash == person.get_session_auth_hash()

    return {seat for seat in asked if good(seat)}
