"""Set and delete a project's secrets. The value goes in and never comes out again; the audit log hears of the name only."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from backend.core.actions.audit import record
from backend.core.models import Project, User
from backend.core.secrets import encrypt
from backend.runs.models import ProjectSecret
from backend.runs.secrets import find_secret


def set_secret(project: Project, user: User, name: str, value: str) -> ProjectSecret:
    """A new secret, or another value for one that there is. Runs that are under way take the new value at their next step."""
    with transaction.atomic():
        found, made = ProjectSecret.objects.select_for_update().get_or_create(
            project=project, name=name, defaults={"ciphertext": encrypt(value), "created_by": user}
        )
        if not made:
            found.ciphertext, found.updated_at = encrypt(value), timezone.now()
            found.save(update_fields=["ciphertext", "updated_at"])
        record(user, "secret.set", ("secret", found.pk, name), project=project, details={"new": made})
    return found


def delete_secret(project: Project, user: User, name: str) -> None:
    with transaction.atomic():
        found = find_secret(project, name)
        record(user, "secret.delete", ("secret", found.pk, name), project=project)
        found.delete()
