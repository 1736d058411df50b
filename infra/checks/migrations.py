"""The models and the committed migrations say the same. Looks at files only: no database is asked."""

from __future__ import annotations

import os
import sys


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.config.settings")
    os.environ.setdefault("SECRET_KEY", "only-to-import-the-settings")
    import django
    from django.core.management import call_command
    from django.db.migrations.loader import MigrationLoader

    django.setup()
    MigrationLoader.check_consistent_history = lambda *_: None  # type: ignore[method-assign]  # it would connect to a database
    try:
        call_command("makemigrations", check=True, dry_run=True, interactive=False)
    except SystemExit as exc:
        print("Make the missing migrations: manage.py makemigrations")
        return int(exc.code or 1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
