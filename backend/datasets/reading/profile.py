"""The profile of a table: one column in memory at a time, exact up to bounds that are said where they are passed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
EXACT = 100_000  # different values counted exactly; beyond that estimated within about 2 %
SKETCH = 4_096
SAMPLE = 5_000_000  # numbers that quantiles and histograms are made from; of more rows an even sample
TOP = 20
BINS = 30
Batches = Callable[[list[str]], Iterator[Any]]


def profile_table(batches: Batches, columns: Sequence[dict[str, Any]], label: str | None, by: str | None = None) -> dict[str, Any]:
    """As `ProfileOut`. Duplicates are rows equal in all columns, or in column `by`."""
    rows = 0
    found = []
    for column in columns:
        one = _column(batches, column)
        rows = max(rows, one["count"] + one["missing"])
        found.append(one)
    named = {c["name"]: c for c in found}
    return {
        "rows": rows,
        "duplicates": _duplicates(batches, [by] if by else [c["name"] for c in columns]),
        "columns": found,
        "classes": named[label]["top_values"] if label in named else [],
    }


def _column(batches: Batches, column: dict[str, Any]) -> dict[str, Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    name, kind = column["name"], column["type"]
    count = missing = 0
    distinct = _Distinct()
    tops: dict[Any, int] = {}
    pieces: list[Any] = []
    low = high = None
    numeric = kind in ("integer", "number", "datetime")
    for table in batches([name]):
        values = table.column(name)
        values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
        present = values.drop_null()
        missing += len(values) - len(present)
        count += len(present)
        if not len(present):
            continue
        distinct.add(present)
        if numeric:
            pieces.append(_numbers(present))
        else:
            span = pc.min_max(present)
            low, high = _least(low, span["min"].as_py()), _most(high, span["max"].as_py())
        if kind in ("category", "boolean", "text", "integer"):
            _count(tops, present)
    out: dict[str, Any] = {
        "name": name,
        "type": kind,
        "count": count,
        "missing": missing,
        "distinct": distinct.count(),
        "distinct_is_estimate": distinct.estimated,
        "minimum": _shown(low),
        "maximum": _shown(high),
        "top_values": [(_name(value)[:200], n) for value, n in sorted(tops.items(), key=lambda item: (-item[1], _name(item[0])))[:TOP]],
    }
    if kind == "integer" and distinct.count() > 100:
        out["top_values"] = []
    if pieces:
        out |= _spread(pieces, kind)
    return out


def _numbers(values: Any) -> Any:
    import numpy as np
    import pyarrow as pa

    if pa.types.is_timestamp(values.type):
        return values.cast(pa.timestamp("us")).cast(pa.int64()).to_numpy(zero_copy_only=False) / 1e6
    return values.to_numpy(zero_copy_only=False).astype(np.float64)


def _spread(pieces: list[Any], kind: str) -> dict[str, Any]:
    """Moments, quantiles and a histogram; of a time in seconds since 1970."""
    import datetime

    import numpy as np

    values = np.concatenate(pieces)
    finite = values[np.isfinite(values)]
    if not len(finite):
        return {}
    low, high = float(finite.min()), float(finite.max())
    out: dict[str, Any] = {
        "minimum": low,
        "maximum": high,
        "mean": float(finite.mean()),
        "std": float(finite.std(ddof=1)) if len(finite) > 1 else 0.0,
    }
    sample = finite if len(finite) <= SAMPLE else finite[:: len(finite) // SAMPLE + 1]
    out["quantiles"] = {str(q): float(v) for q, v in zip(QUANTILES, np.quantile(sample, QUANTILES), strict=True)}
    out["histogram"] = histogram(sample, low, high, whole=kind == "integer")
    if kind == "datetime":
        for end in ("minimum", "maximum"):
            out[end] = datetime.datetime.fromtimestamp(out[end], datetime.UTC).replace(tzinfo=None).isoformat()
    return out


def histogram(values: Any, low: float, high: float, *, whole: bool = False) -> dict[str, Any]:
    """BINS bins of equal width; of few whole numbers one bin for each."""
    import numpy as np

    if whole and high - low < BINS:
        edges: Any = np.arange(low - 0.5, high + 1.5, 1.0)
    elif high == low:
        edges = np.array([low - 0.5, high + 0.5])
    else:
        edges = np.linspace(low, high, BINS + 1)
    counts, _ = np.histogram(values, bins=edges)
    return {"edges": [float(e) for e in edges], "counts": [int(c) for c in counts]}


def profile_images(batches: Batches, formats: dict[str, int], modes: dict[str, int]) -> dict[str, Any]:
    """As `ImageProfile`."""
    import numpy as np

    out: dict[str, Any] = {"formats": formats, "modes": modes}
    for side in ("width", "height"):
        values = np.concatenate([b.column(side).drop_null().to_numpy() for b in batches([side])] or [np.zeros(0)]).astype(np.float64)
        out[side] = histogram(values, float(values.min()), float(values.max()), whole=True) if len(values) else {"edges": [], "counts": []}
    return out


def profile_media(batches: Batches, counts: dict[str, dict[str, int]]) -> dict[str, Any]:
    """As `MediaProfile`."""
    import numpy as np

    values = np.concatenate([b.column("duration").drop_null().to_numpy() for b in batches(["duration"])] or [np.zeros(0)])
    total = sum(b.num_rows for b in batches(["duration"]))
    return {
        **{f"{name}s": found for name, found in counts.items() if name != "channels"},
        "channels": counts["channels"],
        "seconds": float(values.sum()),
        "unknown": int(total - len(values)),
        "duration": histogram(values, float(values.min()), float(values.max())) if len(values) else {"edges": [], "counts": []},
    }


def _hashes(values: Any) -> Any:
    """A 64-bit hash of every value, the same in every batch (null has one too)."""
    import pandas as pd
    import pyarrow as pa

    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        coded = values.dictionary_encode()
        coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
        words = pd.util.hash_array(coded.dictionary.to_numpy(zero_copy_only=False).astype(object), categorize=False)
        import numpy as np

        codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return np.append(words, np.uint64(0x9E3779B97F4A7C15))[codes]
    series = values.to_pandas()
    return pd.util.hash_array(series.to_numpy(), categorize=False)


class _Distinct:
    """Counts different values: all hashes up to EXACT, then the SKETCH smallest, whose density tells the number (k minimum values)."""

    def __init__(self) -> None:
        import numpy as np

        self._kept: Any = np.zeros(0, np.uint64)
        self.estimated = False

    def add(self, values: Any) -> None:
        import numpy as np

        self._kept = np.union1d(self._kept, _hashes(values))
        if self.estimated or len(self._kept) > EXACT:
            self.estimated = True
            self._kept = self._kept[:SKETCH]

    def count(self) -> int:
        if not self.estimated:
            return len(self._kept)
        return round((SKETCH - 1) / (float(self._kept[-1]) / 2.0**64))


def _duplicates(batches: Batches, names: list[str]) -> int:
    """Rows equal to an earlier one, by a 64-bit hash of the row."""
    import numpy as np

    parts = []
    for table in batches(names):
        row = np.zeros(table.num_rows, np.uint64)
        for place, name in enumerate(names):
            row = row * np.uint64(0x100000001B3) + (_hashes(table.column(name)) ^ np.uint64(place))
        parts.append(row)
    if not parts:
        return 0
    everything = np.concatenate(parts)
    return int(len(everything) - len(np.unique(everything)))


def _count(tops: dict[Any, int], values: Any) -> None:
    import pyarrow.compute as pc

    for pair in pc.value_counts(values).to_pylist():
        tops[pair["values"]] = tops.get(pair["values"], 0) + pair["counts"]
    if len(tops) > EXACT:  # almost all different: keep those that were seen most
        kept = sorted(tops.items(), key=lambda item: -item[1])[: EXACT // 2]
        tops.clear()
        tops.update(kept)


def _name(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _least(a: Any, b: Any) -> Any:
    return b if a is None else min(a, b)


def _most(a: Any, b: Any) -> Any:
    return b if a is None else max(a, b)


def _shown(value: Any) -> Any:
    return value if value is None else _name(value)[:200]
