"""Excel workbooks (.xlsx): one sheet, read row by row; a formula counts as the value last saved with it.

XML entities are refused by defusedxml, which openpyxl uses when it is installed; the unpacked size is bounded before.
"""

from __future__ import annotations

import datetime
import itertools
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backend.datasets.reading.limits import LIMITS
from backend.datasets.reading.opened import Opened, checked_names
from backend.datasets.reading.problems import Problems

BATCH = 4_096
MOST_SHEETS = 200


def open_excel(path: Path, options: dict[str, Any], work: Path, problems: Problems) -> Opened:
    import pyarrow as pa

    _bounded(path, problems)
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    source = path.open("rb")  # closed with the workbook: read-only workbooks read when they are asked
    try:
        book = openpyxl.load_workbook(source, read_only=True, data_only=True, keep_links=False)
        names = [sheet.title for sheet in book.worksheets]
        wanted = options.get("sheet") or (names[0] if names else "")
        if wanted not in names:
            raise problems.fail(f"There is no sheet “{wanted}”.", "one of " + ", ".join(names[:20]))
        sheet = book[wanted]
        sheet.reset_dimensions()  # what the file claims of its size is often wrong
        rows: Iterator[tuple[int, tuple[Any, ...]]] = enumerate(sheet.iter_rows(values_only=True), start=1)
        named = options.get("header") is not False
        head: tuple[int, list[Any]] | None = next(((n, _trimmed(row)) for n, row in rows if any(c is not None for c in row)), None)
    except (
        OSError,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        IndexError,
        SyntaxError,
        zipfile.BadZipFile,
        InvalidFileException,
    ) as exc:
        raise problems.fail(f"The workbook is damaged: {type(exc).__name__}: {exc}", "a workbook that Excel opens without repair") from exc
    if head is None:
        raise problems.fail(f"The sheet “{wanted}” is empty.", "a row of column names and rows of values")
    first = [_text(c) for c in head[1]]
    columns = checked_names(first, problems, line=head[0]) if named else [f"column_{i}" for i in range(1, len(first) + 1)]
    if not named:
        rows = itertools.chain([(head[0], tuple(head[1]))], rows)
    schema = pa.schema([(c, pa.string()) for c in columns])
    total = max(sheet.max_row or 0, 1)

    def batches() -> Iterator[tuple[Any, float]]:
        waiting: list[list[str | None]] = []
        number = head[0]
        try:
            for number, row in rows:
                cells = _trimmed(row)
                if not cells:
                    continue
                if len(cells) > len(columns):
                    problems.add(
                        f"This row has a value in column {len(cells)}, the header ends at {len(columns)}.",
                        "a name above every value",
                        line=number,
                    )
                    continue
                waiting.append([_text(c) for c in cells] + [None] * (len(columns) - len(cells)))
                if len(waiting) == BATCH:
                    yield _batch(waiting, schema), number / max(total, number)
                    waiting = []
        except (OSError, KeyError, ValueError, TypeError, IndexError, SyntaxError, zipfile.BadZipFile) as exc:
            raise problems.fail(
                f"The workbook is damaged: {type(exc).__name__}: {exc}", "a workbook that Excel opens", line=number + 1
            ) from exc
        finally:
            book.close()
            source.close()
        if waiting:
            yield _batch(waiting, schema), 1.0

    reading = {"format": "excel", "sheet": wanted, "sheets": names[:MOST_SHEETS], "header": named}
    return Opened(schema=schema, batches=batches(), typed=False, reading=reading)


def _bounded(path: Path, problems: Problems) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as exc:
        raise problems.fail("The workbook is damaged or cut off.", "a whole .xlsx file") from exc
    total = sum(m.file_size for m in members)
    shared = sum(m.file_size for m in members if "sharedStrings" in m.filename)
    if any(m.flag_bits & 1 for m in members):
        raise problems.fail("The workbook is encrypted.", "a workbook without a password")
    if total > LIMITS.sheet_bytes or shared > LIMITS.shared_strings or len(members) > 10_000:
        raise problems.fail(
            f"The workbook unpacks to {total / 1024**2:,.0f} MiB.", "a smaller workbook, or the same data as CSV or Parquet"
        )
    if total > LIMITS.ratio_from and total > LIMITS.ratio * path.stat().st_size:
        raise problems.fail("The workbook unpacks to more than 200 times its size (a zip bomb).", "a workbook saved by Excel")


def _trimmed(row: tuple[Any, ...]) -> list[Any]:
    """The cells up to the last one with a value."""
    end = len(row)
    while end and (row[end - 1] is None or row[end - 1] == ""):
        end -= 1
    return list(row[:end])


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime.datetime):
        return (
            value.date().isoformat()
            if value.time() == datetime.time()
            else value.isoformat(timespec="microseconds" if value.microsecond else "seconds")
        )
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value)


def _batch(rows: list[list[str | None]], schema: Any) -> Any:
    import pyarrow as pa

    return pa.RecordBatch.from_arrays([pa.array(column, pa.string()) for column in zip(*rows, strict=True)], schema=schema)
