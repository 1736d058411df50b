"""Put a registered model version behind an endpoint."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from workers.sdk.component import EndpointName, component
from workers.sdk.kinds import Endpoint, ModelVersion


@component(resources="io", cacheable=False, changes=True, undo="withdraw_deployment")
def deploy_model(
    model_version: Annotated[ModelVersion, Field(title="Model version", description="The registered version to deploy.")],
    *,
    endpoint: Annotated[
        str,
        EndpointName,
        Field(
            description="The address that programs ask. Empty: one named after the model.",
            max_length=60,
            pattern=r"^([a-z0-9][a-z0-9-]*)?$",
        ),
    ] = "",
) -> Endpoint:
    """Deploy a model

    Puts the version behind an endpoint, which answers predictions a few seconds later. If the endpoint is there already, the version
    takes over without a failed request, and you can roll back.
    """
    from workers.sdk import context
    from workers.sdk.client import ApiError
    from workers.sdk.errors import StepError

    step = context.current()
    given = model_version.json()
    try:
        made = step.client.deploy(f"{given['model']}@{given['version']}", endpoint or None)
    except ApiError as error:
        if error.status in (400, 403, 404, 409, 422):
            raise StepError(str(error), hint=error.hint, field="endpoint") from error
        raise
    if made.get("status") == "failed":
        current = made.get("current") or (made.get("deployments") or [{}])[0] or {}
        raise StepError(f"The endpoint could not load the model: {current.get('message') or 'no reason was given'}.")
    step.log(f"{given['model']}@{given['version']} answers at {made['url']}.")
    return Endpoint.of({"endpoint": made["slug"], "url": made["url"], "model": given["model"], "version": given["version"]})
