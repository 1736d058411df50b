"""A version as a file to take away, made while it is sent."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from backend.artifacts import tables
from backend.artifacts.queries import image_members
from backend.artifacts.responses import zip_stream
from backend.core.errors import InvalidInput
from backend.datasets.models import DatasetVersion
from backend.datasets.queries.rows import stream

FORMATS = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet", "jsonl": "application/jsonl", "zip": "application/zip"}


def download(version: DatasetVersion, form: str) -> tuple[str, str, str | Iterable[bytes]]:
    """(file name, media type, the digest of a blob or bytes that are made now)."""
    allowed = [f for f in FORMATS if f != "zip" or version.dataset.modality != "table"]
    if form not in allowed:
        raise InvalidInput(message=f"There is no download as “{form[:40]}”.", field="format", hint="One of " + ", ".join(allowed))
    name = f"{version.dataset.slug}-{version.number}.{form}"
    if form == "zip":
        return name, FORMATS[form], zip_stream(image_members(version.data))
    if form == "parquet" and not (version.raw and version.data == version.raw):
        return name, FORMATS[form], version.data
    return name, FORMATS[form], {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}[form](version)


def _csv(version: DatasetVersion) -> Iterator[bytes]:
    """With a byte-order mark, so that spreadsheets read UTF-8."""
    from pyarrow import csv

    first = True
    for group in stream(version):
        sink = io.BytesIO()
        csv.write_csv(group, sink, csv.WriteOptions(include_header=first, quoting_style="needed"))
        yield (b"\xef\xbb\xbf" if first else b"") + sink.getvalue()
        first = False


def _jsonl(version: DatasetVersion) -> Iterator[bytes]:
    kinds = {c["name"]: c["type"] for c in version.columns}
    for group in stream(version):
        yield b"".join(
            json.dumps({k: _value(v, kinds[k]) for k, v in row.items()}, ensure_ascii=False).encode() + b"\n" for row in group.to_pylist()
        )


def _value(value: Any, kind: str) -> Any:
    if kind == "json" and isinstance(value, str):
        return json.loads(value)
    if isinstance(value, str):
        return value
    return tables.json_cell(value)


def _parquet(version: DatasetVersion) -> Iterator[bytes]:
    """Of a draft: written to memory group by group, and sent as it grows."""
    import pyarrow.parquet as pq

    sink, writer = _Growing(), None
    for group in stream(version):
        if writer is None:
            writer = pq.ParquetWriter(sink, group.schema, compression="zstd")
        writer.write_table(group)
        yield sink.take()
    if writer is not None:
        writer.close()
    yield sink.take()


class _Growing(io.RawIOBase):
    """A file that forgets what was taken from it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._position = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._position += len(part)
        return len(part)

    def take(self) -> bytes:
        data, self._parts = b"".join(self._parts), []
        return data
