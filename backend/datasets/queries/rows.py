"""Windows of a version's rows, read by a hand: the web process only passes their JSON on."""

from __future__ import annotations

from typing import Any

from backend.datasets.models import DatasetVersion
from backend.datasets.queries import views

MOST = 1_000


def window(
    version: DatasetVersion, offset: int, limit: int, search: str | None, sort: str | None, filter: str | None, wait: float
) -> tuple[Any, views.Making | None]:
    """(The `RowsOut` of rows `offset` to `offset + limit` as a Body of JSON, None), or (None, the making of the view)."""
    offset, limit = max(offset, 0), max(1, min(limit, MOST))
    of = views.shown(version)
    wanted = views.view(of, search, sort, filter)
    return views.window("backend.datasets.showing.windows:rows", of, wanted, wait, offset=offset, limit=limit)
