"""`up`: start the studio and stay."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from infra.supervisor.options import DEFAULT_HOST, DEFAULT_PORT, Options

if TYPE_CHECKING:
    from infra.supervisor.main import Supervisor


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=None,
    help=f"Port of the studio (default {DEFAULT_PORT}, or the next free one; 0: any free one).",
)
@click.option("--host", default=DEFAULT_HOST, show_default=True, help="Address to listen on; 0.0.0.0 for the whole network.")
@click.option("--data-dir", type=click.Path(path_type=Path), default=None, help="Where data live (default .headrace beside manage.py).")
@click.option(
    "--workers-cpu", type=click.IntRange(1, 512), default=None, help="How many steps may run at once (default: one a core, 2 to 8)."
)
@click.option(
    "--gpu", type=click.Choice(["auto", "none"]), default="auto", show_default=True, help="Use the NVIDIA devices of this machine, or none."
)
@click.option("--logs", is_flag=True, help="Show every line of every part on the terminal too.")
def up(port: int | None, host: str, data_dir: Path | None, workers_cpu: int | None, gpu: Literal["auto", "none"], logs: bool) -> None:
    """Start the studio and stay until Ctrl-C."""
    from infra.supervisor import main

    options = Options(host=host, port=port, workers_cpu=workers_cpu, gpu=gpu, logs=logs)
    main.run(data_dir, options, ready=announce, say=click.echo)
    click.echo("Stopped.")


async def announce(supervisor: Supervisor) -> None:
    """The addresses, and on a terminal (never in a file, where it would stay) a link that signs in."""
    assert supervisor.addresses is not None
    url = supervisor.addresses.public
    click.echo(f"Studio     {url}")
    click.echo(f"Predictor  {supervisor.addresses.predictor_public}")
    click.echo(f"Data       {supervisor.layout.data}")
    click.echo(f"Log        {supervisor.layout.log}")
    click.echo("Stop with Ctrl-C.")
    if sys.stdout.isatty():
        email, link = await supervisor.owner_link()
        click.echo(f"Sign in    {link}  (once, as {email})" if link else f"Sign up    {url}/sign-up  (the first account)")
