"""`test`: every check and every test, with one exit status. Its last line is pytest's own summary."""

from __future__ import annotations

import os
import subprocess
import sys

import click

from infra.bootstrap.chromium import ensure_chromium
from infra.supervisor.layout import ROOT

NO_BROWSER = (
    "There is no Chromium, so the browser tests cannot run and this counts as a failure. Install it with the system's package "
    "manager (Debian: apt-get install chromium), or name one: CHROMIUM=/path/to/chromium."
)

PROCESSES = 1 + max(1, min(3, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1))
"""Processes for the whole suite, each with a database and a broker of its own. One more than there are cores: a fifth of the time goes
by waiting (for limits that must pass, for leases of who was killed), while the cores are idle."""


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--all", "everything", is_flag=True, help="The slow ones too.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(everything: bool, arguments: tuple[str, ...]) -> None:
    """Run checks, unit, integration and browser tests. With ARGUMENTS: only pytest, with these."""
    browser = ensure_chromium()
    troubles = []
    if not arguments:
        from infra.commands import lint

        click.echo("Checks")
        if failed := lint.run():
            troubles.append(f"failed checks: {', '.join(failed)}")
        click.echo("Tests")
    if browser is None:
        click.echo(NO_BROWSER)
        troubles.append("no Chromium, so no browser tests")
    unwanted = [name for name, drop in (("slow", not everything), ("e2e", browser is None)) if drop]
    marks = " and ".join(f"not {name}" for name in unwanted)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "infra.checks.troubles",
        *(["-m", marks] if marks and "-m" not in arguments else []),
        *(["-n", str(PROCESSES)] if not arguments else []),
        *arguments,
    ]
    environment = {**os.environ, "HEADRACE_TROUBLES": "\n".join(troubles), **({"CHROMIUM": browser} if browser else {})}
    code = subprocess.run(command, check=False, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL).returncode
    raise SystemExit(code or (1 if troubles else 0))
