"""Make an account (if need be) that owns a project (if need be) and print a link that signs in."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils.text import slugify
from pydantic import TypeAdapter, ValidationError

from backend.core.actions import audit, links, projects
from backend.core.models import Membership, Project, Role, User
from backend.core.schemas import Email


class Command(BaseCommand):
    help = "Make EMAIL an account without a password, owner of a project, and print a one-time sign-in link. Safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="", help="The person's name")
        parser.add_argument("--project", default="", help="Name of the project to own; made when no project has the slug it gives")
        parser.add_argument("--slug", default=None, help="The project's slug (default: made from its name)")

    @transaction.atomic
    def handle(self, *args: Any, email: str, name: str, project: str, slug: str | None, **options: Any) -> None:
        email = email.strip().lower()
        try:
            TypeAdapter(Email).validate_python(email)
        except ValidationError as exc:
            raise CommandError(f"“{email}” is no e-mail address.") from exc
        user = User.objects.filter(email=email).first()
        if user is None:
            first = not User.objects.filter(is_staff=True).exists()
            user = User.objects.create_user(email, None, name=name or email.split("@")[0], is_staff=first)
            audit.record("create_owner", "user.create", user, after={"email": email, "name": user.name})
        path = "/"
        if project:
            wanted = slug or slugify(project) or "project"
            found = Project.objects.filter(slug=wanted).first() or projects.create(user, project, wanted)
            member, made = Membership.objects.get_or_create(project=found, user=user, defaults={"role": Role.OWNER})
            if not made and member.role != Role.OWNER:
                member.role = Role.OWNER
                member.save(update_fields=["role"])
            if made:
                audit.record("create_owner", "member.update", user, after={"role": member.role}, project=found)
            path = f"/p/{found.slug}"
        self.stdout.write(links.issue(user, path))
