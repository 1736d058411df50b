"""What the benchmarks share: Django set up for the studio's database, a project with an owner, a token."""

from __future__ import annotations

import logging
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.config.settings")
import django

django.setup()

from backend.core.actions import tokens  # noqa: E402 - Django must be set up first
from backend.core.models import Membership, Project, User  # noqa: E402 - as above

logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for each request would be work of the client's that is measured too

URL = os.environ["HEADRACE_BENCH_URL"]
PREDICTOR = os.environ["HEADRACE_BENCH_PREDICTOR"]


def account() -> tuple[Project, User, str]:
    """The benchmark's project, its owner and a fresh token."""
    user = User.objects.filter(email="bench@example.org").first() or User.objects.create_user("bench@example.org", None, name="Bench")
    project, _ = Project.objects.get_or_create(slug="bench", defaults={"name": "Bench", "created_by": user})
    Membership.objects.get_or_create(project=project, user=user, defaults={"role": "owner"})
    _, secret = tokens.create(user, "bench", expires_in_days=1)
    return project, user, secret
