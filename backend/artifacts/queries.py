"""Reads of `artifacts`: one artifact, what a person sees of it, its files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from backend.artifacts import aside
from backend.artifacts.errors import BytesMissing, NoSuchFile
from backend.artifacts.models import Artifact
from backend.artifacts.previews import of_json
from backend.artifacts.storage import store
from backend.core.errors import NotFound
from backend.core.models import Project
from workers.sdk.store import TREE, BlobMissing, StoreError, media_type_of

ROWS = 500  # of a preview, at once


def get_artifact(project: Project, artifact_id: UUID) -> Artifact:
    found: Artifact | None = Artifact.objects.filter(project=project, pk=artifact_id).first()
    if found is None:
        raise NotFound(what="artifact", name=str(artifact_id))
    return found


def preview(project: Project, artifact: Artifact, offset: int, limit: int) -> Any:
    """What a person sees of it (see `previews`): JSON, or a Body that holds it."""
    offset, limit = max(offset, 0), max(1, min(limit, ROWS))
    if artifact.inline is not None:
        return of_json(artifact.inline)
    given = {name: getattr(artifact, name) for name in ("kind", "digest", "media_type", "size", "metadata")}
    files = f"/api/v1/projects/{project.slug}/artifacts/{artifact.id}/files"
    return aside.ask("read", "backend.artifacts.previews:preview", **given, files=files, offset=offset, limit=limit)


def image_at(artifact: Artifact, index: int) -> tuple[str, str, str]:
    """(key, digest, media type) of one image of an Images artifact."""
    row = aside.ask("read", "backend.artifacts.tables:row", digest=artifact.digest, index=index, columns=["key", "digest", "media_type"])
    if row is None:
        raise NoSuchFile(name=str(index))
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


def download_of(artifact: Artifact) -> tuple[str, str, str | bytes | Iterator[bytes]]:
    """(file name, media type, what to send): the digest of a blob, bytes, or, of a folder and of Images, the pieces of a zip."""
    stem = f"{artifact.kind.lower()}-{artifact.digest[:8]}"
    if artifact.inline is not None:
        return f"{stem}.json", "application/json", json.dumps(artifact.inline, indent=2, ensure_ascii=False).encode()
    try:
        if artifact.media_type == TREE:
            return f"{stem}.zip", "application/zip", aside.stream("backend.artifacts.zips:folder", digest=artifact.digest)
        if artifact.kind == "Images":
            return f"{stem}.zip", "application/zip", aside.stream("backend.artifacts.zips:images", manifest=artifact.digest)
        store().size(artifact.digest)
    except BlobMissing as exc:
        raise BytesMissing(digest=artifact.digest[:12]) from exc
    ending = {"application/vnd.apache.parquet": ".parquet", "application/json": ".json", "text/markdown": ".md"}.get(
        artifact.media_type, ".bin"
    )
    return stem + ending, artifact.media_type, artifact.digest
