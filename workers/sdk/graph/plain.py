"""Reading what came from outside as plain values in one normal form, with the field named where it is none."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

KEY = re.compile(r"[a-z][a-z0-9_]{0,59}")
"""A step's key. It is part of addresses, YAML, and `step.output` references, so it has no dots."""
OUTPUT = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,59}")
HALF = re.compile("[\ud800-\udfff]")
MAX_DEPTH = 32
"""Of a parameter's value: deeper JSON is an attack or a mistake, and would exhaust the stack."""
EXACT = 2**53
"""Whole numbers up to here survive JavaScript, JSON columns and Yjs unchanged; above it every number is a double."""


class GraphError(ValueError):
    """Something that is no graph at all (not merely one with problems). `field` is the path to it."""

    def __init__(self, message: str, field: str = ""):
        self.field = field
        super().__init__(f"{field}: {message}" if field else message)


def text(value: object, field: str, limit: int) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise GraphError("must be text.", field)
    if len(value) > limit:
        raise GraphError(f"is {len(value)} characters long; at most {limit} are allowed.", field)
    return storable(value, field)


def storable(value: str, field: str) -> str:
    """PostgreSQL's JSON can hold neither NUL nor half of a surrogate pair."""
    if "\x00" in value or (not value.isascii() and HALF.search(value)):
        raise GraphError("contains a character that cannot be stored (NUL or half of a surrogate pair).", field)
    return value


def plain(value: object, field: str, depth: int = 0) -> Any:
    """A JSON value in its normal form: 1.0 and 1 are the same number, as they are in JSON and JavaScript."""
    if depth > MAX_DEPTH:
        raise GraphError(f"is nested deeper than {MAX_DEPTH} levels.", field)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return storable(value, field)
    if isinstance(value, int | float):
        try:
            number = float(value)
        except OverflowError:
            raise GraphError("is a number too large to be stored exactly.", field) from None
        if not math.isfinite(number):
            raise GraphError("must be a finite number.", field)
        return int(value) if abs(number) <= EXACT and number == int(number) else number
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise GraphError(f"has the key {key!r}, which is not text; put it in quotes.", field)
            storable(key, field)
        return {key: plain(value[key], f"{field}.{key}", depth + 1) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [plain(item, f"{field}.{index}", depth + 1) for index, item in enumerate(value)]
    raise GraphError(f"is a {type(value).__name__}; only text, numbers, true/false, null, lists and objects can be stored.", field)


def whole(value: object, field: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value != int(value):
        raise GraphError(f"must be a whole number from {low} to {high}.", field)
    if not low <= value <= high:
        raise GraphError(f"is {int(value)}; it must be from {low} to {high}.", field)
    return int(value)
