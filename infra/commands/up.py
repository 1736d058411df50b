"""`up`: start the studio and stay."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import click

from infra.supervisor.options import DEFAULT_HOST, DEFAULT_PORT, Options


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


def announce(state: dict[str, Any]) -> None:
    click.echo(f"Studio     {state['url']}")
    click.echo(f"Predictor  {state['predictor_url']}")
    click.echo(f"Data       {state['data_dir']}")
    click.echo(f"Log        {state['log']}")
    click.echo("Stop with Ctrl-C.")


def spawn(arguments: list[str], **options: Any) -> subprocess.Popen[bytes]:
    """The same command in a process of its own, for those who need a studio while they work."""
    return subprocess.Popen(
        [sys.executable, "-m", "infra", "up", *arguments], cwd=os.fspath(Path(__file__).resolve().parents[2]), **options
    )
