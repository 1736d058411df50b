"""Bring an archived project back."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backend.core.actions import projects
from backend.core.models import Project


class Command(BaseCommand):
    help = "Bring the archived project SLUG back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")

    def handle(self, *args: Any, slug: str, **options: Any) -> None:
        project = Project.objects.filter(slug=slug).exclude(archived_at=None).first()
        if project is None:
            raise CommandError(f"There is no archived project “{slug}”.")
        projects.restore("restore_project", project)
        self.stdout.write(f"{slug} is back.")
