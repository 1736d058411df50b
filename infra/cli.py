"""The door: `manage.py …` and `headrace …` are this one group of commands.

Commands of the machine (up, down, status, test, lint, bench, demo) and of the client (`infra/commands/`) are loaded only when
they are named, so that each starts as fast as it can. What is none of them is given to Django's own management commands.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import click

COMMANDS = {
    "up": "up",
    "down": "down",
    "status": "status",
    "demo": "demo",
    "test": "test",
    "lint": "lint",
    "bench": "bench",
    "login": "session",
    "logout": "session",
    "project": "session",
    "dataset": "datasets",
    "labels": "labels",
    "pipeline": "pipelines",
    "run": "runs",
    "runs": "runs",
    "logs": "runs",
    "cancel": "runs",
    "triggers": "triggers",
    "models": "models",
    "deploy": "models",
    "endpoints": "models",
    "predict": "models",
    "worker": "worker",
}
"""Name → the module of `infra/commands/` that holds the click command of that name."""


class Door(click.Group):
    """Finds a command by name: one of ours, else one of Django's."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return _django(cmd_name)
        found = getattr(importlib.import_module(f"infra.commands.{COMMANDS[cmd_name]}"), cmd_name)
        assert isinstance(found, click.Command), f"{cmd_name} is not a click command"
        return found


def _django(name: str) -> click.Command | None:
    """Django's own commands (migrate, shell, create_owner, signin_link, …), with the services they need."""
    from infra.commands import django_

    return django_.command(name)


@click.command(cls=Door, context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=True)
def door() -> None:
    """Headrace: from data to a model that answers, in one studio."""


def main(arguments: list[str] | None = None) -> None:
    """Run a command; what keeps it from running is one sentence on stderr and exit status 1."""
    from infra.supervisor.errors import CannotStart

    try:
        door.main(args=arguments, prog_name=Path(sys.argv[0]).name or "headrace")
    except CannotStart as exc:
        click.echo(str(exc), err=True)
        sys.exit(1)
