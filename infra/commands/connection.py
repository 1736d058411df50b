"""Where the studio is and who we are there: flags, then HEADRACE_URL/TOKEN/PROJECT, then the file that `headrace login` wrote."""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from workers.sdk.client import ApiError, Client

DEFAULT_URL = "http://localhost:8000"
WIDE = 400
"""Columns of a pipe or a file: there nothing is folded to the width of a terminal."""
out = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
err = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else WIDE)


def config_file() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "headrace" / "config.json"


def read_config() -> dict[str, str]:
    try:
        return dict(json.loads(config_file().read_text()))
    except FileNotFoundError:
        return {}
    except ValueError:
        raise click.ClickException(f"{config_file()} is not JSON; delete it and `headrace login` again.") from None


def write_config(values: dict[str, str]) -> None:
    """Only the owner may read it: it holds a token."""
    path = config_file()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        json.dump(values, stream, indent=1)
    fresh.replace(path)


def connect(project: str | None = None) -> Client:
    """A client for the studio that this terminal is signed in to."""
    kept = read_config()
    url = os.environ.get("HEADRACE_URL") or kept.get("url") or DEFAULT_URL
    token = os.environ.get("HEADRACE_TOKEN") or kept.get("token") or ""
    if not token:
        raise click.ClickException("Not signed in. Run `headrace login`, or set HEADRACE_URL and HEADRACE_TOKEN.")
    return Client(url, token, project or os.environ.get("HEADRACE_PROJECT") or kept.get("project") or "", patience_s=5)


RENEW = "Run `headrace login` again, or set HEADRACE_TOKEN to a token that is good."


class Told(click.ClickException):
    """An error of the studio, told in the terminal as the page would tell it."""

    def __init__(self, error: ApiError, as_json: bool):
        if error.status == 401:
            error.message, error.hint = "Your sign-in has ended: the token was revoked, has expired, or is of another studio.", RENEW
        super().__init__(str(error))
        self.error, self.as_json = error, as_json

    def show(self, file: Any = None) -> None:
        if self.as_json:
            body = {"code": self.error.code, "message": self.error.message, "hint": self.error.hint, "problems": self.error.problems}
            click.echo(json.dumps({"error": body}), err=True)
        else:
            err.print(f"[bold red]Error[/]: {escape(str(self.error))}", soft_wrap=True)


def client_command(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--project` and `--json`, passes `client` and `as_json`, and tells errors of the API without a traceback."""

    @click.option(
        "--project", "-p", metavar="SLUG", help="The project; otherwise HEADRACE_PROJECT or the one chosen with `headrace project use`."
    )
    @click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
    @functools.wraps(function)
    def inner(*args: Any, project: str | None, as_json: bool, **kwargs: Any) -> Any:
        try:
            with connect(project) as client:
                return function(*args, client=client, as_json=as_json, **kwargs)
        except ApiError as error:
            raise Told(error, as_json) from None

    return inner


def show(value: Any, as_json: bool, columns: dict[str, str | Callable[[Any], Any]], *, empty: str = "Nothing here yet.") -> None:
    """Print records as a table (heading → key or function), or as JSON."""
    if as_json:
        print_json(value)
        return
    records: Iterable[Any] = value if isinstance(value, list) else [value]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in columns:
        table.add_column(heading, overflow="fold")
    rows = 0
    for record in records:
        rows += 1
        cells = (record.get(how) if isinstance(how, str) else how(record) for how in columns.values())
        table.add_row(*("" if cell is None else escape(str(cell)) for cell in cells))
    out.print(table if rows else f"[dim]{empty}[/]")


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=1, ensure_ascii=False))


def read_text(path: Path) -> str:
    """The text of a file, `-` for what is piped in."""
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{path} is not UTF-8 text (byte {error.start}).") from None
    except OSError as error:
        raise click.ClickException(f"{path} cannot be read: {error.strerror}.") from None
