"""Windows of a version's images, texts, sounds …, by row number of its manifest."""

from __future__ import annotations

from typing import Any

from backend.artifacts import aside
from backend.artifacts.errors import NoSuchFile
from backend.artifacts.pyramids import screen_url
from backend.datasets.errors import WrongModality
from backend.datasets.models import DatasetVersion
from backend.datasets.queries import views
from backend.datasets.queries.rows import MOST
from backend.datasets.showing.windows import ITEM as SHOWN
from workers.sdk.store import media_type_of


def window(
    version: DatasetVersion, offset: int, limit: int, search: str | None, label: str | None, wait: float
) -> tuple[dict[str, Any] | None, views.Making | None]:
    """(Items `offset` to `offset + limit`, of those with this label and with this text in their key; as `ItemsOut`, None), or
    (None, the making of that choice)."""
    _items_only(version)
    offset, limit = max(offset, 0), max(1, min(limit, MOST))
    conditions = []
    if search and search.strip():
        conditions.append(f"contains(lower(key), {_quoted(search.strip().lower())})")
    if label is not None:
        conditions.append(f"label == {_quoted(label)}" if label else "label is missing")
    of = views.shown(version)
    known = version.artifact.metadata.get("labels") if version.artifact is not None else None
    found, making = views.window(
        "backend.datasets.showing.windows:items",
        of,
        views.view(of, None, None, " and ".join(conditions)),
        wait,
        offset=offset,
        limit=limit,
        known_labels=known,
    )
    if making is not None:
        return None, making
    base = f"/api/v1/projects/{version.dataset.project.slug}/datasets/{version.dataset.slug}/versions/{version.number}/items"
    items = [
        {
            **dict.fromkeys(SHOWN),
            **row,
            "index": index,
            "url": f"{base}/{index}/file",
            "screen_url": screen_url(f"{base}/{index}/file", row.get("media_type"), row.get("width"), row.get("height")),
            "thumbnail_url": f"{base}/{index}/file?thumbnail=true",
        }
        for index, row in zip(found["numbers"], found["items"], strict=True)
    ]
    return {"items": items, "offset": offset, "total": found["total"], "labels": found["labels"]}, None


def item_at(version: DatasetVersion, index: int) -> tuple[str, str, str]:
    """(file name, digest, media type) of one item."""
    _items_only(version)
    row = aside.ask("read", "backend.artifacts.tables:row", digest=version.data, index=index, columns=["key", "digest", "media_type"])
    if row is None:
        raise NoSuchFile(name=str(index))
    return row["key"].rsplit("/", 1)[-1], row["digest"], row.get("media_type") or media_type_of(row["key"])


def _items_only(version: DatasetVersion) -> None:
    if version.dataset.modality == "table":
        raise WrongModality(dataset=version.dataset.slug, modality="a table", wanted="items such as images and texts")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
