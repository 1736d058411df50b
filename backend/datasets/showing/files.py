"""A version as a file to take away, made while it is sent."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

from backend.artifacts import tables
from backend.datasets.showing.shown import Shown


def stream(*, shown: dict[str, Any], form: str) -> Iterator[bytes]:
    """The bytes of it as `csv`, `jsonl` or `parquet`."""
    return {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}[form](Shown(**shown))


def _csv(version: Shown) -> Iterator[bytes]:
    """With a byte-order mark, so that spreadsheets read UTF-8."""
    from pyarrow import csv

    first = True
    for group in version.stream():
        sink = io.BytesIO()
        csv.write_csv(group, sink, csv.WriteOptions(include_header=first, quoting_style="needed"))
        yield (b"\xef\xbb\xbf" if first else b"") + sink.getvalue()
        first = False


def _jsonl(version: Shown) -> Iterator[bytes]:
    kinds = {c["name"]: c["type"] for c in version.columns}
    for group in version.stream():
        yield b"".join(
            json.dumps({k: _value(v, kinds[k]) for k, v in row.items()}, ensure_ascii=False).encode() + b"\n" for row in _records(group)
        )


def _records(group: Any) -> Iterator[dict[str, Any]]:
    """A thousand rows as Python objects at a time."""
    for batch in group.to_batches(max_chunksize=1000):
        yield from batch.to_pylist()


def _value(value: Any, kind: str) -> Any:
    if kind == "json" and isinstance(value, str):
        return json.loads(value)
    if isinstance(value, str):
        return value
    return tables.json_cell(value)


def _parquet(version: Shown) -> Iterator[bytes]:
    """Of a draft: written to memory group by group, and sent as it grows."""
    import pyarrow.parquet as pq

    sink, writer = _Growing(), None
    for group in version.stream():
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
