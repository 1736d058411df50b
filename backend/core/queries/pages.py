"""Pages of a list by cursor (keyset): the hundredth page costs what the first does, and a new row moves none."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, TypedDict, TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import F, Model, Q, QuerySet

from backend.core.errors import InvalidInput

M = TypeVar("M", bound=Model)
LIMIT = 200
"""The most items in a page."""


class Slice(TypedDict, Generic[M]):
    """What `core.schemas.Page` is made from."""

    items: list[M]
    next: str | None
    total: int | None


def paginate(
    queryset: QuerySet[M], order: str | Sequence[str], cursor: str | None = None, limit: int = 50, *, count: bool = False
) -> Slice[M]:
    """One page of `queryset`, ordered by the fields or annotations named in `order` (`-` for descending, nulls last).

    The last field must be unique, or rows that tie are lost: `"-id"`, `("-created_at", "-id")`. The cursor is opaque
    and belongs to its order. `count=True` also counts all that match.
    """
    fields = [order] if isinstance(order, str) else list(order)
    if not 1 <= limit <= LIMIT:
        raise InvalidInput(message=f"A page has 1 to {LIMIT} items.", field="limit", hint=f"You asked for {limit}.")
    total = queryset.count() if count else None
    ordered = queryset.order_by(*(F(f[1:]).desc(nulls_last=True) if f.startswith("-") else F(f).asc(nulls_last=True) for f in fields))
    if cursor:
        try:
            ordered = ordered.filter(_after(fields, _decode(cursor, fields)))
        except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError, ValidationError) as exc:
            raise InvalidInput(
                message="This cursor is not one of this list.", field="cursor", hint="Use `next` of the page before, with the same sorting."
            ) from exc
    rows = list(ordered[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    return {"items": rows, "next": _encode(fields, rows[-1]) if more else None, "total": total}


def _after(fields: list[str], values: list[Any]) -> Q:
    """(a, b) after (x, y) is: a after x, or a = x and b after y. A null comes after every value, and nothing after a null."""
    found = Q(pk__in=[])
    same = Q()
    for field, value in zip(fields, values, strict=True):
        name = field.removeprefix("-")
        if value is not None:
            found |= same & (Q(**{f"{name}__{'lt' if field.startswith('-') else 'gt'}": value}) | Q(**{f"{name}__isnull": True}))
            same &= Q(**{name: value})
        else:
            same &= Q(**{f"{name}__isnull": True})
    return found


def _encode(fields: list[str], row: Model) -> str:
    values = [_value(row, f.removeprefix("-")) for f in fields]
    text = json.dumps([fields, [_pack(v) for v in values]], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _value(row: Any, path: str) -> Any:
    for part in path.split("__"):
        row = getattr(row, part, None)
    return row


def _decode(cursor: str, fields: list[str]) -> list[Any]:
    order, packed = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
    if order != fields or len(packed) != len(fields):
        raise ValueError("another order")
    return [_unpack(v) for v in packed]


_TYPES: dict[str, Any] = {"t": datetime.fromisoformat, "d": date.fromisoformat, "u": UUID, "n": Decimal}


def _pack(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"t": value.isoformat()}
    if isinstance(value, date):
        return {"d": value.isoformat()}
    if isinstance(value, UUID):
        return {"u": value.hex}
    if isinstance(value, Decimal):
        return {"n": str(value)}
    return value


def _unpack(value: Any) -> Any:
    if isinstance(value, dict):
        ((kind, text),) = value.items()
        return _TYPES[kind](text)
    if isinstance(value, list):
        raise ValueError("no list is ever packed")
    return value
