"""Precision, recall and F1 of spans, counted by hand."""

from __future__ import annotations

import pytest

from workers.sdk.spans import Span
from workers.training import span_measure as measure

TRUE = [
    [Span(0, 10, "person"), Span(20, 30, "place")],
    [Span(0, 4, "person")],
    [Span(5, 9, "person")],
    [],
]
SAID = [
    [Span(0, 10, "person"), Span(20, 26, "place"), Span(40, 42, "place")],  # right; 6 of 10 characters; nothing there
    [Span(0, 4, "place")],  # the other label
    [Span(7, 13, "person")],  # 2 of 8 characters
    [],
]


def test_the_counts_are_those_of_a_pencil() -> None:
    labels = ["person", "place"]
    table = measure.counts(TRUE, SAID, labels).sum(axis=0)
    assert table.tolist() == [[3, 2, 1, 1], [1, 3, 0, 1]]
    values, per_label = measure.measured(measure.counts(TRUE, SAID, labels), labels, 200, 0)
    assert values["precision"]["value"] == pytest.approx(1 / 5) and values["recall"]["value"] == pytest.approx(1 / 4)
    assert values["f1"]["value"] == pytest.approx(2 / 9) and values["partial_f1"]["value"] == pytest.approx(4 / 9)
    assert values["macro_f1"]["value"] == pytest.approx((2 / 5 + 0) / 2)
    assert per_label["person"]["f1"]["value"] == pytest.approx(2 / 5) and per_label["place"]["partial_f1"]["value"] == pytest.approx(1 / 2)
    assert (per_label["person"]["support"], per_label["place"]["support"]) == ({"value": 3}, {"value": 1})
    assert 0 <= values["f1"]["low"] <= values["f1"]["value"] <= values["f1"]["high"] <= 1
    right, bounds, label, missed, none = range(5)
    became = measure.outcomes(TRUE, SAID, labels)
    assert [became[0, right], became[0, label], became[0, missed], became[0, none]] == [1, 1, 1, 1]
    assert [became[1, bounds], became[1, none]] == [1, 1] and became.sum() == 6


def test_each_span_is_found_once_and_a_label_without_spans_counts_for_nothing() -> None:
    assert measure.pairs([Span(0, 10, "a")], [Span(0, 6, "a"), Span(0, 9, "a"), Span(2, 10, "a")]) == [(0, 1)], "the most alike"
    assert measure.pairs([Span(0, 10, "a")], [Span(0, 5, "a")]) == [(0, 0)], "half is enough"
    assert measure.pairs([Span(0, 10, "a")], [Span(0, 4, "a"), Span(10, 20, "a")]) == []
    table = measure.counts([[Span(0, 4, "a")]], [[Span(0, 4, "a")]], ["a", "b"])
    values, _ = measure.measured(table, ["a", "b"], 0, 0)
    assert (values["macro_f1"]["value"], values["f1"]["low"]) == (1.0, None), "nobody asked for b"
