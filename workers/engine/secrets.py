"""A project's secrets in a step's parameters: fetched just before the call, blacked out of all it says, kept nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workers.sdk.errors import StepError
from workers.sdk.graph.parameters import SECRET, is_reference

if TYPE_CHECKING:
    from collections.abc import Callable

    from workers.engine.report import Redactor
    from workers.sdk.client import Client

Json = dict[str, Any]


def names_secrets(claim: Json) -> bool:
    return any(is_reference(value, SECRET) for value in claim["parameters"].values())


def with_secrets(claim: Json, open_client: Callable[[], Client], redact: Redactor) -> Json:
    """The claim with values in place of references; the very claim where there are none. Raises StepError."""
    if not names_secrets(claim):
        return claim
    client = open_client()
    parameters = dict(claim["parameters"])
    for parameter, value in claim["parameters"].items():
        if is_reference(value, SECRET):
            parameters[parameter] = _value(client, parameter, value[SECRET])
            redact.add(parameters[parameter])
    return {**claim, "parameters": parameters}


def _value(client: Client, parameter: str, name: str) -> str:
    from workers.sdk.client import ApiError

    try:
        return str(client.request("GET", f"/projects/{client.project}/secrets/{name}/value")["value"])
    except ApiError as exc:
        hint = "Owners set secrets in the project's settings."
        if exc.status == 404:
            raise StepError(f"The project has no secret “{name}”.", hint=hint, field=parameter) from None
        if exc.status == 403:
            raise StepError(f"Who started the run may not use the secret “{name}”.", hint=exc.hint, field=parameter) from None
        if exc.code == "secret_unreadable":
            raise StepError(f"The secret “{name}” cannot be read any more: set it again.", hint=hint, field=parameter) from None
        raise


def blacked_out(value: Any, redact: Redactor) -> Any:
    """JSON with every secret in its text blacked out: what a step says about its outputs."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {redact(str(k)): blacked_out(v, redact) for k, v in value.items()}
    if isinstance(value, list):
        return [blacked_out(v, redact) for v in value]
    return value
