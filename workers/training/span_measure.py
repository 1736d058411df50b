"""How well spans are found.

Exact: a span that is said is right if there is one with the same first and last character and the same label; precision, recall and F1 are
of those counts over all texts (CoNLL-2003's: Tjong Kim Sang and De Meulder, “Introduction to the CoNLL-2003 Shared Task”, 2003, section
2.3: “a named entity is correct only if it is an exact match of the corresponding entity”). Partial: spans of one label that share at least
half of what they cover together (intersection over union ≥ 0.5, in characters) count as found, each at most once, the best pairs first.
Macro F1 is the mean over the labels that the truth has. The intervals are from a bootstrap over texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workers.sdk.spans import Span
from workers.training.measure import _interval, _ratio

ENOUGH = 0.5
OUTCOMES = ("exactly right", "other bounds", "other label", "missed", "none there")


def pairs(true: Sequence[Span], said: Sequence[Span], *, same_label: bool = True) -> list[tuple[int, int]]:
    """(Place in `true`, place in `said`) of spans that share enough, the most alike first, each in one pair."""
    alike = []
    for i, one in enumerate(true):
        for j, other in enumerate(said):
            if other.start >= one.end or one.start >= other.end or (same_label and one.label != other.label):
                continue
            both = min(one.end, other.end) - max(one.start, other.start)
            share = both / (max(one.end, other.end) - min(one.start, other.start))
            if share >= ENOUGH:
                alike.append((-share, i, j))
    taken: tuple[set[int], set[int]] = (set(), set())
    found = []
    for _, i, j in sorted(alike):
        if i not in taken[0] and j not in taken[1]:
            taken[0].add(i)
            taken[1].add(j)
            found.append((i, j))
    return found


def counts(true: Sequence[Sequence[Span]], said: Sequence[Sequence[Span]], labels: Sequence[str]) -> Any:
    """`[texts, labels, 4]`: spans there are, spans said, found exactly, found by half."""
    import numpy as np

    place = {label: n for n, label in enumerate(labels)}
    made = np.zeros((len(true), len(labels), 4), dtype=np.int64)
    for row, one, other in zip(made, true, said, strict=True):
        for kind, found in enumerate((one, other)):
            for span in found:
                row[place[span.label], kind] += 1
        for span in set(one) & set(other):
            row[place[span.label], 2] += 1
        for i, _ in pairs(one, other):
            row[place[one[i].label], 3] += 1
    return made


def scores(table: Any) -> dict[str, Any]:
    """Of counts `[…, labels, 4]`: `precision`, `recall`, `f1`, `macro_f1`, `partial_f1` over all labels, and `per_label` the same
    `[…, labels]` but for the macro."""
    import numpy as np

    whole, each = _rates(table.sum(axis=-2)), _rates(table)
    there = table[..., 0] > 0
    macro = _ratio(np.where(there, each["f1"], 0).sum(axis=-1), there.sum(axis=-1).astype(float))
    return {**whole, "macro_f1": macro, "per_label": each}


def _rates(table: Any) -> dict[str, Any]:
    there, said, exact, partly = (table[..., n].astype(float) for n in range(4))
    return {
        "precision": _ratio(exact, said), "recall": _ratio(exact, there), "f1": _ratio(2 * exact, there + said),
        "partial_f1": _ratio(2 * partly, there + said),
    }  # fmt: skip


def measured(table: Any, labels: Sequence[str], rounds: int, seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """(Values over all, values by label) of counts `[texts, labels, 4]`, with intervals from `rounds` resamples of the texts."""
    import numpy as np

    random = np.random.default_rng(seed)
    point = scores(table.sum(axis=0))
    weights = random.multinomial(len(table), np.full(len(table), 1 / len(table)), size=rounds) if rounds else np.zeros((0, len(table)))
    drawn = scores(np.tensordot(weights, table, axes=(1, 0)))
    values = {name: _interval(float(point[name]), drawn[name]) for name in ("f1", "precision", "recall", "macro_f1", "partial_f1")}
    per_label = {
        label: {
            **{
                name: _interval(float(point["per_label"][name][n]), drawn["per_label"][name][:, n])
                for name in ("precision", "recall", "f1", "partial_f1")
            },
            "support": {"value": int(table[:, n, 0].sum())},
        }
        for n, label in enumerate(labels)
    }
    return values, per_label


def outcomes(true: Sequence[Sequence[Span]], said: Sequence[Sequence[Span]], labels: Sequence[str]) -> Any:
    """`[labels, OUTCOMES]`: what became of the spans that there are (by their label), and in the last column what was said where none
    is."""
    import numpy as np

    place = {label: n for n, label in enumerate(labels)}
    made = np.zeros((len(labels), len(OUTCOMES)), dtype=np.int64)
    for one, other in zip(true, said, strict=True):
        left, over = list(one), list(other)
        for column, kind in enumerate(("exact", "bounds", "label")):
            found = (
                [(left.index(span), over.index(span)) for span in sorted(set(left) & set(over))] if kind == "exact"
                else pairs(left, over, same_label=kind == "bounds")
            )  # fmt: skip
            for i, _ in found:
                made[place[left[i].label], column] += 1
            left = [span for i, span in enumerate(left) if i not in {i for i, _ in found}]
            over = [span for j, span in enumerate(over) if j not in {j for _, j in found}]
        for span in left:
            made[place[span.label], 3] += 1
        for span in over:
            made[place[span.label], 4] += 1
    return made
