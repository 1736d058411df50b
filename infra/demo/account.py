"""Runs inside the studio's environment: makes the demo's owner and project, prints a one-time sign-in link and an API token as JSON."""

from __future__ import annotations

import io
import json
import os

EMAIL = "owner@demo.local"
PROJECT = "demo"
TOKEN = "headrace demo"  # noqa: S105 - the token's name, not its secret


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.config.settings")
    import django

    django.setup()
    from django.core.management import call_command
    from django.utils import timezone

    from backend.core.actions import tokens
    from backend.core.models import ApiToken, User

    link = io.StringIO()
    call_command("create_owner", EMAIL, name="Demo Owner", project="Demo", slug=PROJECT, stdout=link)
    owner = User.objects.get(email=EMAIL)
    # The secret of the last start cannot be had again, so its token is of no more use.
    ApiToken.objects.filter(user=owner, name=TOKEN, revoked_at=None).update(revoked_at=timezone.now())
    _, secret = tokens.create(owner, TOKEN, PROJECT, expires_in_days=30)
    print(json.dumps({"link": link.getvalue().strip(), "token": secret, "email": EMAIL, "project": PROJECT}))


if __name__ == "__main__":
    main()
