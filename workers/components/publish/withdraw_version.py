"""Take back what registering a version changed: its aliases."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from workers.sdk.component import component
from workers.sdk.kinds import ModelVersion, Values


@component(resources="io", cacheable=False, changes=True)
def withdraw_version(
    model_version: Annotated[ModelVersion, Field(title="Model version", description="The version as it was registered.")],
) -> Values:
    """Withdraw a model version

    Points each alias that the version took back at the version that had it before (or removes it, where none had). The version itself
    stays in the registry, as a record; an alias that was moved on since is left alone. Runs by itself when a run that registered a
    version fails or is cancelled.
    """
    from workers.sdk import context

    step, given = context.current(), model_version.json()
    before = given.get("aliases_before") or {}
    now = step.client.get_model(given["model"])["aliases"] if before else {}
    moved = 0
    for alias, number in before.items():
        if now.get(alias) != given["version"] or number == given["version"]:
            continue
        moved += 1
        if number is None:
            step.client.delete_alias(given["model"], alias)
            step.log(f"The alias {alias} is removed.")
        else:
            step.client.set_alias(given["model"], alias, number)
            step.log(f"The alias {alias} points at version {number} again.")
    return Values.of({"model": given["model"], "aliases": moved})
