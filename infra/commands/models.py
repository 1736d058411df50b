"""models, deploy, endpoints, predict."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import click

from infra.commands.connection import client_command, print_json, read_text, show
from workers.sdk.client import Client

IMAGES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"}


@click.command()
@client_command
def models(client: Client, as_json: bool) -> None:
    """Registered models."""
    columns: dict[str, Any] = {
        "MODEL": "slug",
        "TASK": "task",
        "VERSION": "latest_version",
        "ALIASES": lambda m: "  ".join(f"{name}@{number}" for name, number in m["aliases"].items()),
        "ENDPOINTS": lambda m: ", ".join(m["endpoints"]),
        "METRICS": lambda m: "  ".join(f"{k} {v:.4g}" for k, v in list(m["metrics"].items())[:4]),
    }
    show(client.list_models(), as_json, columns, empty="No models yet: a pipeline with a register step makes one.")


ENDPOINT: dict[str, Any] = {
    "ENDPOINT": "slug",
    "STATUS": "status",
    "MODEL": lambda e: f"{e['current']['model']}@{e['current']['model_version']}" if e["current"] else "",
    "URL": "url",
}


@click.command()
@click.argument("model", metavar="MODEL[@VERSION]")
@click.option("--endpoint", metavar="SLUG", help="The endpoint; otherwise one named after the model.")
@client_command
def deploy(model: str, endpoint: str | None, client: Client, as_json: bool) -> None:
    """Put a model version (`@3`, `@champion`, or the newest) behind an endpoint."""
    show(client.deploy(model, endpoint), as_json, ENDPOINT)


@click.command()
@client_command
def endpoints(client: Client, as_json: bool) -> None:
    """Endpoints and what answers there."""
    show(client.list_endpoints(), as_json, ENDPOINT, empty="No endpoints yet: `headrace deploy MODEL`.")


def read_instances(path: Path) -> list[dict[str, Any]]:
    """Rows of a JSON or JSON Lines file (an object, a list, or {"instances": […]}), or one image file."""
    if path.suffix.lower() in IMAGES:
        return [{"image": base64.b64encode(path.read_bytes()).decode()}]
    text = read_text(path)
    try:
        value = json.loads(text)
    except ValueError:
        try:
            value = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError as error:
            raise click.ClickException(f"{path} is neither JSON nor JSON Lines: {error}.") from None
    if isinstance(value, dict):
        value = value.get("instances", [value])
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise click.ClickException(f"{path} must hold an object, or a list of objects, one per row.")
    return value


@click.command()
@click.argument("endpoint")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option(
    "--json",
    "source",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON or JSON Lines file of rows.",
)
@click.option("--project", "-p", metavar="SLUG")
def predict(endpoint: str, file: Path | None, source: Path | None, project: str | None) -> None:
    """Ask ENDPOINT about the rows of a JSON file, or about an image file. The answer is JSON."""
    path = source or file
    if path is None:
        raise click.UsageError("Name a file: `headrace predict ENDPOINT --json FILE`.")

    @client_command
    def ask(client: Client, as_json: bool) -> None:
        print_json(client.predict(endpoint, read_instances(path)))

    ask(project=project, as_json=True)
