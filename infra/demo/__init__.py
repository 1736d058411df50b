"""The whole route on real data, as a new owner would walk it: data set, run, evaluation, model version, deployment, prediction.

Everything goes over the studio's HTTP API; nothing is prepared beside it. A phase that fails ends its demo with the reason.
"""

from __future__ import annotations

import click

from infra.demo.route import DEMOS, run

__all__ = ["choose", "run"]


def choose(name: str | None, *, every: bool) -> list[str]:
    """The demos asked for; the first one when none was named."""
    if every:
        return list(DEMOS)
    if name is None:
        return [next(iter(DEMOS))]
    if name not in DEMOS:
        raise click.BadParameter(f"there is no demo “{name}”; there are {', '.join(DEMOS)}", param_hint="NAME")
    return [name]
