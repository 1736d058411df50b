"""`status`: what runs on a data directory, for a person or (`--json`) for a script."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import click

from infra.supervisor import processes, state
from infra.supervisor.layout import Layout

NOT_RUNNING = 3
"""Exit status when no studio runs (what service managers expect of a status command)."""


@click.command()
@click.option(
    "--data-dir", type=click.Path(path_type=Path), default=None, help="The studio's data directory (default .headrace beside manage.py)."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(data_dir: Path | None, as_json: bool) -> None:
    """Tell what runs. Exit status 0 when the studio answers, 3 when none runs, 1 when it runs but does not answer."""
    layout = Layout.of(data_dir)
    found = look(layout)
    if as_json:
        click.echo(json.dumps(found, indent=2))
    elif found["status"] == "stopped":
        click.echo(f"No studio runs on {layout.data}.")
        if found["orphans"]:
            click.echo(f"A killed supervisor left running: {', '.join(found['orphans'])}. “manage.py down” ends them.")
    else:
        click.echo(f"{found['status']:9} {found['url']}  (since {found['since']}, process {found['pid']})")
        for name, child in found["children"].items():
            again = f", started again {child['restarts']}×, last: {child['last_exit']}" if child["restarts"] else ""
            click.echo(f"  {name:10} {child['status']:10} {child['pid'] or '':>7}{again}")
        if found["message"]:
            click.echo(found["message"])
        if freed := found["freed"]:
            last, total = ((n / 1024**2) for n in (freed["upload_bytes"] + freed["blob_bytes"], freed["total_bytes"]))
            click.echo(f"Cleaned up {freed['at'][:16].replace('T', ' ')}: {last:,.1f} MiB freed, {total:,.1f} MiB in all.")
    raise SystemExit(NOT_RUNNING if found["status"] == "stopped" else 0 if found["answers"] or found["status"] == "starting" else 1)


def look(layout: Layout) -> dict[str, Any]:
    """The state file and what can be seen from outside. It holds no secret."""
    now = state.running(layout)
    if not now:
        left = state.read(layout).get("children", {})
        orphans = [name for name, child in left.items() if child.get("pid") and processes.alive(int(child["pid"]), str(child["mark"]))]
        return {"status": "stopped", "data_dir": str(layout.data), "orphans": orphans, "children": {}, "freed": _freed(layout)}
    found = {key: value for key, value in now.items() if key not in ("token", "mark", "environment")}
    found["children"] = {name: {k: v for k, v in child.items() if k != "mark"} for name, child in now["children"].items()}
    found["answers"] = _answers(str(now.get("environment", {}).get("HEADRACE_API_URL", "")))
    found["orphans"], found["freed"] = [], _freed(layout)
    return found


def _freed(layout: Layout) -> dict[str, Any] | None:
    """What the clean-up of uploads and unused blobs freed: last time, and since there is a record; None before the first time."""
    try:
        found = json.loads(layout.freed.read_text())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _answers(base: str) -> bool:
    if not base:
        return False
    try:
        with urllib.request.urlopen(f"{base}/healthz", timeout=5) as answer:  # noqa: S310 - our own address, http
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
