"""Windows of a version's rows: any place of a million rows in the time of one row group.

An ordered or filtered view is a list of row numbers, made once by streaming only the columns it needs and kept for a
while, so that scrolling in it costs what scrolling in the file does.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from backend.artifacts import tables
from backend.core.errors import InvalidInput
from backend.datasets.models import DatasetVersion
from backend.datasets.reading.fitting import typed
from workers.sdk.expression import SORTS, ExpressionError, parse

MOST = 1_000
AMOUNT = re.compile(r"[\d.:+\-TeZ ]+|nan|inf", re.IGNORECASE)
KEPT_ROWS = 6_000_000  # of all kept views together: 24 MB
SORTED_ROWS = 20_000_000
_views: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
_lock = threading.Lock()


def window(version: DatasetVersion, offset: int, limit: int, search: str | None, sort: str | None, filter: str | None) -> dict[str, Any]:
    """Rows `offset` to `offset + limit` of the version as searched, filtered and sorted; as `RowsOut`."""
    offset, limit = max(offset, 0), max(1, min(limit, MOST))
    view = _view(version, (search or "").strip(), (sort or "").strip(), (filter or "").strip())
    if view is None:
        part, total = tables.window(version.data, offset, limit), tables.row_count(version.data)
    else:
        part, total = tables.take(version.data, view[offset : offset + limit].tolist()), len(view)
    return {"columns": version.columns, "rows": tables.json_rows(_as_typed(version, part)), "offset": offset, "total": total}


def _as_typed(version: DatasetVersion, part: Any) -> Any:
    """Rows of a draft are cast when they are shown; those of a frozen version are typed already."""
    columns = [c for c in version.columns if c["name"] in part.column_names]
    return part.select([c["name"] for c in columns]) if not _raw(version) else typed(part, columns, version.null_values)


def _raw(version: DatasetVersion) -> bool:
    return bool(version.raw) and version.data == version.raw


def stream(version: DatasetVersion, names: list[str] | None = None) -> Iterator[Any]:
    """The whole version, one row group at a time, with its types."""
    chosen = names if names is not None else [c["name"] for c in version.columns]
    for group in tables.batches(version.data, chosen):
        yield _as_typed(version, group)


def _view(version: DatasetVersion, search: str, sort: str, filter: str) -> Any:
    """Row numbers in the order of the view (a numpy array), or None for the file as it is."""
    if not (search or sort or filter):
        return None
    types = {c["name"]: c["type"] for c in version.columns}
    descending, column = sort.startswith("-"), sort.removeprefix("-")
    if sort and column not in types:
        raise InvalidInput(message=f"There is no column “{column}” to sort by.", field="sort", hint="One of " + ", ".join(list(types)[:20]))
    condition = None
    if filter:
        try:
            condition = parse(filter)
            condition.check(types)
        except ExpressionError as exc:
            raise InvalidInput(message=str(exc), field="filter", hint=exc.expected, position=exc.position) from exc
    meaning = repr([(c["name"], c["type"], c.get("format")) for c in version.columns] + version.null_values) if _raw(version) else ""
    key = (version.data, meaning, search, sort, filter)
    with _lock:
        if key in _views:
            _views.move_to_end(key)
            return _views[key]
    if sort and tables.row_count(version.data) > SORTED_ROWS:
        raise InvalidInput(
            message=f"More than {SORTED_ROWS:,} rows are not sorted here.", field="sort", hint="Filter first, or sort in a pipeline."
        )
    found = _rows(version, types, search, condition, column, descending)
    _give_back()
    with _lock:
        _views[key] = found
        while sum(len(v) for v in _views.values()) > KEPT_ROWS and len(_views) > 1:
            _views.popitem(last=False)
    return found


def _rows(version: DatasetVersion, types: dict[str, str], search: str, condition: Any, column: str, descending: bool) -> Any:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    needed = list(dict.fromkeys([*(types if search else ()), *(condition.columns if condition else ()), *([column] if column else ())]))
    found, keys, start = [], [], 0
    for group in stream(version, needed) if needed else _counts(version):
        rows = group.num_rows
        mask = condition.mask(group, types) if condition is not None else None
        if search:
            hit = _search(group, search)
            mask = hit if mask is None else pc.and_(mask, hit)
        chosen = np.arange(rows) if mask is None else np.flatnonzero(mask.to_numpy(zero_copy_only=False))
        inside = chosen.astype(np.int32)
        found.append(inside + np.int32(start))
        if column:
            keys.append(pc.take(group.column(column), pa.array(inside)))
        start += rows
    numbers = np.concatenate(found) if found else np.zeros(0, np.int32)
    if not column or not len(numbers):
        return numbers
    values = pa.chunked_array([chunk for part in keys for chunk in (part.chunks if isinstance(part, pa.ChunkedArray) else [part])])
    if SORTS.get(types[column], "text") == "text" and not pa.types.is_boolean(values.type):
        values = pc.utf8_lower(values)
    order = pc.sort_indices(
        pa.table({"v": values, "n": pa.array(numbers)}),
        sort_keys=[("v", "descending" if descending else "ascending", "at_end"), ("n", "ascending", "at_end")],
    )
    return numbers[order.to_numpy(zero_copy_only=False)]


def _give_back() -> None:
    """Arrow keeps freed memory for later; a web process has better uses for it."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()


def _counts(version: DatasetVersion) -> Iterator[Any]:
    """Groups without columns, for a condition that names none (`true`)."""
    first = version.columns[0]["name"]
    yield from stream(version, [first])


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
