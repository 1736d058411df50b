"""labels list | export | import | errors."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from infra.commands.connection import client_command, err, print_json, show
from workers.sdk.client import Client

FORMATS = ("labelstudio", "jsonl", "csv", "tsv", "coco", "yolo", "voc", "masks", "conll")


@click.group()
def labels() -> None:
    """List label schemas; take labels out and in."""


@labels.command("list")
@client_command
def list_labels(client: Client, as_json: bool) -> None:
    """Label schemas of the project."""
    columns: dict[str, Any] = {
        "LABELS": "slug",
        "DATA SET": "dataset",
        "ITEMS": lambda s: f"{s['progress']['items']:,}",
        "COMPLETE": lambda s: f"{s['progress']['complete']:,}",
        "GROUND TRUTH": lambda s: f"{s['progress']['truths']:,}",
    }
    show(client.list_label_schemas(), as_json, columns, empty="No label schemas yet; make one on the page Labels.")


@labels.command()
@click.argument("schema")
@click.option("--format", "form", type=click.Choice(FORMATS), default="labelstudio", show_default=True)
@click.option("--truth", is_flag=True, help="The ground truth only; otherwise all that was submitted and that you may see.")
@click.option("--images", is_flag=True, help="A zip that holds the pictures too.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Where to; - is the standard output.")
@client_command
def export(schema: str, form: str, truth: bool, images: bool, output: Path | None, client: Client, as_json: bool) -> None:
    """Write the labels of SCHEMA to a file; what its format has no place for is said."""
    what = "truth" if truth else "annotations"
    told = client.check_export(schema, form, what)
    if output == Path("-"):
        client.export_labels(schema, sys.stdout.buffer, format=form, what=what, images=images)
        return
    zipped = images or form in ("yolo", "voc", "masks")
    endings = {"labelstudio": "json", "coco": "json"}
    path = output or Path(f"{schema}-{form}.{'zip' if zipped else endings.get(form, form)}")
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            size = client.export_labels(schema, file, format=form, what=what, images=images)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    if as_json:
        print_json({**told, "file": str(path), "bytes": size})
        return
    click.echo(f"{path}: {told['annotations']:,} annotations of {told['items']:,} items")
    for one in told["lost"]:
        among = f" in the first {told['tried']:,} items" if told["tried"] < told["items"] else ""
        err.print(f"{one['message']} ({one['count']:,}{among})", markup=False)


@labels.command("import")
@click.argument("schema")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--format", "form", type=click.Choice(FORMATS), required=True)
@click.option("--dry-run", is_flag=True, help="Only say what the file holds.")
@client_command
def import_(schema: str, file: Path, form: str, dry_run: bool, client: Client, as_json: bool) -> None:
    """Keep the labels of FILE as your annotations in SCHEMA; what does not fit is told and left out."""
    found = client.import_labels(schema, file, format=form, apply=not dry_run)
    if as_json:
        print_json(found)
        return
    report = found["report"]
    kept = ", ".join(f"{report[word]:,} {word}" for word in ("new", "changed", "unchanged"))
    click.echo(
        f"{'Would import' if dry_run else 'Imported'} {kept}; {report['unmatched']:,} not in the queue, {report['refused']:,} refused"
    )
    for one in report["problems"]:
        expected = f" (expected {one['expected']})" if one["expected"] else ""
        err.print(f"  {one['field']}: {one['message']}{expected}", markup=False)


@labels.command("errors")
@click.argument("schema")
@client_command
def label_errors(client: Client, as_json: bool, schema: str) -> None:
    """Look for labels of SCHEMA that are probably wrong, the surest first. Needs embeddings (dataset embed)."""
    columns: dict[str, Any] = {
        "ITEM": "key",
        "LABELLED": "given",
        "PROBABLY": "suggested",
        "SCORE": lambda d: f"{d['score']:.2f}",
        "BY": lambda d: (d["author"] or {}).get("name") or d["author_name"] or "a model",
    }
    show(client.look_for_doubts(schema), as_json, columns, empty="No label looks wrong.")
