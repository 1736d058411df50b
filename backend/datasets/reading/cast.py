"""Text (or any Arrow values) as the type a column was given, and which values do not fit.

Surrounding spaces never count, except in `text`. Times are kept in UTC without a zone.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from typing import Any

from backend.datasets.reading.written import number_pattern, plain_numbers

NULLS = ("", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "?", "-", "#N/A")
TRUE = ("true", "t", "yes", "y", "1", "on")
FALSE = ("false", "f", "no", "n", "0", "off")
INTEGER = r"^[+-]?\d{1,18}(\.0*)?$"
NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^[+-]?(?i:inf|infinity)$"
ZONED = r"(Z|[+-]\d{2}:?\d{2})$"
WHAT = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true/false, yes/no or 1/0",
    "datetime": "a time such as 2024-05-01 or 2024-05-01T13:30:00",
    "json": "JSON",
}


def arrow_type(kind: str) -> Any:
    """How a column of this type is kept."""
    import pyarrow as pa

    return {"integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_(), "datetime": pa.timestamp("us")}.get(kind, pa.string())


def cast(values: Any, kind: str, nulls: Sequence[str] = NULLS, form: str = "") -> tuple[Any, Any]:
    """(the values as `kind`, a mask of those that do not fit, or None when all do). What does not fit is null in the first."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    target = arrow_type(kind)
    if not pa.types.is_string(values.type):
        if values.type == target:
            return (pc.if_else(pc.is_nan(values), None, values) if kind == "number" else values), None
        if (pa.types.is_integer(values.type) and kind == "number") or pa.types.is_null(values.type):
            return values.cast(target), None
        values = values.cast(pa.string())
    trimmed = pc.utf8_trim_whitespace(values)
    missing = pc.or_(pc.is_null(values), pc.fill_null(pc.is_in(trimmed, value_set=pa.array(list(nulls), pa.string())), True))
    if kind == "text":
        return pc.if_else(missing, None, values), None
    trimmed = pc.if_else(missing, None, trimmed)
    if kind in ("integer", "number") and form:
        good = pc.match_substring_regex(trimmed, number_pattern(form, whole=kind == "integer"))
        plain = pc.replace_substring_regex(plain_numbers(pc.if_else(good, trimmed, None), form), r"^\+", "")
        return plain.cast(target), _bad(good)
    if kind in ("integer", "number"):
        try:
            return trimmed.cast(target), None
        except pa.ArrowInvalid:
            good = pc.match_substring_regex(trimmed, INTEGER if kind == "integer" else NUMBER)
            plain = pc.if_else(good, trimmed, None)
            plain = pc.replace_substring_regex(plain, r"^\+", "")
            if kind == "integer":
                plain = pc.replace_substring_regex(plain, r"\.0*$", "")
            return plain.cast(target), _bad(good)
    if kind == "boolean":
        lower = pc.utf8_lower(trimmed)
        yes, no = pc.is_in(lower, value_set=pa.array(TRUE)), pc.is_in(lower, value_set=pa.array(FALSE))
        good = pc.or_(yes, no)
        return pc.if_else(pc.and_(good, pc.is_valid(trimmed)), yes, None), _bad(pc.if_else(pc.is_null(trimmed), None, good))
    if kind == "datetime":
        return _times(trimmed, form)
    if kind == "json":
        good = pa.array([None if v is None else _is_json(v) for v in trimmed.to_pylist()], pa.bool_())
        return pc.if_else(good, trimmed, None), _bad(good)
    return trimmed, None


def _bad(good: Any) -> Any:
    """The mask of what does not fit from that of what does (null where there is no value); None when there is nothing."""
    import pyarrow.compute as pc

    bad = pc.fill_null(pc.invert(good), False)
    return bad if pc.any(bad).as_py() else None


def _times(values: Any, form: str) -> tuple[Any, Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = pa.timestamp("us")
    if form:
        found = pc.strptime(values, form, "us", error_is_null=True)
        return found, _bad(pc.if_else(pc.is_null(values), None, pc.is_valid(found)))
    try:
        return values.cast(kind), None
    except pa.ArrowInvalid:
        pass
    try:
        return values.cast(pa.timestamp("us", "UTC")).cast(kind), None
    except pa.ArrowInvalid:
        pass
    listed = [_time(v) for v in values.to_pylist()]
    found = pa.array(listed, kind)
    return found, _bad(pc.if_else(pc.is_null(values), None, pc.is_valid(found)))


def _time(text: str | None) -> datetime.datetime | None:
    if text is None:
        return None
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(datetime.UTC).replace(tzinfo=None) if found.tzinfo else found


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def is_form(form: str) -> bool:
    """Whether pyarrow's strptime knows it: it is tried on nothing, and must name a part of a date."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        pc.strptime(pa.array(["x"]), form, "us", error_is_null=True)
    except pa.ArrowException:
        return False
    return "%" in form
