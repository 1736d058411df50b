"""Writes of `artifacts`: an artifact is made once and never changed; an edge is drawn once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from backend.artifacts.models import Artifact, LineageEdge
from backend.core.errors import InvalidInput
from backend.core.models import Project
from workers.sdk.store import Stored

JSON = "application/json"


def create_artifact(
    project: Project, kind: str, stored: Stored | None = None, metadata: dict[str, Any] | None = None, inline: Any = None
) -> Artifact:
    """The artifact with these bytes (`stored`) or this small JSON value (`inline`); an equal one is returned, not doubled."""
    if (stored is None) == (inline is None):
        raise InvalidInput(message="An artifact has either stored bytes or an inline value, not both and not neither.")
    if stored is None:
        try:
            data = json.dumps(inline, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
        except ValueError as exc:
            raise InvalidInput(message=f"An inline value must be JSON (NaN and Infinity are not): {exc}") from exc
        stored = Stored(digest=hashlib.sha256(data).hexdigest(), size=len(data), media_type=JSON)
    artifact: Artifact
    artifact, _ = Artifact.objects.get_or_create(
        project=project,
        kind=kind,
        digest=stored.digest,
        defaults={"size": stored.size, "media_type": stored.media_type, "inline": inline, "metadata": metadata or {}},
    )
    return artifact


def link(project: Project, edges: Iterable[tuple[tuple[str, UUID], tuple[str, UUID], str]]) -> None:
    """Draw edges `((type, id) of the source, (type, id) of the target, relation)`; those that exist stay."""
    LineageEdge.objects.bulk_create(
        [
            LineageEdge(project=project, source_type=a[0], source_id=a[1], target_type=b[0], target_id=b[1], relation=relation)
            for a, b, relation in edges
        ],
        ignore_conflicts=True,
    )
