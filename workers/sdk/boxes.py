"""What a detector's graph gives for every place of a picture becomes the boxes that it found: one way for training, evaluation and the
predictor, so that what a model was measured by and what it answers cannot differ. Only numpy.

Sides are shares of the picture's width and height, 0 to 1, from its upper left corner: left, top, right, bottom.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float32]

FLOOR = 0.05
"""Scores below are not looked at: there are many, and none of them is ever shown."""
OVERLAP = 0.5
"""Two boxes of one label that overlap by more (intersection over union) mark the same thing; the one with the higher score stays."""
ONE_THING = 0.8
"""Boxes of different labels that overlap by more mark one thing as well: it is told with its likeliest label."""
MOST = 100
"""Boxes of a picture, as in COCO's evaluation."""
CANDIDATES = 500
UNSURE = 20
"""Boxes below the threshold that an answer tells of."""
SCORE, LABEL, WIDTH = 4, 5, 6


def overlaps(one: Any, other: Any) -> Any:
    """Intersection over union of each box `[n, 4]` with each `[m, 4]`: `[n, m]`, 0 where neither has an area."""
    import numpy as np

    inner = np.minimum(one[:, None, 2:4], other[None, :, 2:4]) - np.maximum(one[:, None, :2], other[None, :, :2])
    both = np.prod(np.maximum(inner, 0), axis=2)
    areas = [np.prod(np.maximum(side[:, 2:4] - side[:, :2], 0), axis=1) for side in (one, other)]
    either = areas[0][:, None] + areas[1][None, :] - both
    return np.divide(both, either, out=np.zeros_like(both), where=either > 0)


def suppressed(boxes: Any, labels: Any) -> Any:
    """Places of the boxes that stay, of boxes `[n, 4]` in falling order of score: each takes away those after it that have its label and
    overlap it by more than OVERLAP, and of other labels those beyond ONE_THING (greedy non-maximum suppression)."""
    import numpy as np

    close = overlaps(boxes, boxes)
    rivals = (close > ONE_THING) | ((close > OVERLAP) & (labels[:, None] == labels[None, :]))
    stays = np.ones(len(boxes), dtype=bool)
    for place in range(len(boxes)):
        if stays[place]:
            stays[place + 1 :] &= ~rivals[place, place + 1 :]
    return np.flatnonzero(stays)


def found(cells: Any, *, floor: float = FLOOR) -> Numbers:
    """`[pictures, MOST, 6]`: left, top, right, bottom, score, number of the label; the highest score first, rows of zeros where there are
    no more. `cells` is what the graph gives: `[pictures, places, 4 + labels]`, sides and a score for each label. Equal scores
    keep the order of labels and places, so that the same picture has the same answer."""
    import numpy as np

    made = np.zeros((len(cells), MOST, WIDTH), dtype=np.float32)
    for picture, one in enumerate(cells):
        place, label = np.nonzero(one[:, 4:] >= floor)
        score = one[place, 4 + label]
        best = np.lexsort((place, label, -score))[:CANDIDATES]
        boxes, score, label = np.clip(one[place[best], :4], 0, 1), score[best], label[best]
        there = np.flatnonzero((boxes[:, 2:] - boxes[:, :2] > 1e-4).all(axis=1))
        kept = there[suppressed(boxes[there], label[there])[:MOST]]
        made[picture, : len(kept)] = np.column_stack([boxes[kept], score[kept], label[kept]])
    return made


def certainty(scores: Sequence[float], threshold: float) -> float:
    """How sure a detector is of a whole picture, 0 to 1: as sure as of its most doubtful box. Of what it tells that is the box's score, of
    what it does not tell 1 less that; so a picture is doubtful by one box that might be none, or one that might have been
    missed (least confident sampling; Settles 2009, brought to boxes by the maximum, Brust and others 2019)."""
    return min((score if score >= threshold else 1 - score for score in scores), default=1 - FLOOR)


def told(rows: Any, labels: Sequence[str], threshold: float) -> dict[str, Any]:
    """One picture's answer of `found`'s rows: `boxes` `{label, score, x, y, width, height}` in percent of the picture, as the studio's
    regions are, from the `threshold` on; `unsure` the best of those below; `certainty` of the whole."""
    rows = rows[rows[:, SCORE] > 0]
    every = [
        {
            "label": labels[int(label)],
            "score": round(score, 7),
            "x": round(100 * left, 4),
            "y": round(100 * top, 4),
            "width": round(100 * (right - left), 4),
            "height": round(100 * (bottom - top), 4),
        }
        for left, top, right, bottom, score, label in rows.tolist()
    ]
    return {
        "boxes": [box for box in every if box["score"] >= threshold],
        "unsure": [box for box in every if box["score"] < threshold][:UNSURE],
        "certainty": round(certainty([box["score"] for box in every], threshold), 7),
    }


def rows_of(answer: dict[str, Any], labels: Sequence[str]) -> Numbers:
    """`[boxes, 6]` of an answer again, with those it is unsure of: to measure a model by what it answered. Labels not among `labels` are
    left out."""
    import numpy as np

    codes = {label: n for n, label in enumerate(labels)}
    return np.array(
        [
            (b["x"] / 100, b["y"] / 100, (b["x"] + b["width"]) / 100, (b["y"] + b["height"]) / 100, b["score"], codes[b["label"]])
            for b in (*answer["boxes"], *answer["unsure"])
            if b["label"] in codes
        ],
        dtype=np.float32,
    ).reshape(-1, WIDTH)
