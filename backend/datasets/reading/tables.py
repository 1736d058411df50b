"""Tables of any format, as one Parquet file of the values as they were written ("raw") and a guess of each column's type.

The raw values are kept until the version is frozen and after, because only they can be read again with another type. A table may
come in several parts (the members of an archive): they have the same columns, matched by name, and become one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.core.errors import Problem
from backend.datasets.reading import csvs, excel, jsonl, written
from backend.datasets.reading.cast import NULLS
from backend.datasets.reading.columnar import open_parquet
from backend.datasets.reading.infer import Guess, suggest_label
from backend.datasets.reading.limits import LIMITS
from backend.datasets.reading.opened import Opened
from backend.datasets.reading.parquet import Writer
from backend.datasets.reading.problems import Problems, Progress
from workers.sdk.store import Store, Stored

OPENERS = {"csv": csvs.open_csv, "jsonl": jsonl.open_jsonl, "xlsx": excel.open_excel, "parquet": open_parquet}
FILE_COLUMN = "file"


@dataclass(frozen=True, kw_only=True)
class TableRead:
    """A table that was read: `raw` is its Parquet file in the store."""

    raw: Stored
    rows: int
    columns: list[dict[str, Any]]
    label_column: str | None
    nulls: list[str] = field(default_factory=list)
    skipped: int = 0
    """Other files of the archive, which are no tables."""
    reading: dict[str, Any] = field(default_factory=dict)
    """How it was read (`Opened.reading`), its ways to write numbers and dates, and `notices` of what could be read otherwise."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One file with a table: `kind` is one of OPENERS, `member` its name in the archive it comes from, or ''."""

    path: Path
    kind: str
    work: Path
    problems: Problems
    member: str = ""

    def open(self, options: dict[str, Any]) -> Opened:
        return OPENERS[self.kind](self.path, options, self.work, self.problems)


def read_table(
    parts: list[Part], options: dict[str, Any], work: Path, store: Store, problems: Problems, progress: Progress, skipped: int = 0
) -> TableRead:
    """Read all parts as one table; raises ReadFailed with everything that is wrong."""
    import pyarrow as pa

    progress(0.0, "reading")
    opened = [part.open(options) for part in parts]
    schema = one_schema(parts, opened, bool(options.get("file_column")), problems)
    columns = Columns(schema.names, opened, options)
    target = work / "raw.parquet"
    try:
        with Writer(target, schema) as writer:
            for place, (part, source) in enumerate(zip(parts, opened, strict=True)):
                for batch, share in source.batches:
                    rows = fitted(batch, schema, part.member)
                    writer.write(rows)
                    if writer.rows > LIMITS.rows:
                        raise problems.fail(f"There are more than {LIMITS.rows:,} rows.", "several uploads, appended to one data set")
                    columns.add(rows)
                    progress((place + min(share, 1.0)) / len(parts) * 0.8, f"{writer.rows:,} rows read")
                source.finish()
                if part.member:
                    part.path.unlink(missing_ok=True)
            problems.raise_any()
            if not writer.rows:
                raise problems.fail(
                    "There is a header but no row of data." if parts[0].kind != "parquet" else "There are no rows.", "at least one row"
                )
    except pa.ArrowException as exc:
        raise problems.fail(f"The file is damaged: {str(exc)[:300]}", "a whole file; it may have been cut off while copying") from exc
    progress(0.9, "keeping")
    found, reading = columns.settled()
    label = options.get("label_column")
    if label is not None and label not in schema.names:
        raise problems.fail(f"There is no column “{label}” to be the label.", "one of " + ", ".join(schema.names[:20]))
    return TableRead(
        raw=store.put_file(target, consume=True),
        rows=writer.rows,
        columns=found,
        label_column=label or suggest_label(found),
        nulls=list(columns.nulls),
        skipped=skipped,
        reading=reading | ({"members": [p.member for p in parts][:200]} if parts[0].member else {}),
    )


class Columns:
    """The guesses of all columns of a table, and what they say together."""

    def __init__(self, names: list[str], opened: list[Opened], options: dict[str, Any]) -> None:
        said = options.get("null_values")
        typed = all(o.typed for o in opened)
        self.nulls: tuple[str, ...] = tuple(said) if said is not None else (() if typed else NULLS)
        self._names, self._opened, self._options = names, opened, options
        self._guesses = [Guess(self.nulls, typed=typed) for _ in names]

    def add(self, rows: Any) -> None:
        for guess, column in zip(self._guesses, rows.columns, strict=True):
            guess.add(column)

    def settled(self) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """(the columns with their types, how the table was read)."""
        reading = dict(self._opened[0].reading)
        ways = written.settle(self._guesses, self._options, reading.get("delimiter") or "")
        columns = [{"name": name, **guess.result(ways)} for name, guess in zip(self._names, self._guesses, strict=True)]
        notices: list[Problem] = [n for o in self._opened[:1] for n in o.notices]
        notices += written.notices(self._names, self._guesses, ways, self._options)
        used = {written.marks(c["format"])[1] for c in columns if c["type"] in ("integer", "number") and c["format"]} - {""}
        thousands = ways.thousands if ways.thousands is not None else next(iter(sorted(used)), "")
        return columns, reading | {"decimal": ways.decimal, "thousands": thousands, "dates": ways.dates, "notices": notices}


def one_schema(parts: list[Part], opened: list[Opened], file_column: bool, problems: Problems) -> Any:
    """The columns of all parts together; parts with other columns are problems naming both files and their columns."""
    import pyarrow as pa

    first = opened[0].schema
    kinds = {f.name: {f.type} for f in first}
    for part, other in zip(parts[1:], opened[1:], strict=True):
        if set(other.schema.names) != set(first.names):
            problems.add(
                f"“{parts[0].member}” has the columns {_listed(first.names, other.schema.names)};"
                f" “{part.member}” has {_listed(other.schema.names, first.names)}.",
                "tables with the same columns in one archive; others as uploads of their own",
                member=part.member,
            )
            continue
        for f in other.schema:
            kinds[f.name].add(f.type)
    if file_column and FILE_COLUMN in kinds:
        problems.add(f"There is a column “{FILE_COLUMN}” already.", "another name for it, or no column for the file")
    problems.raise_any()

    def common(types: set[Any]) -> Any:
        if len(types) == 1:
            return next(iter(types))
        return pa.float64() if types == {pa.int64(), pa.float64()} else pa.string()

    fields = [(name, common(types)) for name, types in kinds.items()]
    return pa.schema(fields + ([(FILE_COLUMN, pa.string())] if file_column and parts[0].member else []))


def _listed(names: list[str], others: list[str]) -> str:
    """Names, those that the other lacks first."""
    own = [n for n in names if n not in others] + [n for n in names if n in others]
    return ", ".join(own[:8]) + (f" and {len(own) - 8} more" if len(own) > 8 else "")


def fitted(batch: Any, schema: Any, member: str) -> Any:
    """A batch of one part with the columns, order and types of the whole."""
    import pyarrow as pa

    if batch.schema.equals(schema):
        return batch
    arrays = [
        pa.array([member] * batch.num_rows, pa.string()) if f.name == FILE_COLUMN and f.name not in batch.schema.names
        else batch.column(f.name).cast(f.type)
        for f in schema
    ]  # fmt: skip
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def some_rows(part: Part, options: dict[str, Any], most: int) -> tuple[Any, list[dict[str, Any]], dict[str, Any], list[str]]:
    """(the first rows as they are written, their columns, how they are read, what is missing) of one part."""
    import pyarrow as pa

    source = part.open(options)
    columns = Columns(source.schema.names, [source], options)
    batches: Iterator[tuple[Any, float]] = source.batches
    table = source.schema.empty_table()
    try:
        for batch, _ in batches:
            rows = pa.Table.from_batches([batch])[: most - table.num_rows]
            columns.add(pa.Table.from_batches([batch]))
            table = pa.concat_tables([table, rows])
            if table.num_rows >= most:
                break
        else:
            source.finish()
            part.problems.raise_any()
    except pa.ArrowException as exc:
        raise part.problems.fail(f"The file is damaged: {str(exc)[:300]}", "a whole file") from exc
    finally:
        batches.close()  # type: ignore[attr-defined]  # a generator: what it holds open is closed
    found, reading = columns.settled()
    return table, found, reading, list(columns.nulls)
