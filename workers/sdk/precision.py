"""Average precision of boxes, by the definition of COCO: https://cocodataset.org/#detection-eval, as `pycocotools.cocoeval` computes it
(Lin and others, “Microsoft COCO: Common Objects in Context”, 2014). All sizes of boxes, no crowds. Only numpy.

For each label and each intersection over union that is asked for (0.5, 0.55, … 0.95): a picture's boxes, best score first, each take the
box of the truth that they overlap most and that is still free, if they overlap it that much. Over all pictures, in falling order of
score, that gives precision by recall; precision is made falling (each value the largest at its recall or beyond) and read
at the recalls 0, 0.01, … 1; beyond the highest recall reached it is 0. The mean of these 101 values is the average precision, AP; the mean
over the labels that occur in the truth is mAP@0.5 of the first overlap, and mAP@[.5:.95] of the mean over all ten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workers.sdk.boxes import LABEL, MOST, SCORE, overlaps

ENOUGH = tuple(round(0.5 + 0.05 * n, 2) for n in range(10))
RECALLS = 101
ROUNDS = 200
USUAL_THRESHOLD = 0.3
FEW = 20
"""Boxes at which a threshold chosen by them counts half."""


@dataclass(frozen=True, kw_only=True)
class Matches:
    """Boxes told, in falling order of score: `picture`, `label`, `score` `[boxes]` and `right` `[overlaps, boxes]`; `truth`
    `[pictures, labels]` counts the boxes of the truth."""

    picture: Any
    label: Any
    score: Any
    right: Any
    truth: Any
    enough: tuple[float, ...] = ENOUGH


def matches(truth: Sequence[Any], found: Sequence[Any], labels: int, enough: tuple[float, ...] = ENOUGH) -> Matches:
    """Of each picture, `truth` `[boxes, 5]` (left, top, right, bottom, label) and `found` `[boxes, 6]` (the same, with the score before the
    label; rows with score 0 are none)."""
    import numpy as np

    counts = np.zeros((len(truth), labels), dtype=np.int64)
    pictures, kinds, scores, hits = [], [], [], []
    for picture, (real, rows) in enumerate(zip(truth, found, strict=True)):
        real = np.asarray(real, dtype=np.float64).reshape(-1, 5)
        rows = np.asarray(rows, dtype=np.float64).reshape(-1, 6)
        rows = rows[rows[:, SCORE] > 0]
        counts[picture] = np.bincount(real[:, 4].astype(int), minlength=labels)[:labels]
        for label in np.unique(rows[:, LABEL]).astype(int):
            mine = rows[rows[:, LABEL] == label]
            mine = mine[np.argsort(-mine[:, SCORE], kind="stable")][:MOST]
            pictures.append(np.full(len(mine), picture))
            kinds.append(np.full(len(mine), label))
            scores.append(mine[:, SCORE])
            hits.append(_taken(overlaps(mine, real[real[:, 4] == label]), enough) >= 0)
    if not scores:
        nothing = np.zeros(0, dtype=np.int64)
        return Matches(
            picture=nothing, label=nothing, score=np.zeros(0), right=np.zeros((len(enough), 0), dtype=bool), truth=counts, enough=enough
        )
    score = np.concatenate(scores)
    order = np.argsort(-score, kind="stable")
    return Matches(
        picture=np.concatenate(pictures)[order],
        label=np.concatenate(kinds)[order],
        score=score[order],
        right=np.concatenate(hits, axis=1)[:, order],
        truth=counts,
        enough=enough,
    )


def _taken(close: Any, enough: tuple[float, ...]) -> Any:
    """`[overlaps, boxes]`: the box of the truth that each box, best first, takes; −1 for none. `close` is `[boxes, truth]`."""
    import numpy as np

    takes = np.full((len(enough), len(close)), -1)
    for place, least in enumerate(enough):
        free = np.ones(close.shape[1], dtype=bool)
        for box, row in enumerate(close):
            here = np.where(free, row, -1.0)
            if len(here) and here.max() >= least - 1e-10:
                # of several that it overlaps equally the last one, as pycocotools does
                takes[place, box] = len(here) - 1 - int(here[::-1].argmax())
                free[takes[place, box]] = False
    return takes


def pairs(real: Any, rows: Any, least: float = ENOUGH[0]) -> Any:
    """Of one picture: for each of `rows` `[boxes, 6]`, best score first, which of `real` `[boxes, 5]` it marks; −1 for none."""
    import numpy as np

    marks = np.full(len(rows), -1)
    for label in np.unique(rows[:, LABEL]):
        mine, theirs = np.flatnonzero(rows[:, LABEL] == label), np.flatnonzero(real[:, 4] == label)
        takes = _taken(overlaps(rows[mine], real[theirs]), (least,))[0]
        marks[mine[takes >= 0]] = theirs[takes[takes >= 0]]
    return marks


def curve(made: Matches, label: int, place: int = 0, weights: Any = None) -> tuple[Any, Any, Any] | None:
    """(Recall, precision, score) after each box of a label, in falling order of score; None where the truth has no box of it. `weights`
    says how often each picture counts."""
    import numpy as np

    mine = made.label == label
    times = np.ones(len(made.truth)) if weights is None else weights
    total = float((made.truth[:, label] * times).sum())
    if not total:
        return None
    often = times[made.picture[mine]]
    right = made.right[place, mine]
    hit, said = np.cumsum(often * right), np.cumsum(often)
    return hit / total, np.divide(hit, said, out=np.zeros_like(hit), where=said > 0), made.score[mine]


def average(made: Matches, weights: Any = None) -> Any:
    """AP `[overlaps, labels]`; not a number for labels that the truth does not have."""
    import numpy as np

    at = np.linspace(0, 1, RECALLS)
    found = np.full((len(made.enough), made.truth.shape[1]), np.nan)
    for label in range(made.truth.shape[1]):
        for place in range(len(made.enough)):
            drawn = curve(made, label, place, weights)
            if drawn is None:
                break
            recall, precision, _ = drawn
            falling = np.maximum.accumulate(precision[::-1])[::-1]
            where = np.searchsorted(recall, at - 1e-12, side="left")
            found[place, label] = np.append(falling, 0.0)[np.minimum(where, len(falling))].mean()
    return found


def mean(average_: Any, place: int | None = None) -> float:
    """mAP of `average`: at one overlap, or over all (COCO's main figure). Not a number where the truth is empty."""
    import numpy as np

    part = average_ if place is None else average_[place : place + 1]
    there = part[:, ~np.isnan(part).any(axis=0)]
    return float(there.mean()) if there.size else float("nan")


def resampled(made: Matches, rounds: int = ROUNDS, seed: int = 0) -> Any:
    """AP `[rounds, overlaps, labels]` with the pictures drawn again each time, with replacement: how far chance goes (bootstrap)."""
    import numpy as np

    random, count = np.random.default_rng(seed), len(made.truth)
    drawn = random.multinomial(count, np.full(count, 1 / count), size=rounds).astype(np.float64) if count else np.zeros((0, 0))
    return np.array([average(made, weights) for weights in drawn]).reshape(len(drawn), len(made.enough), made.truth.shape[1])


def interval(samples: Sequence[float], value: float) -> tuple[float, float]:
    """The middle 95 % of samples, widened to hold the value; the value itself where there are none."""
    import numpy as np

    clean = np.asarray([s for s in samples if np.isfinite(s)])
    if len(clean) < 2:
        return value, value
    low, high = np.quantile(clean, [0.025, 0.975])
    return float(min(low, value)), float(max(high, value))


def counted(made: Matches, threshold: float, place: int = 0) -> dict[str, Any]:
    """Of boxes from a score on: `right` and `told` `[labels]`, at one overlap; `truth` `[labels]`."""
    import numpy as np

    labels, sure = made.truth.shape[1], made.score >= threshold
    return {
        "right": np.bincount(made.label[sure & made.right[place]], minlength=labels),
        "told": np.bincount(made.label[sure], minlength=labels),
        "truth": made.truth.sum(axis=0),
    }


def best_threshold(made: Matches, place: int = 0) -> float:
    """The score from which on all labels together have the best F1, half way to the next one below; drawn towards USUAL_THRESHOLD the fewer
    boxes there are to tell by, which it is where nothing is right."""
    import numpy as np

    total = float(made.truth.sum())
    if not total or not made.right[place].any():
        return USUAL_THRESHOLD
    hit, told_ = np.cumsum(made.right[place]), np.arange(1, len(made.score) + 1)
    best = int(np.argmax(2 * hit / (total + told_)))
    below = float(made.score[best + 1]) if best + 1 < len(made.score) else 0.0
    here = (float(made.score[best]) + below) / 2
    return round((total * here + FEW * USUAL_THRESHOLD) / (total + FEW), 4)
