"""Zips made while they are sent, of folders and of images. Called in a hand (`aside.stream`): the list of a zip's members, which it must
keep to its end, grows with their number."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any

from backend.artifacts import tables
from backend.artifacts.storage import store

Members = Iterable[tuple[str, Iterable[bytes]]]


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


def zip_stream(members: Members) -> Iterator[bytes]:
    """A zip made while it is sent. Members are stored, not compressed: images, Parquet and ONNX hardly shrink."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, pieces in members:
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.external_attr = 0o644 << 16
            with archive.open(info, "w", force_zip64=True) as out:
                for piece in pieces:
                    out.write(piece)
                    if sink.waiting > 256 * 1024:
                        yield sink.take()
            if sink.waiting > 256 * 1024:
                yield sink.take()
    yield sink.take()


class _Sink(io.RawIOBase):
    """What zipfile writes into: cannot seek, so it is written front to back."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.waiting = 0
        self._position = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._parts.append(part)
        self.waiting += len(part)
        self._position += len(part)
        return len(part)

    def take(self) -> bytes:
        data, self._parts, self.waiting = b"".join(self._parts), [], 0
        return data
