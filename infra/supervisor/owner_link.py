"""Prints a one-time link that signs in the studio's first owner, for the terminal where the studio was started.

Prints nothing when nobody has an account.
"""

from __future__ import annotations

import os


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.config.settings")
    import django

    django.setup()
    from backend.core.actions import links
    from backend.core.models import Membership, Role

    first = Membership.objects.filter(role=Role.OWNER, user__is_active=True).order_by("pk").select_related("user").first()
    if first is not None:
        print(first.user.email)
        print(links.issue(first.user))


if __name__ == "__main__":
    main()
