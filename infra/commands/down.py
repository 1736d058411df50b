"""`down`: stop the studio that runs on a data directory, or end what a killed one left."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import click

from infra.supervisor import processes, state
from infra.supervisor.errors import CannotStart
from infra.supervisor.layout import Layout

LONGEST = 10.0
"""Seconds until it is ended by force; a studio stops within 5."""


@click.command()
@click.option(
    "--data-dir", type=click.Path(path_type=Path), default=None, help="The studio's data directory (default .headrace beside manage.py)."
)
def down(data_dir: Path | None) -> None:
    """Stop the studio that runs on a data directory."""
    layout = Layout.of(data_dir)
    now = state.running(layout)
    if now:
        known = (int(now["pid"]), str(now["mark"]))
        processes.end(known[0], signal.SIGTERM)
        if processes.wait_gone([known], LONGEST):
            click.echo(f"Stopped the studio on {layout.data}.")
            return
        processes.end(known[0], signal.SIGKILL)
        processes.wait_gone([known], 2)
    if not layout.data.is_dir() or not state.read(layout):
        click.echo(f"No studio runs on {layout.data}.")
        return
    try:
        held = state.lock(layout)
    except CannotStart:
        click.echo(f"A studio on {layout.data} is being started; try again in a moment.", err=True)
        raise SystemExit(1) from None
    found = state.end_orphans(layout)
    layout.state.unlink(missing_ok=True)
    os.close(held)
    click.echo(f"Ended what a killed supervisor left running: {', '.join(found)}." if found else f"No studio runs on {layout.data}.")
