"""Projects, their members, and invitations."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from backend.core import mail
from backend.core.actions import audit, links
from backend.core.actions.people import clean_name
from backend.core.auth import new_secret
from backend.core.errors import Conflict, InvalidInput, LastOwner, NotFound
from backend.core.models import Invitation, Membership, Project, Role, User
from backend.core.queries import people, unique_slug

INVITATION_LIFETIME = timedelta(days=14)
FIELDS = ("slug", "name", "description")


def create(user: User, name: str, slug: str | None = None, description: str = "") -> Project:
    """A project with `user` as owner. A slug that was asked for and is taken is refused; a made-up one finds a free number."""
    name = clean_name(name)
    if slug is not None and not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug):
        raise InvalidInput(message="This slug is not usable.", field="slug", hint="Small letters and digits, with single hyphens between.")
    for last in (False, False, True):
        try:
            with transaction.atomic():
                project = Project.objects.create(
                    name=name, slug=slug or unique_slug(Project.objects.all(), name, "project"), description=description, created_by=user
                )
                Membership.objects.create(project=project, user=user, role=Role.OWNER)
                audit.record(user, "project.create", project, after=audit.snapshot(project, *FIELDS))
                return project
        except IntegrityError as exc:  # two at once chose the same slug
            if slug is not None:
                raise Conflict(message=f"There is a project “{slug}” already.", field="slug", hint="Choose another slug.") from exc
            if last:
                raise
    raise AssertionError("unreachable")


def update(user: User, project: Project, name: str | None = None, description: str | None = None) -> Project:
    before = audit.snapshot(project, *FIELDS)
    if name is not None:
        project.name = clean_name(name)
    if description is not None:
        project.description = description
    with transaction.atomic():
        project.save(update_fields=["name", "description"])
        audit.record(user, "project.update", project, before, audit.snapshot(project, *FIELDS))
    return project


def archive(user: User | str, project: Project) -> None:
    """Hide it from everybody; nothing is deleted (`restore_project` brings it back)."""
    with transaction.atomic():
        project.archived_at = timezone.now()
        project.save(update_fields=["archived_at"])
        audit.record(user, "project.archive", project)


def restore(actor: User | str, project: Project) -> None:
    with transaction.atomic():
        project.archived_at = None
        project.save(update_fields=["archived_at"])
        audit.record(actor, "project.restore", project)


def set_role(user: User, project: Project, user_id: Any, role: str) -> Membership:
    with transaction.atomic():
        _lock(project)
        member = people.membership(project, user_id)
        if role != Role.OWNER:
            _keep_an_owner(project, member)
        before, member.role = {"role": member.role}, role
        member.save(update_fields=["role"])
        audit.record(user, "member.update", ("user", member.user_id, member.user.email), before, {"role": role}, project=project)
    return member


def remove_member(user: User, project: Project, user_id: Any) -> None:
    with transaction.atomic():
        _lock(project)
        member = people.membership(project, user_id)
        _keep_an_owner(project, member)
        audit.record(user, "member.remove", ("user", member.user_id, member.user.email), {"role": member.role}, project=project)
        member.delete()


def _lock(project: Project) -> None:
    """Changes of a project's owners one after the other: two owners who remove each other at once must not both succeed."""
    Project.objects.select_for_update().get(pk=project.pk)


def _keep_an_owner(project: Project, leaving: Membership) -> None:
    if leaving.role == Role.OWNER and not project.memberships.filter(role=Role.OWNER, user__is_active=True).exclude(pk=leaving.pk).exists():
        raise LastOwner(field="role")


def invite(user: User, project: Project, email: str, role: str) -> tuple[Invitation, str]:
    """An invitation and its link, which is also mailed. An earlier one to the same address stops working."""
    email = email.strip().lower()
    if project.memberships.filter(user__email=email).exists():
        raise Conflict(message=f"{email} is a member already.", field="email", hint="Change the role in the list of members.")
    secret, digest, _ = new_secret()
    now = timezone.now()
    with transaction.atomic():
        _lock(project)
        project.invitations.filter(email=email, accepted_at=None, revoked_at=None).update(revoked_at=now)
        invitation = Invitation.objects.create(
            project=project,
            email=email,
            role=role,
            token_hash=digest,
            invited_by=user,
            created_at=now,
            expires_at=now + INVITATION_LIFETIME,
        )
        audit.record(user, "invitation.create", ("invitation", invitation.pk, email), after={"email": email, "role": role}, project=project)
        link = f"{links.public_url()}/invitations/{secret}"
        mail.send_on_commit(
            email,
            f"{' '.join(str(user).split())} invites you to {' '.join(project.name.split())} on Headrace",
            f"{user} ({user.email}) invites you to the project “{project.name}” as {role}.\n\n"
            f"Accept here within {INVITATION_LIFETIME.days} days:\n{link}\n",
        )
    return invitation, link


def revoke_invitation(user: User, project: Project, invitation_id: Any) -> None:
    with transaction.atomic():
        changed = project.invitations.filter(pk=invitation_id, accepted_at=None, revoked_at=None).update(revoked_at=timezone.now())
        if not changed:
            raise NotFound(what="open invitation", name=invitation_id)
        audit.record(user, "invitation.revoke", ("invitation", invitation_id, ""), project=project)
