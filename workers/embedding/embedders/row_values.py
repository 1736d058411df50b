"""Rows of a table: numbers scaled robustly, categories one-hot by their commonest values; what is missing is said beside it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

from workers.embedding.errors import CannotEmbed
from workers.embedding.shape import Floats, Input, principal, unit
from workers.sdk.embedders import EMBEDDERS
from workers.sdk.store import Store

COMMONEST = 30
WIDEST = 0.5
"""A column of words with more different values than this share of its rows tells rows apart, and is no category."""


class Embedding:
    def __init__(self, store: Store, parameters: dict[str, Any]) -> None:
        self.arrays: dict[str, npt.NDArray[Any]] = {}
        self.told: dict[str, Any] = {}

    def fit(self, inputs: list[Input]) -> None:
        rows = [one["row"] for one in inputs]
        columns: list[dict[str, Any]] = []
        for name in rows[0] if rows else ():
            values = [row.get(name) for row in rows if row.get(name) is not None]
            if not values:
                continue
            if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
                low, middle, high = np.percentile(np.array(values, dtype=np.float64), [10, 50, 90])
                if high > low or len(set(values)) > 1:
                    columns.append({"name": name, "middle": float(middle), "scale": float(high - low) or float(np.std(values)) or 1.0})
                continue
            counts = Counter(str(value) for value in values)
            if len(counts) > 1 and (len(counts) <= COMMONEST or len(counts) <= WIDEST * len(values)):
                columns.append({"name": name, "values": [value for value, _ in counts.most_common(COMMONEST)]})
        if not columns:
            raise CannotEmbed("No column holds numbers or categories that differ between rows.")
        self.told = {"columns": columns}
        self.arrays["mean"], self.arrays["components"] = principal(self._raw(rows))

    def embed(self, inputs: list[Input]) -> list[Floats | None]:
        return list(unit((self._raw([one["row"] for one in inputs]) - self.arrays["mean"]) @ self.arrays["components"].T))

    def query(self, text: str) -> Floats:
        raise CannotEmbed(EMBEDDERS["row_values"].why_no_text)

    def _raw(self, rows: list[dict[str, Any]]) -> npt.NDArray[np.float32]:
        parts: list[npt.NDArray[np.float32]] = []
        for column in self.told["columns"]:
            values = [row.get(column["name"]) for row in rows]
            if "values" in column:
                known = {value: n for n, value in enumerate(column["values"])}
                part = np.zeros((len(rows), len(known)), dtype=np.float32)
                for n, value in enumerate(values):
                    if value is not None and str(value) in known:
                        part[n, known[str(value)]] = 1
                parts.append(part)
                continue
            numbers = np.array([float(v) if isinstance(v, int | float) else np.nan for v in values])
            scaled = np.clip((numbers - column["middle"]) / column["scale"], -3, 3)
            missing = np.isnan(scaled)
            parts.append(np.stack([np.where(missing, 0, scaled), missing.astype(np.float64)], axis=1).astype(np.float32))
        return np.concatenate(parts, axis=1)
