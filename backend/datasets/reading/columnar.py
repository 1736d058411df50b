"""Parquet files as tables: narrow numbers become wide, nested values JSON text, times UTC; what has no place in a table is refused
by the column's name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backend.core.errors import Problem
from backend.datasets.reading.limits import LIMITS
from backend.datasets.reading.opened import Opened, checked_names
from backend.datasets.reading.problems import Problems

EXACT = 15  # digits that a double keeps


def open_parquet(path: Path, options: dict[str, Any], work: Path, problems: Problems) -> Opened:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path, pre_buffer=False)
        fields = [(f.name, f.type) for f in file.schema_arrow]
    except (pa.ArrowException, OSError) as exc:
        raise problems.fail(f"The Parquet file is damaged or cut off: {str(exc)[:300]}", "a whole Parquet file") from exc
    names = checked_names([name for name, _ in fields], problems)
    if not names:
        raise problems.fail("There are no columns.", "at least one column")
    if file.metadata.num_rows > LIMITS.rows:
        raise problems.fail(f"There are {file.metadata.num_rows:,} rows.", f"at most {LIMITS.rows:,}")
    kinds, notices = [], list[Problem]()
    for name, (_, kind) in zip(names, fields, strict=True):
        kept = _kept_type(kind)
        kinds.append(kept)
        if kept is None:
            problems.add(f"Column “{name}” holds {_spoken(kind)}, which are no table values.", _instead(kind))
        elif digits := _lost_digits(kind):
            message = f"The decimals of {digits} digits are kept as floating-point numbers, which are exact to {EXACT} digits."
            notices.append({"field": name, "message": message, "expected": "text in the file, if every digit counts"})
        elif pa.types.is_timestamp(kind) and kind.tz and kind.tz != "UTC":
            notices.append({"field": name, "message": f"The times of the zone {kind.tz} are kept in UTC.", "expected": ""})
    problems.raise_any()
    schema = pa.schema(list(zip(names, kinds, strict=True)))

    def batches() -> Iterator[tuple[Any, float]]:
        seen = 0
        with file:
            for batch in file.iter_batches(batch_size=16_384, use_threads=False):
                seen += batch.num_rows
                columns = []
                for name, column, kind in zip(names, batch.columns, kinds, strict=True):
                    try:
                        columns.append(kept_values(column, kind))
                    except (pa.ArrowException, ValueError, OverflowError) as exc:
                        raise problems.fail(f"Column “{name}” ({column.type}) cannot be read: {str(exc)[:200]}", "plain values") from exc
                yield pa.RecordBatch.from_arrays(columns, schema=schema), seen / max(file.metadata.num_rows, 1)

    return Opened(schema=schema, batches=batches(), typed=True, reading={"format": "parquet"}, notices=notices)


def _kept_type(kind: Any) -> Any:
    """The Arrow type that a column is kept as; None for what is no table value."""
    import pyarrow as pa
    import pyarrow.types as t

    if isinstance(kind, pa.BaseExtensionType):
        return _kept_type(kind.storage_type)
    if t.is_dictionary(kind):
        return _kept_type(kind.value_type)
    if t.is_integer(kind) and kind != pa.uint64():
        return pa.int64()
    if t.is_floating(kind) or t.is_decimal(kind) or kind == pa.uint64():
        return pa.float64()
    if t.is_boolean(kind):
        return pa.bool_()
    if t.is_timestamp(kind) or t.is_date(kind):
        return pa.timestamp("us")
    return None if _foreign(kind) else pa.string()


def _foreign(kind: Any) -> bool:
    """Whether it is, or holds, raw bytes or a union."""
    import pyarrow.types as t

    if t.is_union(kind) or t.is_interval(kind):
        return True
    if t.is_binary(kind) or t.is_large_binary(kind) or t.is_fixed_size_binary(kind) or t.is_binary_view(kind):
        return True
    return t.is_nested(kind) and any(_foreign(kind.field(i).type) for i in range(kind.num_fields))


def _spoken(kind: Any) -> str:
    import pyarrow.types as t

    if t.is_nested(kind) and not t.is_union(kind):
        return f"lists or records with raw bytes in them ({kind})"
    return f"{kind} values" if t.is_union(kind) or t.is_interval(kind) else "raw bytes"


def _instead(kind: Any) -> str:
    return (
        "leave the column out; upload images as a zip" if "binary" in str(kind) else "leave the column out, or write it as text or numbers"
    )


def _lost_digits(kind: Any) -> int:
    import pyarrow.types as t

    return kind.precision if t.is_decimal(kind) and kind.precision > EXACT else 0


def kept_values(column: Any, kind: Any) -> Any:
    """The column as its kept type."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as t

    if isinstance(column.type, pa.BaseExtensionType):
        column = column.storage
    if t.is_dictionary(column.type):
        column = column.dictionary_decode()
    if t.is_nested(column.type):
        return pa.array(
            [None if v is None else json.dumps(_plain(v, column.type), ensure_ascii=False) for v in column.to_pylist()], pa.string()
        )
    if t.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column)
    return column.cast(kind, safe=False) if column.type != kind else column


def _plain(value: Any, kind: Any) -> Any:
    """A nested value as JSON has it: a map is an object, a time ISO 8601, NaN null."""
    import pyarrow.types as t

    if value is None:
        return None
    if t.is_map(kind):
        return {str(k): _plain(v, kind.item_type) for k, v in value}
    if t.is_struct(kind):
        return {f.name: _plain(value.get(f.name), f.type) for f in kind}
    if t.is_nested(kind):
        return [_plain(v, kind.value_type) for v in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    if isinstance(value, bool | int | float | str):
        return value
    if t.is_decimal(kind):
        return float(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
