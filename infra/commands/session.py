"""login, logout, project."""

from __future__ import annotations

import sys
from typing import Any

import click
import httpx

from infra.commands.connection import DEFAULT_URL, client_command, print_json, read_config, show, write_config
from workers.sdk.client import ApiError, Client


def _token_by_password(url: str, email: str, password: str) -> str:
    """Sign in as the browser does, make an API token, and forget the session."""
    with httpx.Client(base_url=url, timeout=30, trust_env=False) as http:
        try:
            http.get("/sign-in")
            headers = {"X-CSRFToken": str(http.cookies.get("headrace_csrf") or ""), "Referer": url}
            answer = http.post("/api/v1/session", json={"email": email, "password": password}, headers=headers)
            if answer.status_code >= 400:
                raise click.ClickException(answer.json()["error"]["message"])
            headers["X-CSRFToken"] = str(http.cookies.get("headrace_csrf") or "")
            made = http.post("/api/v1/tokens", json={"name": "headrace command line"}, headers=headers)
            made.raise_for_status()
            http.delete("/api/v1/session", headers=headers)
            return str(made.json()["token"])
        except (httpx.TransportError, ValueError, KeyError) as error:
            raise click.ClickException(f"The studio at {url} does not answer as one ({error}).") from None


@click.command()
@click.option("--url", default=None, help=f"Address of the studio.  [default: {DEFAULT_URL}]")
@click.option("--email", help="Sign in with e-mail and password (asked for); an API token is made and kept.")
@click.option("--token", help="Sign in with an API token made under Settings.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def login(url: str | None, email: str | None, token: str | None, as_json: bool) -> None:
    """Sign this terminal in to a studio. A script pipes the password in, or gives a token."""
    address = (url or read_config().get("url") or DEFAULT_URL).rstrip("/")
    if not token:
        email = email or click.prompt("E-mail", err=True)
        password = click.prompt("Password", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
        token = _token_by_password(address, str(email), str(password))
    try:
        with Client(address, token, patience_s=2) as client:
            me = client.me()
    except ApiError as error:
        if error.status == 401:
            raise click.ClickException("This token is not good: it was revoked, has expired, or is of another studio.") from None
        raise click.ClickException(str(error)) from None
    kept = {"url": address, "token": token}
    if len(me["memberships"]) == 1:
        kept["project"] = me["memberships"][0]["project"]
    write_config(kept)
    if as_json:
        print_json({"url": address, "email": me["email"], "project": kept.get("project")})
        return
    click.echo(f"Signed in to {address} as {me['email']}" + (f", project {kept['project']}." if "project" in kept else "."))


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def logout(as_json: bool) -> None:
    """Forget the studio and the token on this machine."""
    write_config({})
    print_json({"signed_in": False}) if as_json else click.echo("Signed out.")


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@click.pass_context
def project(context: click.Context, as_json: bool) -> None:
    """List projects; `use SLUG` chooses one, `create NAME` makes one."""
    if context.invoked_subcommand is None:
        context.invoke(list_projects, project=None, as_json=as_json)


@project.command("list")
@client_command
def list_projects(client: Client, as_json: bool) -> None:
    """Projects you are a member of."""
    current = client.project
    columns: dict[str, Any] = {"": lambda p: "→" if p["slug"] == current else "", "PROJECT": "slug", "NAME": "name", "ROLE": "role"}
    show(client.list_projects(), as_json, columns, empty="You are in no project yet: `headrace project create NAME`.")


@project.command("create")
@click.argument("name")
@client_command
def create_project(name: str, client: Client, as_json: bool) -> None:
    """Make a project; you become its owner."""
    show(client.create_project(name), as_json, {"PROJECT": "slug", "NAME": "name", "ROLE": "role"})


@project.command("use")
@click.argument("slug")
@client_command
def use_project(slug: str, client: Client, as_json: bool) -> None:
    """Choose the project that the other commands work in."""
    found = next((p for p in client.list_projects() if p["slug"] == slug), None)
    if found is None:
        raise click.ClickException(f"You are a member of no project “{slug}”. `headrace project` lists yours.")
    write_config({**read_config(), "project": slug})
    show(found, as_json, {"PROJECT": "slug", "NAME": "name", "ROLE": "role"})
