"""Finding a frozen data set version: the reference in a step's parameter to its manifest in the store."""

from __future__ import annotations

import re
from typing import Any

from workers.sdk import context
from workers.sdk.errors import StepError

_REFERENCE = re.compile(r"^(?P<slug>[a-z0-9][a-z0-9_-]*)@(?P<version>\d+)(?:#(?P<digest>[0-9a-f]{64}))?$")


def find(reference: str, kind: str) -> dict[str, Any]:
    """The manifest of `slug@3#digest` (as a run pins it). Raises StepError where it is none, of another kind, or not what was pinned."""
    from workers.sdk.client import ApiError

    found = _REFERENCE.match(reference)
    if found is None:
        raise StepError(f"“{reference}” is no data set version.", hint="Choose one such as flowers@2.", field="dataset")
    try:
        manifest: dict[str, Any] = context.current().client.get_manifest(found["slug"], int(found["version"]))
    except ApiError as error:
        if error.status in (403, 404, 409, 422):
            raise StepError(error.message, hint=error.hint or "Is the version frozen, and may you see it?", field="dataset") from error
        raise
    if manifest["kind"] != kind:
        other = {"Table": "Read a table", "Images": "Read images"}[manifest["kind"]]
        raise StepError(f"“{found['slug']}” holds {manifest['modality']}.", hint=f"Use the step “{other}” for it.", field="dataset")
    if found["digest"] and found["digest"] != manifest["digest"]:
        raise StepError(
            f"{found['slug']}@{found['version']} is not what it was when the run started.", hint="Start the run again.", field="dataset"
        )
    return manifest
