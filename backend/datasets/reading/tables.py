"""Tables of any format, as one Parquet file of the values as they were written ("raw") and a guess of each column's type.

The raw values are kept until the version is frozen and after, because only they can be read again with another type.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.datasets.reading import csvs, excel, jsonl
from backend.datasets.reading.cast import NULLS
from backend.datasets.reading.infer import Guess, suggest_label
from backend.datasets.reading.limits import LIMITS
from backend.datasets.reading.opened import Opened, checked_names
from backend.datasets.reading.parquet import Writer
from backend.datasets.reading.problems import Problems, Progress
from workers.sdk.store import Store, Stored


@dataclass(frozen=True, kw_only=True)
class TableRead:
    """A table that was read: `raw` is its Parquet file in the store."""

    raw: Stored
    rows: int
    columns: list[dict[str, Any]]
    label_column: str | None
    nulls: list[str] = field(default_factory=list)


def read_table(
    kind: str, path: Path, options: dict[str, Any], work: Path, store: Store, problems: Problems, progress: Progress
) -> TableRead:
    """Read `path`, which is a `kind` (csv, jsonl, xlsx, parquet); raises ReadFailed with everything that is wrong."""
    import pyarrow as pa

    progress(0.0, "reading")
    opened = {"csv": csvs.open_csv, "jsonl": jsonl.open_jsonl, "xlsx": excel.open_excel, "parquet": open_parquet}[kind](
        path, options, work, problems
    )
    said = options.get("null_values")
    nulls = tuple(said) if said is not None else (() if opened.typed else NULLS)
    names = opened.schema.names
    guesses = [Guess(nulls, typed=opened.typed) for _ in names]
    target = work / "raw.parquet"
    try:
        with Writer(target, opened.schema) as writer:
            for batch, share in opened.batches:
                writer.write(batch)
                if writer.rows > LIMITS.rows:
                    raise problems.fail(f"There are more than {LIMITS.rows:,} rows.", "several uploads, appended to one data set")
                for guess, column in zip(guesses, batch.columns, strict=True):
                    guess.add(column)
                progress(min(share, 1.0) * 0.8, f"{writer.rows:,} rows read")
            opened.finish()
            problems.raise_any()
            if not writer.rows:
                raise problems.fail(
                    "There is a header but no row of data." if kind != "parquet" else "There are no rows.", "at least one row"
                )
    except pa.ArrowException as exc:
        raise problems.fail(f"The file is damaged: {str(exc)[:300]}", "a whole file; it may have been cut off while copying") from exc
    progress(0.9, "keeping")
    columns = [{"name": name, **guess.result()} for name, guess in zip(names, guesses, strict=True)]
    label = options.get("label_column")
    if label is not None and label not in names:
        raise problems.fail(f"There is no column “{label}” to be the label.", "one of " + ", ".join(names[:20]))
    return TableRead(
        raw=store.put_file(target, consume=True),
        rows=writer.rows,
        columns=columns,
        label_column=label or suggest_label(columns),
        nulls=list(nulls),
    )


def open_parquet(path: Path, options: dict[str, Any], work: Path, problems: Problems) -> Opened:
    """A Parquet file; nested values become JSON text, times UTC, narrow numbers wide."""
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
    kinds = [_kept_type(kind) for _, kind in fields]
    for name, kind in zip(names, kinds, strict=True):
        if kind is None:
            problems.add(f"Column “{name}” holds raw bytes, which are no table values.", "leave it out, or upload images as a zip")
    problems.raise_any()
    schema = pa.schema(list(zip(names, kinds, strict=True)))

    def batches() -> Iterator[tuple[Any, float]]:
        seen = 0
        for batch in file.iter_batches(batch_size=16_384, use_threads=False):
            seen += batch.num_rows
            columns = [_kept(column, kind) for column, kind in zip(batch.columns, kinds, strict=True)]
            yield pa.RecordBatch.from_arrays(columns, schema=schema), seen / max(file.metadata.num_rows, 1)

    return Opened(schema=schema, batches=batches(), typed=True)


def _kept_type(kind: Any) -> Any:
    import pyarrow as pa
    import pyarrow.types as t

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
    return None if t.is_binary(kind) or t.is_large_binary(kind) or t.is_fixed_size_binary(kind) else pa.string()


def _kept(column: Any, kind: Any) -> Any:
    import json

    import pyarrow as pa
    import pyarrow.types as t

    if t.is_nested(column.type):
        return pa.array([None if v is None else json.dumps(v, ensure_ascii=False, default=str) for v in column.to_pylist()], pa.string())
    if t.is_dictionary(column.type):
        column = column.dictionary_decode()
    if t.is_floating(column.type):
        import pyarrow.compute as pc

        column = pc.if_else(pc.is_nan(column), None, column)
    return column.cast(kind, safe=False) if column.type != kind else column
