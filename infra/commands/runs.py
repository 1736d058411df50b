"""run (start, show, priority), runs, logs, cancel."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from infra.commands.connection import client_command, err, out, print_json, read_text, show
from workers.sdk.client import FINISHED, Client


def parse_settings(settings: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """`step.param=value` texts as overrides; a value that is JSON is taken as JSON, anything else as text."""
    overrides: dict[str, dict[str, Any]] = {}
    for setting in settings:
        target, equals, text = setting.partition("=")
        step, dot, parameter = target.partition(".")
        if not (equals and dot and step and parameter):
            raise click.BadParameter(f"“{setting}” is not of the form step.parameter=value", param_hint="--set")
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        overrides.setdefault(step, {})[parameter] = value
    return overrides


def find_or_make_pipeline(client: Client, what: str) -> str:
    """The slug of the pipeline that `what` names: a YAML file (its next version), a pipeline of the project, or a template."""
    if what.endswith((".yaml", ".yml")) or Path(what).is_file():
        path = Path(what)
        if not path.is_file():
            raise click.ClickException(f"There is no file {what}.")
        slug = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")[:60].strip("-")
        return str(client.import_pipeline(read_text(path), slug or None)["slug"])
    mine = list(client.list_pipelines())
    if any(p["slug"] == what for p in mine):
        return what
    templates = {t["slug"]: t for t in client.list_templates()}
    if what not in templates:
        known = ", ".join(sorted(templates))
        raise click.ClickException(f"“{what}” is no file, no pipeline of this project and no template ({known}).")
    title = templates[what]["title"]
    made_before = [p["slug"] for p in mine if p["name"] == title]
    return str(made_before[-1] if made_before else client.create_pipeline(title, template=what)["slug"])


def number_to_id(client: Client, run: str) -> str:
    """Runs may be named by their number (`12` or `#12`) or their id."""
    text = run.removeprefix("#")
    if not text.isdigit():
        return run
    for found in client.list_runs(search=f"#{text}"):
        if found["number"] == int(text):
            return str(found["id"])
    raise click.ClickException(f"There is no run #{text} in this project.")


def _seconds(run: dict[str, Any]) -> str:
    if not run["started_at"] or not run["finished_at"]:
        return ""
    from datetime import datetime

    took = datetime.fromisoformat(run["finished_at"]) - datetime.fromisoformat(run["started_at"])
    return f"{took.total_seconds():.1f} s"


PATIENCE_S = 120
"""While a run is waited for or its log followed, the studio may be started again without ending that."""

COLUMNS: dict[str, Any] = {
    "RUN": "number",  # without `#`, with which a shell would begin a comment
    "PIPELINE": lambda r: f"{r['pipeline']} v{r['pipeline_version']}",
    "STATUS": lambda r: f"{r['status']} (dry run)" if r["sample"] else r["status"],
    "STEPS": lambda r: f"{r['steps_done']}/{r['steps_total']}",
    "TIME": _seconds,
    "METRICS": lambda r: "  ".join(f"{k} {v:.4g}" for k, v in list(r["metrics"].items())[:4]),
}


PRIORITIES = click.Choice(["low", "normal", "high", "urgent"])


class RunDoor(click.Group):
    """`run WHAT` starts a run; `run show` and `run priority` are about one that there is."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, "-h", "--help"}:
            args = ["start", *args]
        return super().parse_args(ctx, args)


@click.group(cls=RunDoor)
def run() -> None:
    """Run a pipeline of the project, a template, or a YAML file: `run TEMPLATE_OR_FILE`; show a run, or change its priority."""


@run.command("start")
@click.argument("what", metavar="TEMPLATE_OR_FILE")
@click.option("--set", "settings", multiple=True, metavar="STEP.PARAM=VALUE", help="Override a parameter; may be given several times.")
@click.option("--name", default="", help="A name for the run.")
@click.option("--wait", is_flag=True, help="Wait for the end; exit status 1 unless the run succeeded.")
@click.option("--no-cache", is_flag=True, help="Run every step anew.")
@click.option("--priority", type=PRIORITIES, default="normal", show_default=True, help="Ready steps of a higher one are taken first.")
@click.option(
    "--dry-run", is_flag=True, help="On a sample of the data, without the steps that change the platform; says what a full run would take."
)
@click.option("--rows", type=click.IntRange(1, 1_000_000), default=500, show_default=True, help="Of a dry run: how many rows or pictures.")
@click.option(
    "--sample",
    type=click.Choice(["stratified", "random", "head"]),
    default="stratified",
    show_default=True,
    help="Of a dry run: which rows; stratified keeps each label's share.",
)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Of a dry run: another seed, other rows.")
@client_command
def start_run(
    what: str, settings: tuple[str, ...], name: str, wait: bool, no_cache: bool, priority: str, dry_run: bool, rows: int, sample: str,
    seed: int, client: Client, as_json: bool,
) -> None:  # fmt: skip
    """Run a pipeline of the project, a template, or a YAML file."""
    started = client.start_run(
        find_or_make_pipeline(client, what), parameters=parse_settings(settings), name=name, use_cache=not no_cache, priority=priority,
        sample={"rows": rows, "how": sample, "seed": seed} if dry_run else None,
    )  # fmt: skip
    if wait:
        number = started["number"]
        try:
            started = _follow(client, started, quiet=as_json)
        except KeyboardInterrupt:
            click.echo(f"Run {number} goes on. Follow it: headrace logs {number} -f; stop it: headrace cancel {number}", err=True)
            raise SystemExit(130) from None
    show(started, as_json, COLUMNS)
    if wait and dry_run and not as_json:
        _forecast(client, started["id"])
    if wait and started["status"] != "succeeded":
        for step in started["step_runs"] if not as_json else ():
            if step["status"] == "failed" and step["error"]:
                click.echo(f"{step['step']}: {step['error']['message']} {step['error'].get('hint', '')}".rstrip(), err=True)
        raise SystemExit(1)


@run.command("show")
@click.argument("run_name", metavar="RUN")
@client_command
def show_run(run_name: str, client: Client, as_json: bool) -> None:
    """A run (its number or id) with its steps, and why those wait that do."""
    run_id = number_to_id(client, run_name)
    found = client.get_run(run_id)
    why = {w["step"]: w["why"] for w in client.why(run_id)} if found["status"] not in FINISHED else {}
    if as_json:
        print_json({**found, "waits": why})
        return
    show(found, False, {**COLUMNS, "PRIORITY": "priority"})
    columns: dict[str, Any] = {
        "STEP": "step",
        "STATUS": lambda s: f"{s['status']} {s['progress']:.0%}" if s["status"] == "running" else s["status"],
        "WHY": lambda s: why.get(s["step"]) or s["skip_reason"] or (s["error"] or {}).get("message", ""),
    }
    show(found["step_runs"], False, columns)
    if found["sample"]:
        _forecast(client, run_id)


def _forecast(client: Client, run_id: str) -> None:
    """What a full run would take, as far as runs have told."""
    told = client.forecast(run_id)
    out.print(f"\nOn all of the data ({told['known']} of {told['total']} steps are known):")
    columns: dict[str, Any] = {
        "STEP": "step",
        "ROWS": "rows",
        "TIME": lambda s: _span(s["time"], 1, "s"),
        "MEMORY": lambda s: _span(s["memory"], 2**20, "MiB"),
        "FROM": lambda s: (
            s["skipped"]
            or (f"{s['runs']} runs" + (", other settings" if s["settings"] == "other" else "") if s["runs"] else "no past runs")
        ),
    }
    show(told["steps"], False, columns)


def _span(span: dict[str, float] | None, unit: float, word: str) -> str:
    return f"{span['likely'] / unit:.3g} {word} ({span['low'] / unit:.3g} to {span['high'] / unit:.3g})" if span else ""


@run.command("priority")
@click.argument("run_name", metavar="RUN")
@click.argument("priority", type=PRIORITIES)
@client_command
def change_priority(run_name: str, priority: str, client: Client, as_json: bool) -> None:
    """Let a run that is under way go before others, or after them."""
    show(client.set_priority(number_to_id(client, run_name), priority), as_json, {**COLUMNS, "PRIORITY": "priority"})


def _follow(client: Client, started: dict[str, Any], *, quiet: bool) -> dict[str, Any]:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:.0f}/{task.total:.0f}"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=quiet) as progress:
        bar = progress.add_task(f"run #{started['number']}", total=max(started["steps_total"], 1))

        def update(state: dict[str, Any]) -> None:
            now = [s["name"] or s["step"] for s in state["step_runs"] if s["status"] == "running"]
            done = sum(s["status"] not in ("queued", "running", "waiting") for s in state["step_runs"])
            progress.update(bar, completed=done, description=f"run #{state['number']} " + ", ".join(now))

        client.patience_s = PATIENCE_S
        return client.wait_for_run(started["id"], progress=update)


@click.command()
@click.option("--status", type=click.Choice(["queued", "running", "succeeded", "failed", "cancelled", "waiting"]))
@click.option("--pipeline", metavar="SLUG")
@click.option("--limit", default=20, show_default=True)
@client_command
def runs(status: str | None, pipeline: str | None, limit: int, client: Client, as_json: bool) -> None:
    """Runs of the project, newest first."""
    found = []
    for one in client.list_runs(status=status, pipeline=pipeline, limit=min(limit, 200)):
        found.append(one)
        if len(found) >= limit:
            break
    show(found, as_json, COLUMNS, empty="No runs yet: `headrace run TEMPLATE_OR_FILE`.")


@click.command()
@click.argument("run_name", metavar="RUN")
@click.option("--follow", "-f", is_flag=True, help="Go on until the run ends.")
@click.option("--step", help="Only this step.")
@client_command
def logs(run_name: str, follow: bool, step: str | None, client: Client, as_json: bool) -> None:
    """Log lines of a run (its number or id)."""
    run_id = number_to_id(client, run_name)
    after = 0
    client.patience_s = PATIENCE_S if follow else client.patience_s
    while True:
        # Asked before the lines are read: what a finished run wrote is then all there.
        ended = not follow or client.get_run(run_id)["status"] in FINISHED
        while True:
            page = client.get_logs(run_id, after, step=step)
            for line in page["lines"]:
                if as_json:
                    click.echo(json.dumps(line))
                else:
                    out.print(f"[dim]{line['at'][11:19]}[/] [cyan]{line['step']}[/] ", end="", markup=True)
                    out.print(line["text"], markup=False, soft_wrap=True, style="red" if line["level"] in ("ERROR", "CRITICAL") else None)
            if not page["lines"]:
                break
            after = page["last"]
        if ended:
            return
        time.sleep(0.5)


@click.command()
@click.argument("run_name", metavar="RUN")
@client_command
def cancel(run_name: str, client: Client, as_json: bool) -> None:
    """Cancel a run (its number or id)."""
    cancelled = client.cancel_run(number_to_id(client, run_name))
    if as_json:
        print_json(cancelled)
    else:
        out.print(f"Run #{cancelled['number']} is being cancelled.")
