"""Reading windows of Parquet files in the store: only the row groups and columns that are asked for.

pyarrow is imported inside the functions: a web process that shows no table does not carry it.
"""

from __future__ import annotations

import bisect
import datetime
import itertools
import json
import math
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from backend.artifacts.storage import store

CELL = 2_000  # characters of a cell that a window carries; the whole text is in the download


@lru_cache(maxsize=32)
def _footer(digest: str) -> Any:
    import pyarrow.parquet as pq

    with store().open(digest) as source:
        return pq.read_metadata(source)


def open_parquet(digest: str) -> Any:
    """The `pyarrow.parquet.ParquetFile` (use it in `with`); its footer is read once per process."""
    import pyarrow.parquet as pq

    local = store()
    source: Any = local.fetch(digest) if local.root is not None else local.open(digest)
    return pq.ParquetFile(source, metadata=_footer(digest), pre_buffer=False)


def row_count(digest: str) -> int:
    return int(_footer(digest).num_rows)


def schema(digest: str) -> Any:
    """The Arrow schema."""
    return _footer(digest).schema.to_arrow_schema()


def key_column(digest: str) -> str | None:
    """The column by which rows are known across versions, where the file names one."""
    said = json.loads((schema(digest).metadata or {}).get(b"headrace") or b"{}")
    return next((c["name"] for c in said.get("columns", ()) if c.get("key")), None)


@lru_cache(maxsize=32)
def group_starts(digest: str) -> tuple[int, ...]:
    """The row at which each row group begins, and after the last the number of rows."""
    footer = _footer(digest)
    return tuple(itertools.accumulate((footer.row_group(i).num_rows for i in range(footer.num_row_groups)), initial=0))


def window(digest: str, offset: int, limit: int, columns: Sequence[str] | None = None) -> Any:
    """Rows `offset` to `offset + limit` as an Arrow table."""
    starts = group_starts(digest)
    end = min(offset + limit, starts[-1])
    with open_parquet(digest) as file:
        if offset >= end:
            return file.schema_arrow.empty_table() if columns is None else file.schema_arrow.empty_table().select(list(columns))
        first, last = bisect.bisect_right(starts, offset) - 1, bisect.bisect_left(starts, end)
        groups = file.read_row_groups(list(range(first, last)), columns=_named(columns), use_threads=False)
    return groups.slice(offset - starts[first], end - offset)


def row(digest: str, index: int, columns: Sequence[str]) -> dict[str, Any] | None:
    """One row as JSON values, of those of `columns` that there are; None past the end."""
    if not 0 <= index < row_count(digest):
        return None
    known = schema(digest).names
    found = window(digest, index, 1, [c for c in columns if c in known]).to_pylist()[0]
    return {name: json_cell(value) for name, value in found.items()}


def take(digest: str, rows: Sequence[int], columns: Sequence[str] | None = None) -> Any:
    """The rows with these numbers, in this order; each row group that holds one is read once."""
    with open_parquet(digest) as file:
        empty = file.schema_arrow.empty_table() if columns is None else file.schema_arrow.empty_table().select(list(columns))

        def part(group: int, inside: list[int]) -> Any:
            return file.read_row_group(group, columns=_named(columns), use_threads=False).take(inside)

        return gather(group_starts(digest), rows, part, empty.schema)


def gather(starts: Sequence[int], rows: Sequence[int], part: Callable[[int, list[int]], Any], schema: Any) -> Any:
    """A table of these rows in this order, of a thing in groups: `part(group, rows inside it)` gives a table of those."""
    import pyarrow as pa

    wanted: dict[int, list[tuple[int, int]]] = {}
    for place, row in enumerate(rows):
        group = bisect.bisect_right(starts, row) - 1
        wanted.setdefault(group, []).append((place, row - starts[group]))
    if not wanted:
        return schema.empty_table()
    parts, places = [], []
    for group, found in sorted(wanted.items()):
        parts.append(part(group, [inside for _, inside in found]))
        places += [place for place, _ in found]
    back = [0] * len(places)
    for position, place in enumerate(places):
        back[place] = position
    return pa.concat_tables(parts).take(back)


def batches(digest: str, columns: Sequence[str] | None = None) -> Iterator[Any]:
    """The table, one row group at a time."""
    with open_parquet(digest) as file:
        for group in range(file.num_row_groups):
            yield file.read_row_group(group, columns=_named(columns), use_threads=False)


def _named(columns: Sequence[str] | None) -> list[str] | None:
    return None if columns is None else list(columns)


def type_name(kind: Any) -> str:
    """The column type (as on a data set's page) of an Arrow type."""
    import pyarrow.types as t

    if t.is_dictionary(kind):
        return "category"
    if t.is_boolean(kind):
        return "boolean"
    if t.is_integer(kind):
        return "integer"
    if t.is_floating(kind) or t.is_decimal(kind):
        return "number"
    if t.is_temporal(kind) and not t.is_duration(kind):
        return "datetime"
    return "json" if t.is_nested(kind) else "text"


def json_cell(value: Any) -> Any:
    """A value of Arrow as JSON shows it: NaN and infinities as null, times as ISO 8601, bytes by their number."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return value if len(value) <= CELL else value[:CELL] + "…"
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    if isinstance(value, dict):
        return {str(k): json_cell(v) for k, v in list(value.items())[:100]}
    if isinstance(value, list | tuple):
        return [json_cell(v) for v in value[:100]]
    return str(value)


def json_rows(table: Any) -> list[list[Any]]:
    """An Arrow table as rows of JSON values."""
    lists = [[json_cell(value) for value in column.to_pylist()] for column in table.columns]
    return [list(row) for row in zip(*lists, strict=True)]
