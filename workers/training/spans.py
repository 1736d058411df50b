"""Labelled spans of a table: which column holds the texts and which their spans, and what a row says.

A cell with spans is JSON: a list of `{start, end, labels: [label]}` (a frozen version's column of a `<Labels>`), of `{start, end, label}`
(as other tools write it), or an object whose `result` is Label Studio's (the column `annotations` of text files). An empty list says that
somebody looked and there is none; an empty cell says that nobody looked, unless `labelled_how` of its row says otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from workers.sdk.errors import StepError
from workers.sdk.kinds import Table
from workers.sdk.spans import MOST_CHARACTERS, Places, Span, characters, trimmed

UTF16, CODE_POINTS = "UTF-16 units", "characters"
NOBODY = ("labelled_by", "labelled_at", "labelled_how", "labelled_support")
LOOKED_AT = 200
MOST_SPANS = 10_000
"""Of one text, as in a result."""
EXAMPLE = 300


class BadSpans(ValueError):
    """What a cell says is no list of spans of its text."""


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Rows that somebody labelled: `rows` are their numbers in the table. Spans are trimmed of white space at their ends."""

    text_column: str
    spans_column: str
    rows: list[int]
    texts: list[str]
    spans: list[list[Span]]
    unlabelled: int


def regions(said: Any) -> list[Mapping[str, Any]]:
    """The values of a parsed cell that are spans. Raises BadSpans."""
    if isinstance(said, Mapping) and isinstance(said.get("result"), list):
        said = [r.get("value") for r in said["result"] if isinstance(r, Mapping) and r.get("type") == "labels"]
    if not isinstance(said, list) or not all(isinstance(one, Mapping) for one in said):
        raise BadSpans("its spans are not a list of {start, end, labels}")
    if len(said) > MOST_SPANS:
        raise BadSpans(f"it has {len(said):,} spans; at most {MOST_SPANS:,} are read")
    return said


def read(cell: str, text: str, offsets: str) -> list[Span]:
    """The spans that a cell says of its text. Raises BadSpans, in words."""
    try:
        found = regions(json.loads(cell))
    except (ValueError, RecursionError) as error:
        raise error if isinstance(error, BadSpans) else BadSpans("its spans are not JSON") from None
    place = characters(text) if offsets == UTF16 else (lambda at: at if 0 <= at <= len(text) else None)
    made = []
    for one in found:
        start, end = one.get("start"), one.get("end")
        if not _whole(start) or not _whole(end):
            raise BadSpans(f"a span goes from {start!r} to {end!r}; whole numbers are needed")
        first, last = place(int(start)), place(int(end))  # type: ignore[arg-type]  # `_whole` has looked
        if first is None or last is None:
            raise BadSpans(f"a span goes from {start} to {end}, and the text has {len(text):,} characters")
        if first >= last:
            raise BadSpans(f"the span from {start} to {end} is empty")
        told = one.get("text")
        if isinstance(told, str) and told and told != text[first:last]:
            raise BadSpans(f"the span from {start} to {end} says it is “{told[:60]}”, and there stands “{text[first:last][:60]}”")
        labels = one.get("labels", one.get("label"))
        for label in [labels] if isinstance(labels, str) else labels if isinstance(labels, list) else []:
            if not isinstance(label, str) or not label:
                raise BadSpans(f"the label of the span from {start} to {end} is no text")
            if (span := trimmed(text, first, last)) is not None:
                made.append(Span(*span, label))
    return sorted(set(made))


def _whole(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**53 and value == int(value)


def labelled(table: Table, text_column: str, spans_column: str, offsets: str) -> Labelled:
    """The texts of a table whose spans somebody has said. Raises StepError naming the row, what is wrong and what would be right."""
    loaded = table.arrow()
    spans_column = _spans_column(table, loaded, spans_column)
    text_column = _text_column(table, loaded, text_column, spans_column)
    texts, cells = loaded[text_column].to_pylist(), loaded[spans_column].to_pylist()
    how = loaded["labelled_how"].to_pylist() if "labelled_how" in loaded.column_names else [None] * len(cells)
    rows, kept, found = [], [], []
    for n, (text, cell, said) in enumerate(zip(texts, cells, how, strict=True)):
        if cell is None and said is None:
            continue
        text = text if isinstance(text, str) else ""
        try:
            spans = read(cell if isinstance(cell, str) else json.dumps(cell or [], default=str), text, offsets)
        except BadSpans as error:
            raise StepError(
                f"Row {n + 1} cannot be used: {error}.",
                hint=f"Each cell of “{spans_column}” is a list such as "
                '[{"start": 0, "end": 4, "labels": ["person"]}], counted as “Places count” says.',
                field="spans_column",
            ) from None
        rows.append(n)
        kept.append(text)
        found.append(spans)
    return Labelled(
        text_column=text_column, spans_column=spans_column, rows=rows, texts=kept, spans=found, unlabelled=len(texts) - len(rows)
    )


def _spans_column(table: Table, loaded: Any, named: str) -> str:
    if named:
        _there(loaded, named, "spans_column")
        return named
    found = [c for c in loaded.column_names if _holds_spans(loaded[c])]
    label = table.metadata.get("label_column")
    if label in found:
        return str(label)
    if len(found) == 1:
        return str(found[0])
    said = "several columns with spans: " + ", ".join(found) if found else "no column with labelled spans"
    raise StepError(
        f"The table has {said}.",
        hint="Choose it under Column with spans."
        if found
        else "Label some with <Labels> on <Text> and freeze them, or bring a column of JSON such as "
        '[{"start": 0, "end": 4, "label": "person"}].',
        field="spans_column",
    )


def _holds_spans(column: Any) -> bool:
    """Whether the first values are spans: at least one, and nothing else."""
    import pyarrow.types as t

    if not (t.is_string(column.type) or t.is_large_string(column.type) or t.is_list(column.type)):
        return False
    several = 0
    for value in column.drop_null().slice(0, LOOKED_AT).to_pylist():
        if isinstance(value, str) and value[:1] not in "[{":
            return False
        try:
            found = regions(json.loads(value) if isinstance(value, str) else value)
        except (ValueError, RecursionError):
            return False
        if not all("start" in one and "end" in one and ("labels" in one or "label" in one) for one in found):
            return False
        several += len(found)
    return several > 0


def _text_column(table: Table, loaded: Any, named: str, spans_column: str) -> str:
    """The chosen one, else the only one, else the one of which all spans say what stands there."""
    if named:
        _there(loaded, named, "text_column")
        return named
    types = table.types
    leave = {spans_column, *table.metadata.get("of_files", ()), *NOBODY}
    found = [c for c in loaded.column_names if c not in leave and types[c] in ("text", "category") and not _holds_spans(loaded[c])]
    texts = [c for c in found if types[c] == "text"] or found
    if len(texts) > 1:
        texts = [c for c in texts if _fits(loaded[c], loaded[spans_column])] or texts
    if len(texts) == 1:
        return str(texts[0])
    raise StepError(
        "It is not clear which column holds the texts" + (": " + ", ".join(texts[:20]) if texts else ", there is none") + ".",
        hint="Choose it under Column with texts.",
        field="text_column",
    )


def _fits(texts: Any, cells: Any) -> bool:
    several = 0
    for text, cell in zip(texts.to_pylist(), cells.to_pylist(), strict=True):
        if several >= LOOKED_AT:
            break
        if isinstance(cell, str) and isinstance(text, str):
            told = [one["text"] for one in regions(json.loads(cell)) if isinstance(one.get("text"), str)]
            if not all(one in text for one in told):
                return False
            several += len(told)
    return several > 0


def _there(loaded: Any, named: str, field: str) -> None:
    if named not in loaded.column_names:
        raise StepError(f"There is no column “{named}” in this table.", hint="It has: " + ", ".join(loaded.column_names[:30]), field=field)


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """Spans as tokens: for each layer (first token, last token, label's number in its layer). What had to be changed is counted."""

    layers: list[list[str]]
    spans: list[list[list[tuple[int, int, int]]]]
    """By text, by layer."""
    widened: int
    """Spans that began or ended inside a token, and now hold all of it."""
    dropped: int
    """Spans that lay over a longer one in the same layer."""
    unread: int
    """Spans behind the characters that are read."""


def overlapping(spans: Sequence[Sequence[Span]]) -> bool:
    """Whether any two spans of a text share a character."""
    return any(b.start < a.end for one in spans for a, b in pairwise(one))


def fit(spans: Sequence[Sequence[Span]], places: Sequence[Places], labels: Sequence[str], *, apart: bool) -> Fitted:
    """`apart`: a layer for each label, so that spans of different labels may overlap; else one layer for all. In a layer the longest
    wins; of equally long ones the first."""
    layers = [[label] for label in labels] if apart else [list(labels)]
    where = {label: (n, m) for n, layer in enumerate(layers) for m, label in enumerate(layer)}
    made: list[list[list[tuple[int, int, int]]]] = []
    widened = dropped = unread = 0
    for found, tokens in zip(spans, places, strict=True):
        by_layer: list[list[tuple[int, int, int]]] = [[] for _ in layers]
        begins, ends = {s: n for n, (s, _) in enumerate(tokens)}, {e: n for n, (_, e) in enumerate(tokens)}
        taken = [bytearray(len(tokens)) for _ in layers]
        for span in sorted(found, key=lambda s: (s.start - s.end, s.start)):
            if span.end > MOST_CHARACTERS:
                unread += 1
                continue
            first, last = begins.get(span.start), ends.get(span.end)
            if first is None or last is None:
                widened += 1
                inside = [n for n, (s, e) in enumerate(tokens) if s < span.end and span.start < e]
                first, last = inside[0], inside[-1]
            layer, label = where[span.label]
            if any(taken[layer][first : last + 1]):
                dropped += 1
                continue
            taken[layer][first : last + 1] = b"\1" * (last + 1 - first)
            by_layer[layer].append((first, last, label))
        made.append(by_layer)
    return Fitted(layers=layers, spans=made, widened=widened, dropped=dropped, unread=unread)
