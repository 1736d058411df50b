"""What is true, and how well each annotator tells it, from their answers alone.

The method is Dawid and Skene's (1979, “Maximum Likelihood Estimation of Observer Error-Rates Using the EM Algorithm”, Journal of the Royal
Statistical Society C 28(1), 20–28): every annotator has a confusion matrix, every item a hidden class; expectation-maximisation finds
both in turn, from the shares of votes. Counts are smoothed by `SMOOTHING` pseudo-answers a cell (`RIGHT` more on the diagonal: people are
right rather than wrong), so that who answered three items is not taken for infallible. Likelihoods are summed as logarithms. There is no
chance in it: the same answers give the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
SMOOTHING = 0.1
RIGHT = 0.5
TOLERANCE = 1e-4
MOST_ROUNDS = 500


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """`posteriors` (items × classes) sums to 1 in each row, `confusions` (annotators × true class × said class) in each last axis, `priors`
    (classes) in all. `converged`: no posterior moved more than `TOLERANCE` in the last of `rounds`."""

    posteriors: Floats
    confusions: Floats
    priors: Floats
    rounds: int
    converged: bool

    @property
    def skills(self) -> Floats:
        """How often each annotator is right, were the classes as common as `priors` say."""
        found: Floats = np.einsum("akk,k->a", self.confusions, self.priors)
        return found


def dawid_skene(items: Ints, people: Ints, said: Ints, classes: int) -> Estimate:
    """From answers as three equally long arrays: item, annotator and class, each counted from 0. Raises ValueError for none."""
    if not len(items):
        raise ValueError("there is no answer")
    count, crowd = int(items.max()) + 1, int(people.max()) + 1
    posteriors: Floats = np.zeros((count, classes))
    np.add.at(posteriors, (items, said), 1.0)
    posteriors = _rows(posteriors)
    rounds, moved = 0, np.inf
    while True:
        priors = posteriors.sum(axis=0) + SMOOTHING
        priors /= priors.sum()
        counts = np.full((crowd, classes, classes), SMOOTHING) + RIGHT * np.eye(classes)
        np.add.at(counts.transpose(0, 2, 1), (people, said), posteriors[items])
        confusions = _rows(counts)
        if rounds == MOST_ROUNDS or moved < TOLERANCE:
            return Estimate(posteriors=posteriors, confusions=confusions, priors=priors, rounds=rounds, converged=bool(moved < TOLERANCE))
        before = posteriors
        logs = np.tile(np.log(priors), (count, 1))
        np.add.at(logs, items, np.log(confusions)[people, :, said])
        posteriors = _softmax(logs)
        moved = float(np.abs(posteriors - before).max())
        rounds += 1


def posterior(priors: Floats, confusions: Floats, said: Ints) -> Floats:
    """The classes of one item (sums to 1) from what annotators with these confusion matrices (annotators × true × said) said of it."""
    logs = np.log(priors) + np.log(confusions)[np.arange(len(said)), :, said].sum(axis=0)
    found: Floats = _softmax(logs[None])[0]
    return found


def _rows(counts: Floats) -> Floats:
    total = counts.sum(axis=-1, keepdims=True)
    return np.divide(counts, total, out=np.full_like(counts, 1 / counts.shape[-1]), where=total > 0)


def _softmax(logs: Floats) -> Floats:
    found = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(found / found.sum(axis=1, keepdims=True), dtype=np.float64)
