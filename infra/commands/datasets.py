"""dataset upload | list | changes | embed | near."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from infra.commands.connection import client_command, err, out, print_json, show
from workers.sdk.client import Client

KINDS = ("added", "removed", "content", "label", "split", "annotations", "data")
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252")


@click.group()
def dataset() -> None:
    """Upload, list and compare data sets."""


@dataset.command("list")
@client_command
def list_datasets(client: Client, as_json: bool) -> None:
    """Data sets of the project."""
    columns: dict[str, Any] = {
        "DATA SET": "slug",
        "KIND": "modality",
        "ITEMS": lambda d: f"{d['item_count']:,}",
        "VERSION": "latest_version",
        "CHANGED": lambda d: d["updated_at"][:16].replace("T", " "),
    }
    show(list(client.list_datasets()), as_json, columns, empty="No data sets yet: `headrace dataset upload FILE`.")


@dataset.command()
@click.argument("name", metavar="DATASET")
@click.argument("since", type=click.IntRange(1))
@click.argument("version", type=click.IntRange(1))
@click.option("--kind", type=click.Choice(KINDS), help="Only items that changed in this.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True, help="Items or rows that are listed.")
@client_command
def changes(name: str, since: int, version: int, kind: str | None, limit: int, client: Client, as_json: bool) -> None:
    """What VERSION of a data set says differently from version SINCE, item by item or row by row."""
    found = client.list_changes(name, since, version, kind=kind, limit=limit)
    if as_json:
        print_json(found)
        return
    out.print(", ".join(f"{found[word]:,} {word}" for word in ("added", "removed", "changed", "unchanged")), highlight=False)
    if found["modality"] == "table":
        columns = [c for c in found["columns"] if c["change"] != "same"]
        show(columns, False, {"COLUMN": "name", "CHANGE": "change", "CELLS": lambda c: f"{c['cells']:,}"}, empty="No column changed.")
        return
    listed: dict[str, Any] = {
        "ITEM": "key",
        "CHANGE": lambda i: ", ".join(i["kinds"]),
        "LABEL": _relabelled,
        "REGIONS AND ANSWERS": _regions,
    }
    show(found["items"], False, listed, empty="No item changed.")


def _relabelled(item: dict[str, Any]) -> str:
    was, now = ((item[side] or {}).get("label") or "–" for side in ("before", "after"))
    return was if was == now else f"{was} → {now}"


def _regions(item: dict[str, Any]) -> str:
    counts = Counter(region["what"] for region in item["regions"] if region["what"] != "same")
    return ", ".join(f"{count} {what}" for what, count in counts.items())


@dataset.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", help="Name of the new data set.  [default: the file's name]")
@click.option("--to", "existing", metavar="SLUG", help="Add to this data set as a new version instead.")
@click.option("--append", is_flag=True, help="With --to: keep what it has and add; otherwise the new version replaces it.")
@click.option("--label", metavar="COLUMN", help="The column that is to be predicted.")
@click.option(
    "--draft", is_flag=True, help="Leave the version a draft, so that its types can be corrected; otherwise it is frozen at once."
)
@click.option("--delimiter", metavar="SIGN", help=r"Between the cells of a text file; \t is a tab.  [default: found in the file]")
@click.option("--encoding", type=click.Choice(ENCODINGS), help="Of a text file.  [default: found in the file]")
@click.option("--sheet", metavar="NAME", help="Of an Excel workbook.  [default: the first]")
@click.option("--null", "nulls", metavar="VALUE", multiple=True, help="Read as missing; may be repeated.  [default: empty, NA, ?, null …]")
@click.option("--decimal", type=click.Choice([".", ","]), help="Decimal mark of numbers.  [default: found in the file]")
@click.option("--thousands", metavar="SIGN", help="Mark between thousands, one of . , ' or a space.  [default: found in the file]")
@click.option("--dates", type=click.Choice(["day", "month"]), help="What comes first in dates such as 01/02/2025.")
@click.option("--header/--no-header", default=None, help="Whether the first row names the columns.  [default: found in the file]")
@click.option("--file-column", is_flag=True, help="Of several tables in one archive: add a column that names the file of each row.")
@client_command
def upload(
    file: Path,
    name: str | None,
    existing: str | None,
    append: bool,
    label: str | None,
    draft: bool,
    client: Client,
    as_json: bool,
    **reading: Any,
) -> None:
    """Upload FILE (CSV, TSV, Parquet, JSON Lines, Excel, also compressed; text, or a zip/tar of tables or images) and wait
    until a run can read it."""
    if append and not existing:
        raise click.UsageError("--append adds to a data set: name it with --to SLUG.")
    bars = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeRemainingColumn())
    with Progress(*bars, console=err, transient=True, disable=as_json) as progress:
        bar = progress.add_task("sending", total=1.0)
        done = client.upload(
            file,
            name=None if existing else name,
            dataset=existing,
            mode="append" if append else "replace",
            options={**({} if draft else {"freeze": True}), **({"label_column": label} if label else {}), **_options(**reading)},
            progress=lambda fraction, message: progress.update(bar, completed=fraction, description=message or "reading"),
        )
        if not draft:
            progress.update(bar, description="freezing")
            client.wait_for_version(done["dataset"], done["version"])
    if as_json:
        print_json(done)
        return
    found = client.get_dataset(done["dataset"])
    show(
        found,
        False,
        {"DATA SET": "slug", "KIND": "modality", "ITEMS": lambda d: f"{d['item_count']:,}", "VERSION": lambda _: done["version"]},
    )


def _options(*, delimiter: str | None, nulls: tuple[str, ...], file_column: bool, **others: Any) -> dict[str, Any]:
    """The reading options that were said, as the API has them."""
    said = {"delimiter": "\t" if delimiter in ("\\t", "tab") else delimiter, "null_values": list(nulls) or None, **others}
    return {key: value for key, value in said.items() if value is not None} | ({"file_column": True} if file_column else {})


@dataset.command()
@click.argument("dataset_slug", metavar="DATASET")
@click.option("--with", "embedder", metavar="EMBEDDER", help="What makes items alike.  [default: the first that needs nothing more]")
@click.option("--model", metavar="NAME@3", help="A registered image model, for picture_model.")
@click.option("--checkpoint", metavar="NAME", help="A folder among the studio's checkpoints, or a name on the hub.")
@click.option("--column", metavar="NAME", help="Of a table: the column of text.")
@client_command
def embed(dataset_slug: str, embedder: str | None, client: Client, as_json: bool, **given: str | None) -> None:
    """Compute embeddings of DATASET's newest frozen version and wait for them; what is there already is not computed again."""
    asked = {name: value for name, value in given.items() if value}
    offered = client.list_spaces(dataset_slug)["embedders"]
    chosen = embedder or next((e["name"] for e in offered if sorted(e["needs"]) == sorted(asked) and not e["unavailable"]), None)
    if chosen is None:
        raise click.UsageError("Name one of these with --with: " + ", ".join(e["name"] for e in offered))
    bars = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*bars, console=err, transient=True, disable=as_json) as progress:
        bar = progress.add_task("embed", total=1.0)
        found = client.compute_space(
            dataset_slug, chosen, progress=lambda fraction, stage: progress.update(bar, completed=fraction, description=stage), **asked
        )
    columns: dict[str, Any] = {
        "SPACE": "id",
        "OF": "title",
        "ITEMS": lambda s: f"{s['done']:,}",
        "COMPUTED NOW": lambda s: f"{s['fresh']:,}",
        "NUMBERS EACH": "dimension",
    }
    show(found, as_json, columns)


@dataset.command()
@click.argument("dataset_slug", metavar="DATASET")
@click.argument("what")
@click.option("--space", metavar="ID", type=click.UUID, help="Which embeddings.  [default: those computed last]")
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True)
@client_command
def near(dataset_slug: str, what: str, space: UUID | None, limit: int, client: Client, as_json: bool) -> None:
    """What of DATASET lies nearest to WHAT: the digest of an item, or words where the embeddings know words."""
    chosen = str(space) if space else next((s["id"] for s in client.list_spaces(dataset_slug)["spaces"] if s["version"]), None)
    if chosen is None:
        raise click.ClickException(f"{dataset_slug} has no embeddings yet: headrace dataset embed {dataset_slug}")
    asked = {"like": what} if re.fullmatch("[0-9a-f]{64}", what) else {"text": what}
    columns: dict[str, Any] = {"DISTANCE": lambda i: f"{i['distance']:.3f}", "ITEM": "key", "DIGEST": "digest"}
    show(client.find_near(dataset_slug, chosen, limit=limit, **asked), as_json, columns, empty="Nothing there.")
