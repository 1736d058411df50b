"""triggers list | create | enable | disable | fire | events | replay."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import yaml

from infra.commands.connection import client_command, print_json, read_text, show
from workers.sdk.client import Client

COLUMNS: dict[str, Any] = {
    "TRIGGER": "slug",
    "ON": lambda t: "on" if t["enabled"] else "off",
    "STARTS": lambda t: t["sentence"].removeprefix("Starts ").rstrip("."),
    "PIPELINE": lambda t: f"{t['pipeline']} v{t['version']}" if t["version"] else t["pipeline"],
    "LAST": lambda t: t["last_event"]["status"] if t["last_event"] else "",
}
EVENTS: dict[str, Any] = {
    "EVENT": "id",
    "RECEIVED": lambda e: e["received_at"][:19].replace("T", " "),
    "FROM": "source",
    "STATUS": "status",
    "RUN": "run_number",
    "WHY": "reason",
}


def read_record(path: Path) -> dict[str, Any]:
    """A YAML or JSON file that holds one object."""
    try:
        value = yaml.safe_load(read_text(path))
    except yaml.YAMLError as error:
        raise click.ClickException(f"{path} is neither YAML nor JSON: {error}") from None
    if not isinstance(value, dict):
        raise click.ClickException(f"{path} must hold an object: name, kind, pipeline, config, …")
    return value


@click.group()
def triggers() -> None:
    """What starts runs by itself."""


@triggers.command("list")
@client_command
def list_triggers(client: Client, as_json: bool) -> None:
    """Triggers of the project."""
    show(client.list_triggers(), as_json, COLUMNS, empty="No triggers yet: `headrace triggers create -f FILE`.")


@triggers.command("create")
@click.option(
    "--file",
    "-f",
    required=True,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    help="YAML or JSON: name, kind, pipeline, config, parameters, mapping, limits.",
)
@client_command
def create_trigger(file: Path, client: Client, as_json: bool) -> None:
    """Make a trigger from a file (`-` reads the terminal). A webhook's secret is printed now and never again."""
    made = client.create_trigger(read_record(file))
    show(made, as_json, COLUMNS)
    if made["secret"] and not as_json:
        click.echo(f"Address  {made['url']}\nSecret   {made['secret']}")


@triggers.command("enable")
@click.argument("trigger")
@client_command
def enable_trigger(trigger: str, client: Client, as_json: bool) -> None:
    """Switch a trigger on."""
    show(client.switch_trigger(trigger, True), as_json, COLUMNS)


@triggers.command("disable")
@click.argument("trigger")
@client_command
def disable_trigger(trigger: str, client: Client, as_json: bool) -> None:
    """Switch a trigger off."""
    show(client.switch_trigger(trigger, False), as_json, COLUMNS)


@triggers.command("fire")
@click.argument("trigger")
@click.option("--data", default="{}", metavar="JSON", help="What `$event.data` shall be.")
@client_command
def fire_trigger(trigger: str, data: str, client: Client, as_json: bool) -> None:
    """Start a trigger's run now, with an event made by hand."""
    try:
        content = json.loads(data)
    except ValueError as error:
        raise click.BadParameter(f"this is not JSON: {error}", param_hint="--data") from None
    _told(client.fire_trigger(trigger, content), as_json)


@triggers.command("events")
@click.argument("trigger")
@click.option("--status", type=click.Choice(["received", "coalesced", "limited", "started", "failed", "ignored"]))
@click.option("--limit", default=20, show_default=True)
@client_command
def list_events(trigger: str, status: str | None, limit: int, client: Client, as_json: bool) -> None:
    """What happened, newest first."""
    found = []
    for one in client.list_trigger_events(trigger, status=status, limit=min(limit, 200)):
        found.append(one)
        if len(found) >= limit:
            break
    show(found, as_json, EVENTS, empty="Nothing has happened yet.")


@triggers.command("replay")
@click.argument("trigger")
@click.argument("event")
@client_command
def replay_event(trigger: str, event: str, client: Client, as_json: bool) -> None:
    """The same event again (its id is in `triggers events`)."""
    _told(client.replay_trigger_event(trigger, event), as_json)


def _told(event: dict[str, Any], as_json: bool) -> None:
    """The event; exit status 1 when it started nothing."""
    if as_json:
        print_json(event)
    else:
        show(event, as_json, EVENTS)
    if event["status"] != "started":
        raise SystemExit(1)
