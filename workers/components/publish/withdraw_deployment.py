"""Take a deployment back: what puts right a deploy whose run failed."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from workers.sdk.component import component
from workers.sdk.kinds import Endpoint, Values


@component(resources="io", cacheable=False, changes=True)
def withdraw_deployment(
    endpoint: Annotated[Endpoint, Field(description="The endpoint as the deployment left it.")],
) -> Values:
    """Withdraw a deployment

    Gives the endpoint back to the version that answered before; an endpoint that the deployment made stops answering (it can be
    restored). If another version has taken over since, nothing is changed. Runs by itself when a run that deployed fails or is cancelled.
    """
    from workers.sdk import context
    from workers.sdk.client import ApiError

    step, given = context.current(), endpoint.json()
    try:
        now = step.client.get_endpoint(given["endpoint"])
    except ApiError as error:
        if error.status != 404:
            raise
        now = {}
    current = now.get("current") or {}
    if now.get("deleted_at") or (current.get("model"), current.get("model_version")) != (given["model"], given["version"]):
        step.log("Another version answers there already; nothing was changed.")
        return Values.of({"endpoint": given["endpoint"], "done": "nothing"})
    earlier = [d for d in now["deployments"] if d["id"] != current["id"] and d["live_at"]]
    if earlier:
        back = step.client.rollback(given["endpoint"])["current"]
        step.log(f"{back['model']}@{back['model_version']} answers again.")
        return Values.of({"endpoint": given["endpoint"], "done": "rolled back"})
    step.client.delete_endpoint(given["endpoint"])
    step.log("The endpoint was made by this run and has stopped answering.")
    return Values.of({"endpoint": given["endpoint"], "done": "stopped"})
