"""`worker`: let this machine run steps for a studio elsewhere."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import click

from infra.supervisor.errors import CannotStart
from infra.supervisor.layout import ROOT, Layout

QUEUES = ("io", "cpu", "gpu")
DATA_DIR = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    default=None,
    help="Where this host keeps its place (default .headrace-worker beside manage.py).",
)
LOGS = click.option("--logs", is_flag=True, help="Show every line of every part on the terminal too.")


@click.group()
def worker() -> None:
    """Let this machine run steps for a studio elsewhere."""


@worker.command()
@click.argument("url")
@click.option("--token", envvar="HEADRACE_JOIN_TOKEN", required=True, help="A join token from the studio's Workers page.")
@click.option("--name", default=None, help="What the studio calls this host (default: its host name).")
@click.option(
    "--label", "labels", multiple=True, metavar="NAME=VALUE", help="What is special here, such as site=factory-3. May be repeated."
)
@click.option("--queues", default=",".join(QUEUES), show_default=True, help="Which queues of steps it takes.")
@click.option(
    "--processes", type=click.IntRange(1, 512), default=None, help="How many steps may run at once (default: one a core, 2 to 8)."
)
@DATA_DIR
@LOGS
def join(
    url: str, token: str, name: str | None, labels: tuple[str, ...], queues: str, processes: int | None, data_dir: Path | None, logs: bool
) -> None:
    """Join the studio at URL and work for it until Ctrl-C."""
    from infra.supervisor import joined, options

    layout, taken = _layout(data_dir), tuple(dict.fromkeys(q.strip() for q in queues.split(",") if q.strip()))
    if unknown := [q for q in taken if q not in QUEUES]:
        raise CannotStart(f"There is no queue “{unknown[0]}”; --queues takes some of {', '.join(QUEUES)}.")
    if not taken:
        raise CannotStart(f"--queues takes at least one of {', '.join(QUEUES)}.")
    host = joined.join(
        layout,
        url,
        token,
        name=name or socket.gethostname(),
        labels=_labels(labels),
        queues=taken,
        processes=processes or options.default_workers(),
    )
    joined.run(layout, host, logs=logs, say=click.echo)


@worker.command()
@DATA_DIR
@LOGS
def start(data_dir: Path | None, logs: bool) -> None:
    """Work again for the studio that this host has joined."""
    from infra.supervisor import joined

    layout = _layout(data_dir)
    joined.run(layout, joined.kept(layout), logs=logs, say=click.echo)


def _layout(data_dir: Path | None) -> Layout:
    return Layout.of(data_dir or os.environ.get("HEADRACE_WORKER_DIR") or ROOT / ".headrace-worker")


def _labels(given: tuple[str, ...]) -> dict[str, str]:
    from workers.sdk.graph import GraphError
    from workers.sdk.graph.needs import normalise_labels

    if wrong := [one for one in given if "=" not in one]:
        raise CannotStart(f"“{wrong[0]}” is no label; write NAME=VALUE, such as site=factory-3.")
    try:
        return normalise_labels(dict(one.split("=", 1) for one in given), "label")
    except GraphError as exc:
        raise CannotStart(str(exc)) from exc
