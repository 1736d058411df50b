"""Writing Parquet row group by row group: never more than one group of rows in memory."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

CELLS = 2_000_000  # of one row group
META = b"headrace"


def group_rows(columns: int) -> int:
    """Rows of a row group: few enough that a window of a wide table is cheap to read, many enough to compress."""
    return max(256, min(16_384, CELLS // max(columns, 1)))


class Writer:
    """Collects batches and writes groups of equal size, so that a row's group follows from its number."""

    def __init__(self, path: Path, schema: Any, *, columns: Sequence[dict[str, Any]] = (), label_column: str | None = None) -> None:
        import pyarrow.parquet as pq

        if columns:
            named = [{"name": c["name"], "type": c["type"], **({"key": True} if c.get("key") else {})} for c in columns]
            said = {"columns": named, "label_column": label_column}
            schema = schema.with_metadata({META: json.dumps(said, ensure_ascii=False).encode()})
        self.schema, self.path, self.rows = schema, path, 0
        self._group = group_rows(len(schema))
        self._waiting: list[Any] = []
        self._count = 0
        self._file = pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=True, write_statistics=True)

    def write(self, table: Any) -> None:
        """Add rows (a Table or RecordBatch with this writer's columns)."""
        import pyarrow as pa

        if isinstance(table, pa.RecordBatch):
            table = pa.Table.from_batches([table])
        self._waiting.append(table.replace_schema_metadata(self.schema.metadata))
        self._count += table.num_rows
        self.rows += table.num_rows
        if self._count >= self._group:
            self._flush(False)

    def _flush(self, last: bool) -> None:
        import pyarrow as pa

        if not self._waiting:
            return
        whole = pa.concat_tables(self._waiting).combine_chunks()
        done = 0
        while whole.num_rows - done >= self._group or (last and done < whole.num_rows):
            self._file.write_table(whole.slice(done, self._group), row_group_size=self._group)
            done += min(self._group, whole.num_rows - done)
        rest = whole.slice(done)
        self._waiting, self._count = ([rest] if rest.num_rows else []), rest.num_rows

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self._flush(True)
        self._file.close()
