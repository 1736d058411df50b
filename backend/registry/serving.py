"""Where a model answers now. Endpoints belong to a later stage of the route, which tells here (from its `AppConfig.ready`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from uuid import UUID

Lookup = Callable[[Iterable[UUID]], Mapping[UUID, list[str]]]
_lookup: Lookup | None = None


def tell(lookup: Lookup) -> None:
    """Say how endpoints are found: ids of models → slugs of the endpoints where a version of each answers, in one query."""
    global _lookup
    _lookup = lookup


def endpoints(models: Iterable[UUID]) -> Mapping[UUID, list[str]]:
    return _lookup(models) if _lookup is not None else {}
