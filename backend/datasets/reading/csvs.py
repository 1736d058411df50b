"""Comma-, tab- and other-separated text.

Reading is pyarrow's, in blocks; it only says that something is wrong. What is wrong and in which line is then found by
Python's slower reader, which counts lines also inside quotes.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backend.datasets.reading.encoding import as_utf8
from backend.datasets.reading.limits import LIMITS
from backend.datasets.reading.opened import Opened, checked_names
from backend.datasets.reading.problems import MOST, Problems
from backend.datasets.reading.written import NUMBERS, number_pattern

DELIMITERS = ",;\t|"
SAMPLE = 256 * 1024
BLOCK = 4 * 1024**2


def open_csv(path: Path, options: dict[str, Any], work: Path, problems: Problems) -> Opened:
    clean, encoding = as_utf8(path, work, problems, options.get("encoding") or "")
    sample = _sample(clean)
    quote = options.get("quote") or '"'
    delimiter = options.get("delimiter") or sniff_delimiter(sample, quote)
    if delimiter == quote:
        raise problems.fail("The delimiter is the quote as well.", "two different characters")
    first, lines = _first_row(sample, delimiter, quote, problems)
    named = options.get("header")
    if named is None:
        named = looks_like_header(sample, delimiter, quote)
    import pyarrow as pa
    from pyarrow import csv as reader

    names = checked_names(first, problems, line=1) if named else [f"column_{i}" for i in range(1, len(first) + 1)]
    if len(names) > LIMITS.columns:
        raise problems.fail(f"There are {len(names):,} columns.", f"at most {LIMITS.columns:,}", line=1)
    schema = pa.schema([(name, pa.string()) for name in names])
    reading = {"format": "csv", "encoding": encoding, "delimiter": delimiter, "quote": quote, "header": bool(named)}
    ragged: list[Any] = []

    def odd(row: Any) -> str:
        ragged.append(row)
        return "skip" if len(ragged) <= MOST else "error"

    size = max(clean.stat().st_size, 1)
    quotes = _count(clean, quote.encode())

    def batches() -> Iterator[tuple[Any, float]]:
        with clean.open("rb") as source:
            try:
                stream = reader.open_csv(
                    source,
                    read_options=reader.ReadOptions(
                        use_threads=False, block_size=BLOCK, column_names=names, skip_rows=lines if named else 0
                    ),
                    parse_options=reader.ParseOptions(
                        delimiter=delimiter, quote_char=quote, newlines_in_values=True, invalid_row_handler=odd, ignore_empty_lines=True
                    ),
                    convert_options=reader.ConvertOptions(
                        column_types=dict(zip(names, schema.types, strict=True)), strings_can_be_null=False
                    ),
                )
                for batch in stream:
                    yield pa.RecordBatch.from_arrays(batch.columns, schema=schema), source.tell() / size
            except pa.ArrowInvalid as exc:
                _locate(clean, delimiter, quote, len(names), problems)
                if "straddling" in str(exc) or "block" in str(exc):
                    message = f"A row is longer than {BLOCK // 1024**2} MiB; probably a quote is never closed."
                    raise problems.fail(message, "close every quote that is opened") from exc
                raise problems.fail(str(exc)[:300], "rows with as many cells as the header has names") from exc

    def finish() -> None:
        if ragged or quotes % 2:
            _locate(clean, delimiter, quote, len(names), problems)

    return Opened(schema=schema, batches=batches(), typed=False, finish=finish, reading=reading)


def _sample(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(SAMPLE)
    return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "ignore")


def _rows(text: str, delimiter: str, quote: str) -> Any:
    csv.field_size_limit(LIMITS.cell_bytes)
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote)


def sniff_delimiter(sample: str, quote: str = '"') -> str:
    """The sign that cuts the first rows into the same number of cells, the most cells winning; a comma when none does."""
    best, most = ",", 1.0
    if _decimal_commas(sample, quote):
        return ";"
    for sign in DELIMITERS:
        widths = []
        try:
            for row in _rows(sample, sign, quote):
                if row:
                    widths.append(len(row))
                if len(widths) == 100:
                    break
        except csv.Error:
            continue
        if len(widths) > 1 and len(sample) >= SAMPLE - 4:
            widths = widths[:-1] or widths  # the last row may be cut off by the sample's end
        if not widths or widths[0] < 2:
            continue
        even = sum(w == widths[0] for w in widths) / len(widths)
        score = widths[0] * even**4
        if score > most:
            best, most = sign, score
    return best


def _decimal_commas(sample: str, quote: str) -> bool:
    """Whether semicolons cut the first rows evenly and every comma left is a number's: `1,5;2,5`, which commas would cut evenly too."""
    commas, width = 0, 0
    try:
        for number, row in enumerate(_rows(sample, ";", quote)):
            if number == 50:
                break
            if not row:
                continue
            width = width or len(row)
            with_comma = [cell for cell in row if "," in cell]
            if len(row) != width or width < 2 or (number and not all(_is_number(cell) for cell in with_comma)):
                return False
            commas += len(with_comma)
    except csv.Error:
        return False
    return commas > 0


def _first_row(sample: str, delimiter: str, quote: str, problems: Problems) -> tuple[list[str], int]:
    """The cells of the first row and how many lines it takes."""
    rows = _rows(sample, delimiter, quote)
    try:
        for row in rows:
            if row and any(cell.strip() for cell in row):
                return row, rows.line_num
    except csv.Error as exc:
        raise problems.fail(f"The first row cannot be read: {exc}.", "a row of column names", line=1) from exc
    raise problems.fail("The file holds no text.", "a row of column names and rows of values")


def looks_like_header(sample: str, delimiter: str, quote: str = '"') -> bool:
    """A first row with a number in it is data; anything else is taken as names (wrong ones are told)."""
    for row in _rows(sample, delimiter, quote):
        if row and any(cell.strip() for cell in row):
            return not any(_is_number(cell) for cell in row)
    return True


def _is_number(cell: str) -> bool:
    """However written: `1.234,56` names no column either."""
    return any(re.match(number_pattern(form), cell.strip()) for form in ("", *NUMBERS))


def _count(path: Path, sign: bytes) -> int:
    total = 0
    with path.open("rb") as file:
        while piece := file.read(1024 * 1024):
            total += piece.count(sign)
    return total


def _locate(path: Path, delimiter: str, quote: str, width: int, problems: Problems) -> None:
    """Name the lines that pyarrow refused."""
    csv.field_size_limit(LIMITS.cell_bytes)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, delimiter=delimiter, quotechar=quote, strict=True)
        start = 1
        while True:
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as exc:
                if "unexpected end" in str(exc):
                    problems.add(
                        "A quote is opened here and never closed.",
                        f"a closing {quote}, or {quote}{quote} for a quote inside a value",
                        line=start,
                    )
                    return
                if "field larger" in str(exc):
                    problems.add(
                        f"A cell is longer than {LIMITS.cell_bytes // 1024**2} MiB; probably a quote is never closed.",
                        "shorter cells",
                        line=start,
                    )
                    return
                start = rows.line_num + 1
                continue
            if row and len(row) != width:
                problems.add(
                    f"This row has {len(row)} cells, the header {width}.",
                    f"{width} cells; put values with a delimiter inside in quotes",
                    line=start,
                )
            start = rows.line_num + 1
