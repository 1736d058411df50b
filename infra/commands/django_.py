"""Django's management commands through the same door, with the database and the broker they need.

Where a studio runs on the data directory they use its services; else the embedded ones run for as long as the command does.
"""

from __future__ import annotations

import os
import sys

import click

ALONE = {"check", "compilemessages", "diffsettings", "help", "makemessages", "makemigrations", "startapp", "version"}
"""Commands that need no services. `makemigrations` compares files; it is told not to look into a database."""


def command(name: str) -> click.Command | None:
    if not name.replace("_", "").replace("-", "").isalnum():
        return None

    @click.command(name, context_settings={"ignore_unknown_options": True, "help_option_names": []}, add_help_option=False)
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def run(arguments: tuple[str, ...]) -> None:
        from infra.supervisor.studio import services

        name_ = name.replace("-", "_")  # `signin-link` reads better on a terminal than `signin_link`
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.config.settings")
        if name in ALONE:
            os.environ.setdefault("SECRET_KEY", "not-used-by-this-command")
            _execute(name_, arguments)
        with services():
            _execute(name_, arguments)

    return run


def _execute(name: str, arguments: tuple[str, ...]) -> None:
    import django
    from django.core.management import execute_from_command_line, get_commands

    django.setup()
    if name not in get_commands():
        raise click.UsageError(f"There is no command “{name.replace('_', '-')}”; “manage.py --help” lists ours, “manage.py help” Django's.")
    execute_from_command_line([sys.argv[0], name, *arguments])
    raise SystemExit(0)
