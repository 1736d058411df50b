"""What every reader of tables gives: the columns, checked, and the rows as batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from backend.core.errors import Problem
from backend.datasets.reading.limits import LIMITS
from backend.datasets.reading.problems import Problems

NAME_LENGTH = 200


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A source whose columns are known: `batches` yields Arrow record batches with the share of the file that is read."""

    schema: Any
    batches: Iterator[tuple[Any, float]]
    typed: bool
    finish: Callable[[], None] = lambda: None
    reading: dict[str, Any] = field(default_factory=dict)
    """How it is read, as found or as said: `format` and what that format knows (delimiter, encoding, sheet …)."""
    notices: list[Problem] = field(default_factory=list)


def checked_names(names: list[Any], problems: Problems, *, line: int | None = None) -> list[str]:
    """Column names as they will be; duplicates and empty ones are problems, all of them named."""
    clean = ["" if n is None else str(n).strip() for n in names]
    if len(clean) > LIMITS.columns:
        raise problems.fail(f"There are {len(clean):,} columns.", f"at most {LIMITS.columns:,}", line=line)
    seen: dict[str, int] = {}
    for place, name in enumerate(clean, start=1):
        if not name:
            problems.add(f"Column {place} has no name.", "a name for every column (a table saved by pandas: `index=False`)", line=line)
        elif len(name) > NAME_LENGTH:
            problems.add(f"The name of column {place} has {len(name)} characters.", f"at most {NAME_LENGTH}", line=line)
        elif name in seen:
            problems.add(f"Columns {seen[name]} and {place} are both named “{name}”.", "a different name for each column", line=line)
        seen.setdefault(name, place)
    problems.raise_any()
    return clean
