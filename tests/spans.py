"""Real texts with spans that are known: how the standard library's own sources cite mail addresses, standards and functions.

From the docstrings of `tests.texts`; a span is what a pattern recognises, so nobody's opinion is asked.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import pyarrow as pa

from tests.texts import docstrings
from workers.sdk.kinds import Table

RULES = {
    "call": re.compile(r"\b[a-z_]+(?:\.[a-z_]+)*\(\)"),
    "error": re.compile(r"\b[A-Z][A-Za-z]*(?:Error|Exception|Warning)\b"),
    "standard": re.compile(r"\b(?:RFC|PEP) ?\d+\b"),
}


def spans_of(text: str) -> list[dict[str, Any]]:
    found = [(*m.span(), label) for label, rule in RULES.items() for m in rule.finditer(text)]
    return [{"start": a, "end": b, "labels": [label], "text": text[a:b]} for a, b, label in sorted(found)]


@cache
def cited(count: int) -> tuple[tuple[str, list[dict[str, Any]]], ...]:
    """(Text, its spans) of the first so many, two of three of which cite something; none is longer than 900 characters."""
    rows = [(text, spans_of(text)) for text, _ in docstrings() if len(text) <= 900]
    some, none = [row for row in rows if row[1]], [row for row in rows if not row[1]]
    mixed = [none[n // 3] if n % 3 == 2 else some[n - n // 3] for n in range(count)]
    return tuple(mixed)


def table(rows: Any) -> Table:
    """As a frozen version of labelled rows holds them."""
    return Table.from_arrow(
        pa.table({"text": [text for text, _ in rows], "what": [json.dumps(spans) for _, spans in rows]}),
        types={"text": "text", "what": "json"},
    )
