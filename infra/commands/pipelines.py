"""pipeline export | import | list."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from infra.commands.connection import client_command, print_json, read_text, show
from workers.sdk.client import Client


@click.group()
def pipeline() -> None:
    """Export, import and list pipelines."""


@pipeline.command("list")
@click.option("--templates", is_flag=True, help="List the gallery of templates instead.")
@client_command
def list_pipelines(templates: bool, client: Client, as_json: bool) -> None:
    """Pipelines of the project."""
    if templates:
        show(client.list_templates(), as_json, {"TEMPLATE": "slug", "TITLE": "title", "FOR": "modality"})
        return
    columns: dict[str, Any] = {"PIPELINE": "slug", "NAME": "name", "STEPS": "steps", "VERSION": "latest_version"}
    show(list(client.list_pipelines()), as_json, columns, empty="No pipelines yet: `headrace pipeline import FILE`, or draw one.")


@pipeline.command("export")
@click.argument("slug")
@click.option("--version", type=int, help="A published version; otherwise the draft.")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file instead of the terminal.")
@client_command
def export_pipeline(slug: str, version: int | None, output: Path | None, client: Client, as_json: bool) -> None:
    """Print a pipeline as YAML: the same graph gives the same text, so it can be compared and kept under version control."""
    answer = client.export_pipeline(slug, version)
    if output is not None:
        output.write_text(answer["yaml"], encoding="utf-8")
    if as_json:
        print_json(answer)
    elif output is None:
        click.echo(answer["yaml"], nl=False)
    else:
        click.echo(f"Wrote {output}.")


@pipeline.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--to", "slug", metavar="SLUG", help="Import into this pipeline as its next version; otherwise a pipeline is made.")
@client_command
def import_pipeline(file: Path, slug: str | None, client: Client, as_json: bool) -> None:
    """Import a pipeline from YAML (`-` reads the terminal) and publish it."""
    made = client.import_pipeline(read_text(file), slug)
    show(made, as_json, {"PIPELINE": "slug", "NAME": "name", "STEPS": "steps", "VERSION": "latest_version"})
