"""A raw table under a set of types: which values do not fit, and the table as those types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from backend.artifacts import tables
from backend.core.errors import Problem
from backend.datasets.reading.cast import WHAT, arrow_type, cast
from backend.datasets.reading.parquet import Writer

SHOWN = 5


def typed(table: Any, columns: Sequence[dict[str, Any]], nulls: Sequence[str]) -> Any:
    """Rows of a raw table (with these columns) as their types; what does not fit is null."""
    import pyarrow as pa

    arrays = [cast(table.column(c["name"]), c["type"], nulls, c.get("format") or "")[0] for c in columns]
    return pa.table(arrays, names=[c["name"] for c in columns])


def typed_batches(raw: str, columns: Sequence[dict[str, Any]], nulls: Sequence[str]) -> Iterator[Any]:
    """The whole table, one row group at a time."""
    for group in tables.batches(raw, [c["name"] for c in columns]):
        yield typed(group, columns, nulls)


def misfits(raw: str, columns: Sequence[dict[str, Any]], nulls: Sequence[str], nullable: dict[str, bool] | None = None) -> list[Problem]:
    """A problem for each column with values that do not fit, naming rows. `nullable` is filled with which columns miss values."""
    import pyarrow.compute as pc

    counts: dict[str, int] = {}
    examples: dict[str, list[str]] = {}
    start = 1
    for group in tables.batches(raw, [c["name"] for c in columns]):
        for column in columns:
            name, values = column["name"], group.column(column["name"])
            fitted, bad = cast(values, column["type"], nulls, column.get("format") or "")
            if nullable is not None:
                nullable[name] = nullable.get(name, False) or fitted.null_count > 0
            if bad is None:
                continue
            counts[name] = counts.get(name, 0) + int(pc.sum(bad).as_py())
            shown = examples.setdefault(name, [])
            if len(shown) < SHOWN:
                rows = pc.indices_nonzero(bad)[: SHOWN - len(shown)].to_pylist()
                shown += [f"row {start + row:,}: “{str(values[row].as_py())[:60]}”" for row in rows]
        start += group.num_rows
    kinds = {c["name"]: c for c in columns}
    return [
        {
            "field": name,
            "message": f"{counts[name]:,} value{'s do' if counts[name] > 1 else ' does'} not fit"
            f" {kinds[name]['type']} ({'; '.join(shown)}).",
            "expected": WHAT.get(kinds[name]["type"], kinds[name]["type"])
            + (f" written as {kinds[name]['format']}" if kinds[name].get("format") else "")
            + ", or another type, or these values as missing",
        }
        for name, shown in examples.items()
    ]


def checked(*, raw: str, columns: list[dict[str, Any]], nulls: list[str]) -> dict[str, Any]:
    """`misfits` as a hand answers: `{problems, nullable}`."""
    nullable: dict[str, bool] = {}
    return {"problems": misfits(raw, columns, nulls, nullable), "nullable": nullable}


def write_typed(raw: str, columns: Sequence[dict[str, Any]], nulls: Sequence[str], label_column: str | None, path: Path) -> int:
    """Write the table as its types; returns the number of rows."""
    import pyarrow as pa

    schema = pa.schema([(c["name"], arrow_type(c["type"])) for c in columns])
    with Writer(path, schema, columns=columns, label_column=label_column) as writer:
        for table in typed_batches(raw, columns, nulls):
            writer.write(table)
    return writer.rows
