"""Which labels are probably wrong: confident learning (Northcutt, Jiang and Chuang, “Confident learning: estimating uncertainty in dataset
labels”, JAIR 2021), written from the paper, on out-of-fold probabilities of a logistic regression over embeddings.

`python -m workers.embedding.doubt FOLDER DIMENSION` reads FOLDER/vectors (as `arrange`) and FOLDER/labels.json (a number for each row)
and leaves FOLDER/doubts.json.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workers.embedding.arrange import read

FOLDS, FEWEST = 5, 2
"""A class needs as many items as there are folds for each model to have seen it; with fewer items, fewer folds, at least two."""
Array = npt.NDArray[Any]


def out_of_fold(vectors: Array, labels: Array) -> Array:
    """`[n, classes]`: what a model says of each item that has not seen it. `labels` counts from 0 without gaps."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold

    folds = max(FEWEST, min(FOLDS, int(np.bincount(labels).min())))
    found = np.zeros((len(labels), labels.max() + 1))
    for train, test in StratifiedKFold(folds, shuffle=True, random_state=0).split(vectors, labels):
        model = LogisticRegression(C=3.0, max_iter=300).fit(vectors[train], labels[train])
        found[np.ix_(test, model.classes_)] = model.predict_proba(vectors[test])
    return found


def confident_joint(labels: Array, chances: Array) -> tuple[Array, Array]:
    """(The counts C[given, true], for each item the class it confidently belongs to, -1 for none). An item counts for the class whose
    probability is at least that class's threshold (the mean self-confidence of its members), the likeliest of several."""
    classes = chances.shape[1]
    thresholds = np.array([chances[labels == k, k].mean() if (labels == k).any() else np.inf for k in range(classes)])
    above = chances >= thresholds
    true = np.where(above.any(axis=1), np.where(above, chances, -1).argmax(axis=1), -1)
    counts = np.zeros((classes, classes), dtype=np.int64)
    sure = true >= 0
    np.add.at(counts, (labels[sure], true[sure]), 1)
    return counts, true


def noise(labels: Array, counts: Array) -> Array:
    """The joint of given and true labels: the counts, each row scaled to how often its label was given."""
    given = np.bincount(labels, minlength=len(counts)).astype(np.float64)
    rows = counts.sum(axis=1, keepdims=True)
    scaled = np.where(rows > 0, counts / np.maximum(rows, 1), np.eye(len(counts))) * given[:, None]
    found: Array = scaled / scaled.sum()
    return found


def doubted(labels: Array, chances: Array) -> tuple[list[tuple[int, int, float]], Array]:
    """([(row, suggested class, score)] with the most doubtful first, joint). As many as the joint says there are errors, and never fewer
    than the confident joint has off its diagonal, of those for which another class is likelier; ranked by their normalised margin:
    p(given) − p(likeliest other), from −1 (surely wrong) to 1, here as 0 to 1."""
    counts, _ = confident_joint(labels, chances)
    joint = noise(labels, counts)
    rows = np.arange(len(labels))
    others = chances.copy()
    others[rows, labels] = -1
    best = others.argmax(axis=1)
    score = (1 + chances[rows, labels] - others[rows, best]) / 2
    expected = max(round(len(labels) * (1 - float(np.trace(joint)))), int(counts.sum() - np.trace(counts)))
    wrong = np.flatnonzero(score < 0.5)
    wrong = wrong[np.argsort(score[wrong], kind="stable")][:expected]
    return [(int(n), int(best[n]), float(score[n])) for n in wrong], joint


def main(folder: str, dimension: str) -> None:
    where = Path(folder)
    labels = np.array(json.loads((where / "labels.json").read_text(encoding="utf-8")), dtype=np.int64)
    chances = out_of_fold(read(where, int(dimension)), labels)
    doubts, joint = doubted(labels, chances)
    told = {"doubts": doubts, "joint": joint.round(6).tolist(), "agree": float((chances.argmax(axis=1) == labels).mean())}
    (where / "doubts.json").write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
