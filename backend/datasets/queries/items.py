"""Windows of a version's images or texts, by row number of its manifest."""

from __future__ import annotations

from typing import Any

from backend.artifacts import tables
from backend.artifacts.errors import NoSuchFile
from backend.datasets.errors import WrongModality
from backend.datasets.models import DatasetVersion
from backend.datasets.queries.rows import MOST
from backend.datasets.queries.rows import _view as rows_view
from workers.sdk.store import media_type_of

SHOWN = ("key", "label", "split", "width", "height", "size")


def window(version: DatasetVersion, offset: int, limit: int, search: str | None, label: str | None) -> dict[str, Any]:
    """Items `offset` to `offset + limit`, of those with this label and with this text in their key; as `ItemsOut`."""
    _items_only(version)
    offset, limit = max(offset, 0), max(1, min(limit, MOST))
    conditions = []
    if search and search.strip():
        conditions.append(f"contains(lower(key), {_quoted(search.strip().lower())})")
    if label is not None:
        conditions.append(f"label == {_quoted(label)}" if label else "label is missing")
    schema = tables.schema(version.data)
    columns = [c for c in SHOWN if c in schema.names]
    if conditions:
        view = rows_view(version, "", "", " and ".join(conditions))
        numbers = view[offset : offset + limit].tolist()
        part, total = tables.take(version.data, numbers, columns), len(view)
    else:
        part, total = tables.window(version.data, offset, limit, columns), tables.row_count(version.data)
        numbers = list(range(offset, offset + part.num_rows))
    base = f"/api/v1/projects/{version.dataset.project.slug}/datasets/{version.dataset.slug}/versions/{version.number}/items"
    items = [
        {
            **dict.fromkeys(SHOWN),
            **row,
            "index": index,
            "url": f"{base}/{index}/file",
            "thumbnail_url": f"{base}/{index}/file?thumbnail=true",
        }
        for index, row in zip(numbers, part.to_pylist(), strict=True)
    ]
    return {"items": items, "offset": offset, "total": total, "labels": labels(version)}


def labels(version: DatasetVersion) -> list[str]:
    """The classes of the version, in order."""
    if version.artifact is not None and "labels" in version.artifact.metadata:
        return list(version.artifact.metadata["labels"])
    import pyarrow.compute as pc

    found: set[str] = set()
    for group in tables.batches(version.data, ["label"]):
        found.update(v for v in pc.unique(group.column("label")).to_pylist() if v is not None)
    return sorted(found)


def item_at(version: DatasetVersion, index: int) -> tuple[str, str, str]:
    """(file name, digest, media type) of one item."""
    _items_only(version)
    if not 0 <= index < tables.row_count(version.data):
        raise NoSuchFile(name=str(index))
    row = tables.window(version.data, index, 1).to_pylist()[0]
    return row["key"].rsplit("/", 1)[-1], row["digest"], row.get("media_type") or media_type_of(row["key"])


def _items_only(version: DatasetVersion) -> None:
    if version.dataset.modality == "table":
        raise WrongModality(dataset=version.dataset.slug, modality="a table", wanted="images and texts")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
