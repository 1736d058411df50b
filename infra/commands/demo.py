"""`demo`: the whole route on real data. What it does is in `infra/demo.py`; here are its options and the studio it needs."""

from __future__ import annotations

from pathlib import Path

import click

from infra.supervisor.options import DEFAULT_HOST


@click.command()
@click.argument("name", required=False)
@click.option("--all", "every", is_flag=True, help="Every demo, one after the other.")
@click.option("--exit", "leave", is_flag=True, help="Stop after the job; exit status 0 only if every phase succeeded.")
@click.option("--port", type=click.IntRange(0, 65535), default=None, help="Port of the studio.")
@click.option("--host", default=DEFAULT_HOST, show_default=True, help="Address to listen on.")
@click.option("--data-dir", type=click.Path(path_type=Path), default=None, help="Where data live (default .headrace beside manage.py).")
@click.option("--workers-cpu", type=click.IntRange(1, 512), default=None, help="How many steps may run at once.")
@click.option(
    "--gpu", type=click.Choice(["auto", "none"]), default="auto", show_default=True, help="Use the NVIDIA devices of this machine, or none."
)
def demo(
    name: str | None, every: bool, leave: bool, port: int | None, host: str, data_dir: Path | None, workers_cpu: int | None, gpu: str
) -> None:
    """Do the whole route on real data: data set, run, evaluation, model version, deployment, prediction."""
    from infra import demo as route
    from infra.supervisor import studio

    names = route.choose(name, every=every)
    arguments = ["--host", host, "--gpu", gpu]
    arguments += ["--port", str(port)] if port is not None else []
    arguments += ["--workers-cpu", str(workers_cpu)] if workers_cpu is not None else []
    click.echo("Starting the studio …")
    with studio.start(data_dir, *arguments) as running:
        try:
            good = route.run(running, names)
            if not leave and good:
                click.echo("The studio stays up until Ctrl-C.")
                running.wait()
        except KeyboardInterrupt:
            good = not leave
            click.echo("\nStopping.")
    raise SystemExit(0 if good else 1)
