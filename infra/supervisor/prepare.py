"""Run once at a start, in a process of its own: migrations and static files, each only when something changed."""

from __future__ import annotations

import os
import sys

ARGUMENTS = ("migrate", "collectstatic")


def main(wanted: list[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.config.settings")
    import django
    from django.core.management import call_command

    django.setup()
    if "migrate" in wanted:
        call_command("migrate", interactive=False, verbosity=1)
    if "collectstatic" in wanted:
        call_command("collectstatic", interactive=False, clear=True, verbosity=0)


if __name__ == "__main__":
    main(sys.argv[1:])
