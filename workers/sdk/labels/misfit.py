"""What does not fit of a region, and how its numbers and texts are read."""

from __future__ import annotations

import math
from typing import Any

Json = dict[str, Any]


class Misfit(Exception):
    """One thing of a region that does not fit: `field` inside it, what is wrong, what would be right."""

    def __init__(self, field: str, message: str, expected: str = "") -> None:
        self.field, self.message, self.expected = field, message, expected
        super().__init__(message)


def number(value: Json, key: str, low: float = -math.inf, high: float = math.inf) -> float:
    """A finite number within bounds; raises Misfit."""
    found = value.get(key)
    if not isinstance(found, int | float) or isinstance(found, bool) or not math.isfinite(found):
        raise Misfit(f"value.{key}", f"“{key}” is a number.", f"{_bound(low)} to {_bound(high)}" if math.isfinite(low) else "a number")
    if not low <= found <= high:
        raise Misfit(f"value.{key}", f"{found:g} is out of bounds.", f"{_bound(low)} to {_bound(high)}")
    return found


def _bound(value: float) -> str:
    return f"{value:g}" if math.isfinite(value) else "any"
