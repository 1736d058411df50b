"""Print an address that signs a person in, once."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backend.core.actions import links
from backend.core.models import User


class Command(BaseCommand):
    help = "Print a link that signs EMAIL in, once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--path", default="/", help="Where it leads to (default: the list of projects)")
        parser.add_argument("--minutes", type=int, default=int(links.SIGN_IN_LIFETIME.total_seconds() // 60), help="How long it stays good")

    def handle(self, *args: Any, email: str, path: str, minutes: int, **options: Any) -> None:
        user = User.objects.filter(email=email.strip().lower(), is_active=True).first()
        if user is None:
            raise CommandError(f"There is no account {email}. Make one with: create_owner {email}")
        self.stdout.write(links.issue(user, path, timedelta(minutes=minutes)))
