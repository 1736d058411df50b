"""The door: every command is where it says, and unknown ones get a sentence."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from infra import cli
from infra.supervisor.layout import ROOT


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_every_listed_command_exists_and_explains_itself(name: str) -> None:
    context = click.Context(cli.door)
    found = cli.door.get_command(context, name)
    assert found is not None and found.name == name
    assert found.get_short_help_str(), f"{name} needs a docstring"


def test_an_unknown_command_is_told_where_to_look() -> None:
    refused = subprocess.run([sys.executable, "-m", "infra", "no-such-thing"], check=False, cwd=ROOT, capture_output=True, text=True)
    assert refused.returncode == 2
    assert "no-such-thing" in refused.stderr and "--help" in refused.stderr and "Traceback" not in refused.stderr
