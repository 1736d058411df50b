"""Reads of `artifacts`: one artifact, what a person sees of it, its files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from backend.artifacts import tables
from backend.artifacts.errors import BytesMissing, NoPreview, NoSuchFile
from backend.artifacts.models import Artifact
from backend.artifacts.storage import store
from backend.core.errors import NotFound
from backend.core.models import Project
from workers.sdk.store import TREE, BlobMissing, StoreError, media_type_of

ROWS = 500  # of a preview, at once
SHOWN = 8 * 1024 * 1024  # bytes of JSON that a preview reads


def get_artifact(project: Project, artifact_id: UUID) -> Artifact:
    found: Artifact | None = Artifact.objects.filter(project=project, pk=artifact_id).first()
    if found is None:
        raise NotFound(what="artifact", name=str(artifact_id))
    return found


def preview(project: Project, artifact: Artifact, offset: int, limit: int) -> dict[str, Any]:
    """What a person sees of it: a window of a table, pictures, figures, a model's card, or the JSON itself."""
    offset, limit = max(offset, 0), max(1, min(limit, ROWS))
    try:
        if artifact.inline is not None:
            return _of_json(artifact.inline)
        if artifact.kind == "Images":
            return _images(project, artifact, offset, limit)
        if artifact.media_type == TREE:
            return _folder(artifact)
        if artifact.kind == "Table" or artifact.media_type == "application/vnd.apache.parquet":
            return _table(artifact, offset, limit)
        if artifact.size > SHOWN:
            return {"type": "json", "value": {"size": artifact.size, "media_type": artifact.media_type, "metadata": artifact.metadata}}
        return _of_json(_json(store().read(artifact.digest), artifact))
    except BlobMissing as exc:
        raise BytesMissing(digest=artifact.digest[:12]) from exc


def _of_json(value: Any) -> dict[str, Any]:
    if isinstance(value, list) and value and all(isinstance(v, dict) and {"title", "figure"} <= v.keys() for v in value):
        return {"type": "figures", "figures": value}
    return {"type": "json", "value": value}


def _json(data: bytes, artifact: Artifact) -> Any:
    try:
        return json.loads(data, parse_constant=lambda _: None)
    except ValueError as exc:
        raise NoPreview(kind=artifact.kind, reason="its bytes are not JSON; download it instead") from exc


def _table(artifact: Artifact, offset: int, limit: int) -> dict[str, Any]:
    import pyarrow as pa

    try:
        part = tables.window(artifact.digest, offset, limit)
    except pa.ArrowException as exc:
        raise NoPreview(kind=artifact.kind, reason="its bytes are not Parquet; download it instead") from exc
    said = {c["name"]: c["type"] for c in artifact.metadata.get("columns", []) if isinstance(c, dict) and {"name", "type"} <= c.keys()}
    columns = [{"name": f.name, "type": said.get(f.name) or tables.type_name(f.type)} for f in part.schema]
    return {"type": "table", "columns": columns, "rows": tables.json_rows(part), "total": tables.row_count(artifact.digest)}


def _images(project: Project, artifact: Artifact, offset: int, limit: int) -> dict[str, Any]:
    part = tables.window(artifact.digest, offset, limit)
    shown = [c for c in ("key", "label", "split", "width", "height") if c in part.column_names]
    base = f"/api/v1/projects/{project.slug}/artifacts/{artifact.id}/files"
    images = [
        {
            **{c: tables.json_cell(row[c]) for c in shown},
            "index": index,
            "url": f"{base}/{index}",
            "thumbnail_url": f"{base}/{index}?thumbnail=true",
        }
        for index, row in enumerate(part.select(shown).to_pylist(), start=offset)
    ]
    return {"type": "images", "images": images, "total": tables.row_count(artifact.digest)}


def _folder(artifact: Artifact) -> dict[str, Any]:
    files = {f["path"]: f for f in store().files(artifact.digest)}

    def text(name: str) -> bytes | None:
        return store().read(files[name]["digest"]) if name in files and files[name]["size"] <= SHOWN else None

    if (manifest := text("manifest.json")) is not None:
        card = text("card.md") or b""
        return {"type": "card", "markdown": card.decode(errors="replace"), "manifest": _json(manifest, artifact)}
    return {"type": "json", "value": {"files": [{"path": f["path"], "size": f["size"]} for f in files.values()]}}


def image_at(artifact: Artifact, index: int) -> tuple[str, str, str]:
    """(key, digest, media type) of one image of an Images artifact."""
    if not 0 <= index < tables.row_count(artifact.digest):
        raise NoSuchFile(name=str(index))
    row = tables.window(artifact.digest, index, 1).to_pylist()[0]
    return row["key"], row["digest"], row.get("media_type") or media_type_of(row["key"])


def file_of(artifact: Artifact, path: str) -> tuple[str, str, str]:
    """(name, digest, media type) of one file: by path in a folder, by row number in Images."""
    try:
        if artifact.kind == "Images":
            if not path.isdecimal() or len(path) > 12:
                raise NoSuchFile(name=path)
            return image_at(artifact, int(path))
        if artifact.media_type == TREE:
            for file in store().files(artifact.digest):
                if file["path"] == path:
                    return PurePosixPath(path).name, file["digest"], media_type_of(path)
    except BlobMissing as exc:
        raise BytesMissing(digest=artifact.digest[:12]) from exc
    except StoreError as exc:
        raise NoSuchFile(name=path) from exc
    raise NoSuchFile(name=path)


def download_of(artifact: Artifact) -> tuple[str, str, str | bytes | Iterable[tuple[str, Iterable[bytes]]]]:
    """(file name, media type, what to send): the digest of a blob, bytes, or, of a folder and of Images, the members of a zip."""
    stem = f"{artifact.kind.lower()}-{artifact.digest[:8]}"
    if artifact.inline is not None:
        return f"{stem}.json", "application/json", json.dumps(artifact.inline, indent=2, ensure_ascii=False).encode()
    try:
        if artifact.media_type == TREE:
            files = store().files(artifact.digest)
            return f"{stem}.zip", "application/zip", ((f["path"], store().pieces(f["digest"])) for f in files)
        if artifact.kind == "Images":
            return f"{stem}.zip", "application/zip", image_members(artifact.digest)
        store().size(artifact.digest)
    except BlobMissing as exc:
        raise BytesMissing(digest=artifact.digest[:12]) from exc
    ending = {"application/vnd.apache.parquet": ".parquet", "application/json": ".json", "text/markdown": ".md"}.get(
        artifact.media_type, ".bin"
    )
    return stem + ending, artifact.media_type, artifact.digest


def image_members(manifest: str) -> Iterator[tuple[str, Iterable[bytes]]]:
    """The members of a zip of all images of a manifest, and the manifest itself as `manifest.csv`, which an upload reads again."""
    import csv
    import io

    lines = io.StringIO()
    writer = csv.writer(lines)
    writer.writerow(["path", "label", "split"])
    for batch in tables.batches(manifest, ["key", "digest", "label", "split"]):
        for row in batch.to_pylist():
            writer.writerow([row["key"], row["label"] or "", row["split"] or ""])
            yield row["key"], store().pieces(row["digest"])
    yield "manifest.csv", [lines.getvalue().encode()]
