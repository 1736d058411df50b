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
    "up": "infra.commands.up:up",
    "down": "infra.commands.down:down",
    "status": "infra.commands.status:status",
    "demo": "infra.commands.demo:demo",
    "test": "infra.commands.test:test",
    "lint": "infra.commands.lint:lint",
    "bench": "infra.commands.bench:bench",
}
"""Name → where its click command is. The files of `infra/commands/` not named here are found by their name."""

HELP = {
    "up": "Start the studio and stay until Ctrl-C.",
    "down": "Stop the studio that runs on a data directory.",
    "status": "Tell what runs.",
    "demo": "Do the whole route on real data.",
    "test": "Run every check and test.",
    "lint": "Run the static checks.",
    "bench": "Measure the engine, serving and ingestion.",
}


class Door(click.Group):
    """Finds a command by name: a listed one, a module `infra/commands/<name>.py` with a click command of that name, or Django's."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        folder = Path(__file__).with_name("commands")
        found = {path.stem.replace("_", "-").removesuffix("-") for path in folder.glob("*.py") if path.stem != "__init__"}
        return [*COMMANDS, *sorted(found - set(COMMANDS))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module, _, name = COMMANDS.get(cmd_name, "").partition(":")
        if not module:
            if cmd_name.startswith("_") or cmd_name not in self.list_commands(ctx):
                return _django(cmd_name)
            stem = cmd_name.replace("-", "_")
            if not Path(__file__).with_name("commands").joinpath(f"{stem}.py").exists():
                stem += "_"  # a name that Python keeps for itself
            module, name = f"infra.commands.{stem}", stem
        found = getattr(importlib.import_module(module), name)
        assert isinstance(found, click.Command), f"{module}:{name} is not a click command"
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
