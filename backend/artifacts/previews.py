"""What a person sees of an artifact, as the JSON of its `Preview`. Called in a hand (`aside.ask`): eight megabytes of JSON are a
hundred of Python objects."""

from __future__ import annotations

import json
from typing import Any

from backend.artifacts import tables
from backend.artifacts.errors import NoPreview
from backend.artifacts.storage import store
from workers.sdk.store import TREE

SHOWN = 8 * 1024 * 1024  # bytes of JSON that a preview reads


def preview(*, kind: str, digest: str, media_type: str, size: int, metadata: dict[str, Any], files: str, offset: int, limit: int) -> bytes:
    """A window of a table, pictures, figures, a model's card, or the JSON itself. `files` is the address of the artifact's files."""
    if kind == "Images":
        found = _images(digest, files, offset, limit)
    elif media_type == TREE:
        found = _folder(kind, digest)
    elif kind == "Table" or media_type == "application/vnd.apache.parquet":
        found = _table(kind, digest, metadata, offset, limit)
    elif size > SHOWN:
        found = {"type": "json", "value": {"size": size, "media_type": media_type, "metadata": metadata}}
    else:
        found = of_json(_json(store().read(digest), kind))
    return json.dumps(found, separators=(",", ":"), allow_nan=False).encode()


def of_json(value: Any) -> dict[str, Any]:
    if isinstance(value, list) and value and all(isinstance(v, dict) and {"title", "figure"} <= v.keys() for v in value):
        return {"type": "figures", "figures": value}
    return {"type": "json", "value": value}


def _json(data: bytes, kind: str) -> Any:
    try:
        return json.loads(data, parse_constant=lambda _: None)
    except ValueError as exc:
        raise NoPreview(kind=kind, reason="its bytes are not JSON; download it instead") from exc


def _table(kind: str, digest: str, metadata: dict[str, Any], offset: int, limit: int) -> dict[str, Any]:
    import pyarrow as pa

    try:
        part = tables.window(digest, offset, limit)
    except pa.ArrowException as exc:
        raise NoPreview(kind=kind, reason="its bytes are not Parquet; download it instead") from exc
    said = {c["name"]: c["type"] for c in metadata.get("columns", []) if isinstance(c, dict) and {"name", "type"} <= c.keys()}
    columns = [{"name": f.name, "type": said.get(f.name) or tables.type_name(f.type)} for f in part.schema]
    return {"type": "table", "columns": columns, "rows": tables.json_rows(part), "total": tables.row_count(digest)}


def _images(digest: str, files: str, offset: int, limit: int) -> dict[str, Any]:
    part = tables.window(digest, offset, limit)
    shown = [c for c in ("key", "label", "split", "width", "height") if c in part.column_names]
    images = [
        {
            **{c: tables.json_cell(row[c]) for c in shown},
            "index": index,
            "url": f"{files}/{index}",
            "thumbnail_url": f"{files}/{index}?thumbnail=true",
        }
        for index, row in enumerate(part.select(shown).to_pylist(), start=offset)
    ]
    return {"type": "images", "images": images, "total": tables.row_count(digest)}


def _folder(kind: str, digest: str) -> dict[str, Any]:
    files = {f["path"]: f for f in store().files(digest)}

    def text(name: str) -> bytes | None:
        return store().read(files[name]["digest"]) if name in files and files[name]["size"] <= SHOWN else None

    if (manifest := text("manifest.json")) is not None:
        card = text("card.md") or b""
        return {"type": "card", "markdown": card.decode(errors="replace"), "manifest": _json(manifest, kind)}
    return {"type": "json", "value": {"files": [{"path": f["path"], "size": f["size"]} for f in files.values()]}}
