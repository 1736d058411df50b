"""A table's rows after those of another version: columns must be the same; their types stay where the new values fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backend.artifacts import tables
from backend.datasets.reading.fitting import misfits
from backend.datasets.reading.infer import Guess
from backend.datasets.reading.parquet import Writer
from backend.datasets.reading.problems import Problems
from backend.datasets.reading.tables import TableRead
from workers.sdk.store import Store


def append_table(
    raw: str,
    columns: list[dict[str, Any]],
    nulls: list[str],
    label_column: str | None,
    new: TableRead,
    filename: str,
    work: Path,
    store: Store,
) -> TableRead:
    """One table of both. Rows are matched to columns by name."""
    import pyarrow as pa

    problems = Problems(file=filename)
    old, added = [c["name"] for c in columns], [c["name"] for c in new.columns]
    for name in old:
        if name not in added:
            problems.add(f"There is no column “{name}”, which the data set has.", "the same columns: " + ", ".join(old[:20]))
    for name in added:
        if name not in old:
            problems.add(f"The data set has no column “{name}”.", "the same columns: " + ", ".join(old[:20]))
    problems.raise_any()
    before, after = tables.schema(raw), tables.schema(new.raw.digest)
    kinds = [before.field(n).type if before.field(n).type == after.field(n).type else pa.string() for n in old]
    schema = pa.schema(list(zip(old, kinds, strict=True)))
    path = work / "appended.parquet"
    spellings = tuple(dict.fromkeys([*nulls, *new.nulls]))
    guesses = [Guess(spellings, typed=not pa.types.is_string(before.field(n).type)) for n in old]
    with Writer(path, schema) as writer:
        for digest in (raw, new.raw.digest):
            for group in tables.batches(digest, old):
                table = group.select(old).cast(schema)
                writer.write(table)
                for guess, column in zip(guesses, table.columns, strict=True):
                    guess.add(column)
    stored = store.put_file(path, consume=True)
    nullable: dict[str, bool] = {}
    wrong = {p["field"] for p in misfits(stored.digest, columns, spellings, nullable)}
    kept = [
        {"name": c["name"], **guess.result()} if c["name"] in wrong else {**c, "nullable": nullable.get(c["name"], True)}
        for c, guess in zip(columns, guesses, strict=True)
    ]
    return TableRead(
        raw=stored,
        rows=writer.rows,
        columns=kept,
        label_column=label_column or new.label_column,
        nulls=list(spellings),
        skipped=new.skipped,
        reading=new.reading,
    )
