"""What a hand must know of a version to show it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from backend.artifacts import tables
from backend.datasets.reading.fitting import typed

FORM = 1
"""Of the kept files; another number when what they hold is made another way."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The rows of a version: the Parquet file `data` under the types of `columns` (`raw`: it holds the values as they were written)."""

    data: str
    columns: list[dict[str, Any]]
    null_values: list[str]
    raw: bool

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def names(self) -> list[str]:
        return [c["name"] for c in self.columns]

    @property
    def types(self) -> dict[str, str]:
        return {c["name"]: c["type"] for c in self.columns}

    @property
    def key(self) -> str:
        """Names what the rows say: a draft's say something else when its types change."""
        meaning = [[c["name"], c["type"], c.get("format") or ""] for c in self.columns] + [self.null_values] if self.raw else []
        return _digest([FORM, self.data, meaning])

    def as_typed(self, part: Any) -> Any:
        """Rows of a draft are cast when they are shown; those of a frozen version are typed already. Columns in the version's order."""
        columns = [c for c in self.columns if c["name"] in part.column_names]
        return typed(part, columns, self.null_values) if self.raw else part.select([c["name"] for c in columns])

    def stream(self, names: Sequence[str] | None = None) -> Iterator[Any]:
        """All rows, one row group at a time, with their types."""
        for group in tables.batches(self.data, self.names if names is None else names):
            yield self.as_typed(group)


@dataclass(frozen=True, kw_only=True)
class View:
    """A choice and an order of rows: `search` in any column, `filter` an expression, `sort` a column (`-` before it: descending)."""

    search: str = ""
    sort: str = ""
    filter: str = ""

    def __bool__(self) -> bool:
        return bool(self.search or self.sort or self.filter)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def key(self, shown: Shown) -> str:
        return _digest([shown.key, self.search, self.sort, self.filter])


def folder() -> Path:
    """Where views and spread tables are kept; anything in it may be deleted at any time."""
    found: Path = settings.DATA_DIR / "cache" / "views"
    found.mkdir(parents=True, exist_ok=True)
    return found


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:40]
