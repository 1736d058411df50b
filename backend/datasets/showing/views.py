"""Views: the row numbers of a search, a filter or a sort, made once and kept as a file of 32-bit numbers, so that a window of one
costs a few kilobytes. A sorted view's rows lie all over the table, so the first one also spreads the table out: an uncompressed Arrow
file, mapped into memory, of which a window touches only its own rows.

Kept files are named by what they hold, never change, and go when they are the longest unused of more than KEPT bytes.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import Any

from backend.artifacts import kept, tables
from backend.artifacts.hand import progress
from backend.core.errors import InvalidInput
from backend.datasets.showing.shown import Shown, View, folder
from workers.sdk.expression import SORTS, parse

AMOUNT = re.compile(r"[\d.:+\-TeZ ]+|nan|inf", re.IGNORECASE)
AT_ONCE = 2_000_000
"""Cells that are gone through while the caller waits (some 0.1 s); a view of more is made by a hand of its own."""
SORTED_ROWS = 20_000_000
KEPT = 2 * 1024**3
"""Bytes of all kept files together. A spread table may take a quarter of it; the rows of a larger one come from its Parquet file."""


def find(shown: Shown, view: View) -> Path | None:
    """The view's file, if it is kept or quickly made; None when it must be made first (`make`)."""
    path = path_of(shown, view)
    if path.exists():
        kept.used(path)
    elif tables.row_count(shown.data) * max(1, len(_needed(shown, view))) <= AT_ONCE:
        _keep_view(path, shown, view)
    else:
        return None
    return path


def numbers(path: Path, offset: int, limit: int) -> tuple[list[int], int]:
    """Row numbers `offset` to `offset + limit` of the view, and how many there are in all."""
    import numpy as np

    with path.open("rb") as source:
        total = os.fstat(source.fileno()).st_size // 4
        source.seek(min(offset, total) * 4)
        return np.frombuffer(source.read(limit * 4), "<i4").tolist(), total


def make(*, shown: dict[str, Any], view: dict[str, Any]) -> None:
    """Make the view, whatever its size, unless it is there. Of several who try at once one makes it and the others wait."""
    rows, wanted = Shown(**shown), View(**view)
    path = path_of(rows, wanted)
    with kept.alone(path):
        if not path.exists():
            _keep_view(path, rows, wanted)
    spread = folder() / f"{rows.key}.arrow"
    if wanted.sort:
        with kept.alone(spread):
            if not spread.exists() and _spreadable(rows):
                _keep_spread(spread, rows)
    kept.evict(folder(), (".rows", ".arrow"), KEPT, {path, spread})


def take(shown: Shown, rows: list[int], *, wide: bool) -> Any:
    """The rows with these numbers, in this order, from the spread table where there is one (`wide`: they lie all over)."""
    import pyarrow as pa

    spread = folder() / f"{shown.key}.arrow"
    if not wide or not spread.exists():
        return shown.as_typed(tables.take(shown.data, rows))
    kept.used(spread)
    with pa.memory_map(str(spread)) as source:
        reader = pa.ipc.open_file(source)

        def part(group: int, inside: list[int]) -> Any:
            return pa.Table.from_batches([reader.get_batch(group).take(pa.array(inside))])

        return tables.gather(tables.group_starts(shown.data), rows, part, reader.schema)


def path_of(shown: Shown, view: View) -> Path:
    return folder() / f"{view.key(shown)}.rows"


def _needed(shown: Shown, view: View) -> list[str]:
    """The columns that are read to make it."""
    named = parse(view.filter).columns if view.filter else []
    found = list(dict.fromkeys([*(shown.names if view.search else ()), *named, *([view.sort.removeprefix("-")] if view.sort else ())]))
    return found or shown.names[:1]  # a condition may name none (`true`)


def _keep_view(path: Path, shown: Shown, view: View) -> None:
    if view.sort and tables.row_count(shown.data) > SORTED_ROWS:
        raise InvalidInput(
            message=f"More than {SORTED_ROWS:,} rows are not sorted here.", field="sort", hint="Filter first, or sort in a pipeline."
        )
    found = _rows(shown, view)
    with kept.written(path) as temporary:
        found.astype("<i4").tofile(temporary)


def _rows(shown: Shown, view: View) -> Any:
    """Row numbers in the order of the view, as a numpy array: streamed, so that only the sorted column is ever whole in memory."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    types, all_rows = shown.types, max(1, tables.row_count(shown.data))
    condition = parse(view.filter) if view.filter else None
    column = view.sort.removeprefix("-")
    found, keys, start = [], [], 0
    for group in shown.stream(_needed(shown, view)):
        mask = condition.mask(group, types) if condition is not None else None
        if view.search:
            hit = _search(group, view.search)
            mask = hit if mask is None else pc.and_(mask, hit)
        chosen = np.arange(group.num_rows) if mask is None else np.flatnonzero(mask.to_numpy(zero_copy_only=False))
        inside = chosen.astype(np.int32)
        found.append(inside + np.int32(start))
        if column:
            keys.append(pc.take(group.column(column), pa.array(inside)))
        start += group.num_rows
        progress(start / all_rows * (0.5 if column else 0.99))
    numbers = np.concatenate(found) if found else np.zeros(0, np.int32)
    if not column or not len(numbers):
        return numbers
    values = pa.chunked_array([chunk for part in keys for chunk in (part.chunks if isinstance(part, pa.ChunkedArray) else [part])])
    if SORTS.get(types[column], "text") == "text" and not pa.types.is_boolean(values.type):
        values = pc.utf8_lower(values)
    order = pc.sort_indices(
        pa.table({"v": values, "n": pa.array(numbers)}),
        sort_keys=[("v", "descending" if view.sort.startswith("-") else "ascending", "at_end"), ("n", "ascending", "at_end")],
    )
    return numbers[order.to_numpy(zero_copy_only=False)]


def _search(group: Any, text: str) -> Any:
    """Rows where any column, as text, contains `text` in any case."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pa.repeat(pa.scalar(False), group.num_rows)
    for column in group.columns:
        if not pa.types.is_string(column.type):
            if not AMOUNT.fullmatch(text) and not pa.types.is_boolean(column.type):
                continue  # no number and no time contains it
            column = pc.cast(column, pa.string())
        hit = pc.fill_null(pc.match_substring(column, text, ignore_case=True), False)
        found = pc.or_(found, hit)
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def _spreadable(shown: Shown) -> bool:
    """By what the first row group takes when it is decoded."""
    import pyarrow as pa

    first = next(shown.stream(), None)
    if first is None or any(pa.types.is_dictionary(f.type) for f in first.schema):  # the file keeps one dictionary for all batches
        return False
    return first.nbytes / max(1, first.num_rows) * tables.row_count(shown.data) < KEPT / 4


def _keep_spread(path: Path, shown: Shown) -> None:
    """One record batch for each row group, so that a row's batch follows from its number as its group does."""
    import pyarrow as pa

    groups = len(tables.group_starts(shown.data)) - 1
    with kept.written(path) as temporary, contextlib.ExitStack() as stack:
        writer = None
        for number, group in enumerate(shown.stream(), start=1):
            writer = writer or stack.enter_context(pa.ipc.new_file(str(temporary), group.schema))
            (batch,) = group.combine_chunks().to_batches() or [pa.RecordBatch.from_pylist([], group.schema)]
            writer.write_batch(batch)
            progress(0.6 + 0.39 * number / groups)
