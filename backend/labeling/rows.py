"""The rows of a frozen table as queues know them: by a key, or by a digest of their values.

No models here: `row_at` is called in a hand (`aside`)."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any

from backend.artifacts import tables

WHOLE = 1_000_000
"""Characters of a cell's text that a queue holds; what is longer is cut there, with an ellipsis."""
Row = tuple[str, str, dict[str, Any]]


def table_rows(digest: str, variables: list[str], whole: Collection[str] = ()) -> Iterator[Row]:
    """(Place among equal rows, digest of the values, the variables) of each row of a frozen table, in its order. Long texts are cut as
    a window shows them, but for the columns of `whole` (texts), which are cut at `WHOLE`."""
    seen: Counter[str] = Counter()
    key = tables.key_column(digest)
    for batch in tables.batches(digest):
        names = batch.schema.names
        uncut = {name: _texts(batch, name) for name in whole}
        for place, cells in enumerate(tables.json_rows(batch)):
            data = {name: uncut[name][place] if name in uncut else cells[names.index(name)] for name in variables}
            if key is not None:
                row = str(cells[names.index(key)])
                yield row, keyed_digest(row), data
                continue
            known = row_digest(cells)
            seen[known] += 1
            yield str(seen[known]), known, data


def text_rows(digest: str, variables: list[str], whole: Collection[str] = ()) -> Iterator[Row]:
    """The same of a frozen data set of texts, whose table names its items."""
    for batch in tables.batches(digest):
        names = batch.schema.names
        key, content = names.index("key"), names.index("digest")
        uncut = {name: _texts(batch, name) for name in whole}
        for place, cells in enumerate(tables.json_rows(batch)):
            data = {name: uncut[name][place] if name in uncut else cells[names.index(name)] for name in variables}
            yield cells[key], cells[content], data


def _texts(batch: Any, name: str) -> list[Any]:
    """A column's texts; of another kind its values as JSON shows them."""
    return [
        (v if len(v) <= WHOLE else v[:WHOLE] + "…") if isinstance(v, str) else tables.json_cell(v) for v in batch.column(name).to_pylist()
    ]


def row_digest(cells: list[Any]) -> str:
    """Of a row that has no key: its values, as JSON shows them."""
    return hashlib.sha256(json.dumps(cells, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()


def keyed_digest(key: str) -> str:
    """Of a row that is known by a key: its values may change, and its annotations stay."""
    return hashlib.sha256(f"row {key}".encode()).hexdigest()


def row_at(*, digest: str, index: int, known: str, texts: bool, variables: list[str], whole: list[str]) -> dict[str, Any] | None:
    """The variables, as far as they are there, of row `index` of a frozen table (`texts`: of one that names files of text); None where
    another item than `known` (its digest) lies there. One row group is read, however many there are. `whole` as in `table_rows`."""
    if not 0 <= index < tables.row_count(digest):
        return None
    window = tables.window(digest, index, 1)
    names, (cells,) = window.schema.names, tables.json_rows(window)
    key = tables.key_column(digest)
    if texts:
        there = cells[names.index("digest")]
    elif key is not None:
        there = keyed_digest(str(cells[names.index(key)]))
    else:
        there = row_digest(cells)
    if there != known:
        return None
    return {n: _texts(window, n)[0] if n in whole else cells[names.index(n)] for n in variables if n in names}
