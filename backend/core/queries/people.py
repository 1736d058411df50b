"""Who is there and what they may do."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from backend.core.auth import hash_secret
from backend.core.errors import LinkSpent, NotFound
from backend.core.models import ApiToken, AuditEntry, Invitation, Membership, Project, User
from backend.core.permissions import ACTIONS, may


def memberships(user: User, token: ApiToken | None = None) -> list[Membership]:
    """Of projects that are not archived; with a token bound to a project, of that one only."""
    found = (
        Membership.objects.select_related("project").filter(user=user, project__archived_at=None).order_by("project__name", "project__slug")
    )
    if token is not None and (token.project_id or token.step_run):
        found = found.filter(project_id=token.project_id)
    return list(found)


def me(user: User, token: ApiToken | None = None) -> dict[str, Any]:
    """The answer of `/me`."""
    found = memberships(user, token)
    return {
        "id": user.pk,
        "email": user.email,
        "name": user.name,
        "administrator": user.is_staff,
        "memberships": [{"project": m.project.slug, "project_name": m.project.name, "role": m.role} for m in found],
        "permissions": {m.project.slug: [action for action in ACTIONS if may(m.role, action)] for m in found},
    }


def first_account() -> bool:
    return not User.objects.exists()


def project_out(project: Project, role: str) -> dict[str, Any]:
    return {
        "id": project.pk,
        "slug": project.slug,
        "name": project.name,
        "description": project.description,
        "role": role,
        "created_at": project.created_at,
    }


def members(project: Project) -> list[Membership]:
    return list(project.memberships.select_related("user").order_by("created_at", "pk"))


def open_invitations(project: Project) -> list[Invitation]:
    return list(project.invitations.filter(accepted_at=None, revoked_at=None, expires_at__gt=timezone.now()).order_by("-created_at"))


def invitation(secret: str) -> Invitation:
    """The open invitation with this secret."""
    found = (
        Invitation.objects.select_related("project", "invited_by")
        .filter(token_hash=hash_secret(secret), accepted_at=None, revoked_at=None, expires_at__gt=timezone.now(), project__archived_at=None)
        .first()
    )
    if found is None:
        raise LinkSpent(hint="Ask for a new invitation.")
    return found


def invitation_preview(secret: str) -> dict[str, Any]:
    found = invitation(secret)
    return {
        "email": found.email,
        "project": found.project.name,
        "role": found.role,
        "invited_by": str(found.invited_by or ""),
        "has_account": User.objects.filter(email=found.email).exists(),
    }


def invitation_out(found: Invitation, link: str | None = None) -> dict[str, Any]:
    return {
        "id": found.pk,
        "email": found.email,
        "role": found.role,
        "created_at": found.created_at,
        "expires_at": found.expires_at,
        "link": link,
    }


def personal_tokens(user: User) -> list[ApiToken]:
    return list(ApiToken.objects.select_related("project").filter(user=user, step_run=None, revoked_at=None).order_by("-created_at"))


def token_out(token: ApiToken, secret: str | None = None) -> dict[str, Any]:
    return {
        "id": token.pk,
        "name": token.name,
        "prefix": token.prefix,
        "project": token.project.slug if token.project else None,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
        "token": secret,
    }


def membership(project: Project, user_id: Any) -> Membership:
    found = project.memberships.select_related("user").filter(user_id=user_id).first()
    if found is None:
        raise NotFound(what="member", name=user_id)
    return found


def audit_entries(project: Project, action: str | None, target_type: str | None, target_id: str | None) -> Any:
    """`action` is a whole one (`dataset.freeze`) or its noun (`dataset`)."""
    found = AuditEntry.objects.filter(project=project)
    if action:
        found = found.filter(action=action) if "." in action else found.filter(action__startswith=f"{action}.")
    if target_type:
        found = found.filter(target_type=target_type)
    if target_id:
        found = found.filter(target_id=target_id)
    return found
