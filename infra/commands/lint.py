"""`lint`: the static checks of `infra/checks/`."""

from __future__ import annotations

import click

LONGEST = 60
"""Lines of one failed check among others; alone it may say everything."""


@click.command()
@click.argument("names", nargs=-1)
@click.option("--fix", "repair", is_flag=True, help="First put right what can be put right by itself (ruff, formatting, generated types).")
def lint(names: tuple[str, ...], repair: bool) -> None:
    """Run the static checks; NAMES choose some (by any part of their names)."""
    failed = run(names, repair=repair)
    if failed:
        raise SystemExit(1)


def run(names: tuple[str, ...] = (), *, repair: bool = False) -> list[str]:
    """Run them, tell each one, and give the names of those that failed."""
    from infra.checks import plan

    known = plan.checks()
    chosen = [check for check in known if not names or any(name.lower() in check.name.lower() for name in names)]
    if not chosen:
        raise click.UsageError(f"No check has that name; there are: {', '.join(check.name for check in known)}.")
    if repair:
        plan.fix(chosen)

    limit = LONGEST if len(chosen) > 1 else 10**6

    def done(outcome: plan.Outcome) -> None:
        word = click.style("ok", fg="green") if outcome.passed else click.style("FAILED", fg="red")
        click.echo(f"{outcome.check.name:24} {word}  {outcome.seconds:5.1f} s")
        if not outcome.passed or (names and outcome.said):
            lines = outcome.said.splitlines()
            click.echo("\n".join(f"    {line}" for line in lines[:limit]))
            if len(lines) > limit:
                click.echo(f"    … and {len(lines) - limit} lines more: manage.py lint “{outcome.check.name}” shows them.")

    return [outcome.check.name for outcome in plan.run(chosen, done) if not outcome.passed]
