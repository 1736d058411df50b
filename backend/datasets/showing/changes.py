"""Two versions of a table, compared row by row at the same place. Done in a hand: no models here."""

from __future__ import annotations

import json
from collections import OrderedDict
from typing import Any

from backend.artifacts import tables
from backend.datasets.showing.shown import Shown

_known: OrderedDict[str, tuple[list[dict[str, Any]], Any]] = OrderedDict()
KEPT = 4
"""Comparisons a hand remembers, so that the next page of one costs only its rows."""


def rows(*, before: dict[str, Any], after: dict[str, Any], offset: int, limit: int) -> dict[str, Any]:
    """`{added, removed, changed, unchanged, columns, rows, total}`: see `ChangesOut`."""
    old, new = Shown(**before), Shown(**after)
    count, counts = tables.row_count(old.data), tables.row_count(new.data)
    columns, numbers = _compared(old, new)
    both = min(count, counts)
    differing = [c["name"] for c in columns if c["cells"]]
    chosen = [int(n) for n in numbers[offset : offset + limit]]
    sides = [tables.json_rows(shown.as_typed(tables.take(shown.data, chosen, differing))) if chosen else [] for shown in (old, new)]
    found = []
    order = [[c for c in shown.names if c in differing] for shown in (old, new)]
    for number, was, now in zip(chosen, *sides, strict=True):
        was, now = dict(zip(order[0], was, strict=True)), dict(zip(order[1], now, strict=True))
        found.append({"row": number, "cells": [{"column": n, "before": was[n], "after": now[n]} for n in differing if was[n] != now[n]]})
    return {
        "added": max(0, counts - both), "removed": max(0, count - both), "changed": len(numbers), "unchanged": both - len(numbers),
        "columns": columns, "rows": found, "total": len(numbers),
    }  # fmt: skip


def _compared(old: Shown, new: Shown) -> tuple[list[dict[str, Any]], Any]:
    """(What became of each column, with the number of cells that differ; the numbers of the rows that do)."""
    key = json.dumps([old.as_json(), new.as_json()])
    if key not in _known:
        _known[key] = _compare(old, new)
        while len(_known) > KEPT:
            _known.popitem(last=False)
    _known.move_to_end(key)
    return _known[key]


def _compare(old: Shown, new: Shown) -> tuple[list[dict[str, Any]], Any]:
    import numpy as np

    was, now = old.types, new.types
    shared = [name for name in now if name in was]
    cells = dict.fromkeys(shared, 0)
    numbers: list[Any] = []
    place = 0
    for a, b in _side_by_side(old, new, shared):
        differs = np.zeros(a.num_rows, dtype=bool)
        for name in shared:
            mask = _unequal(a.column(name), b.column(name))
            cells[name] += int(mask.sum())
            differs |= mask
        numbers.append(np.flatnonzero(differs) + place)
        place += a.num_rows
    columns = [{"name": n, "change": "removed", "before": was[n], "after": None, "cells": 0} for n in was if n not in now]
    for name, kind in now.items():
        change = "added" if name not in was else "retyped" if was[name] != kind else "changed" if cells[name] else "same"
        columns.append({"name": name, "change": change, "before": was.get(name), "after": kind, "cells": cells.get(name, 0)})
    return columns, np.concatenate(numbers) if numbers else np.zeros(0, dtype=np.int64)


def _side_by_side(old: Shown, new: Shown, names: list[str]) -> Any:
    """Parts of both with the same rows, a row group in memory at a time."""
    if not names:
        return
    streams = [iter(old.stream(names)), iter(new.stream(names))]
    parts: list[Any] = [None, None]
    while True:
        for i, stream in enumerate(streams):
            while parts[i] is None or parts[i].num_rows == 0:
                if (part := next(stream, None)) is None:
                    return
                parts[i] = part
        most = min(part.num_rows for part in parts)
        yield parts[0].slice(0, most), parts[1].slice(0, most)
        parts = [part.slice(most) for part in parts]


def _unequal(a: Any, b: Any) -> Any:
    """Which cells differ; missing equals missing."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if a.type != b.type or pa.types.is_nested(a.type) or pa.types.is_dictionary(a.type):
        return np.array([x != y and not (x != x and y != y) for x, y in zip(a.to_pylist(), b.to_pylist(), strict=True)], dtype=bool)
    found = pc.not_equal(a, b)
    if pa.types.is_floating(a.type):
        found = pc.and_(found, pc.invert(pc.and_(pc.is_nan(a), pc.is_nan(b))))
    return pc.fill_null(found, False).to_numpy(zero_copy_only=False) | pc.xor(pc.is_null(a), pc.is_null(b)).to_numpy(zero_copy_only=False)
