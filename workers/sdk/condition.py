"""Conditions over named values (metrics, answers, a round's number), in the safe expression language: `accuracy > 0.9 and round >= 3`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.sdk.errors import StepError
from workers.sdk.expression import ExpressionError, parse

Plain = float | str | bool


def numbers(value: Any) -> dict[str, float]:
    """The numbers in the JSON of Metrics (`values` by name, each a number or `{"value": number}`) or of Values."""
    return {name: float(one) for name, one in plain_values(value).items() if isinstance(one, int | float) and not isinstance(one, bool)}


def plain_values(value: Any) -> dict[str, Plain]:
    """Numbers, texts and truths in the JSON of Metrics or of Values, by name."""
    values = value.get("values", value) if isinstance(value, Mapping) else {}
    flat = {str(name): one.get("value") if isinstance(one, Mapping) else one for name, one in values.items()}
    return {name: one for name, one in flat.items() if isinstance(one, int | float | str | bool)}


def holds(condition: str, values: Mapping[str, Plain], field: str) -> bool:
    """Whether the condition is true of these values. Raises StepError (of the parameter `field`) for a condition that cannot be read or
    names what is not there."""
    import pyarrow as pa

    row = {name: float(one) if isinstance(one, int | float) and not isinstance(one, bool) else one for name, one in values.items()}
    try:
        table = pa.table({name: [one] for name, one in row.items()} or {"nothing": pa.nulls(1)})
        return bool(parse(condition).mask(table)[0].as_py())
    except ExpressionError as exc:
        there = ", ".join(values) or "nothing"
        raise StepError(f"The condition cannot be used: {exc}.", hint=f"There is: {there}.", field=field) from exc
