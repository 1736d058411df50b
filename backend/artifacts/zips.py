"""Zips of folders and of images, made while they are sent. Called in a hand (`aside.stream`), because manifests are Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from backend.artifacts import tables
from backend.artifacts.storage import store
from backend.artifacts.zipped import zip_stream


def images(manifest: str) -> Iterator[bytes]:
    """All images of a manifest, and the manifest itself as `manifest.csv`, which an upload reads again."""
    return zip_stream(_image_members(manifest))


def folder(digest: str) -> Iterator[bytes]:
    """All files of a folder."""
    return zip_stream((f["path"], store().pieces(f["digest"])) for f in store().files(digest))


def _image_members(manifest: str) -> Iterator[tuple[str, Iterable[bytes]]]:
    lines = io.StringIO()
    writer = csv.writer(lines)
    writer.writerow(["path", "label", "split"])
    for batch in tables.batches(manifest, ["key", "digest", "label", "split"]):
        for row in batch.to_pylist():
            writer.writerow([row["key"], row["label"] or "", row["split"] or ""])
            yield row["key"], store().pieces(row["digest"])
    yield "manifest.csv", [lines.getvalue().encode()]
