"""What a recipe learns of a column of free text, from the training rows alone: which hashed buckets count, how rare they are, and the
few directions in which these texts differ most. What is computed from it is `workers.sdk.texts`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workers.sdk import texts

MOST_BUCKETS = 30_000
"""Those in most texts; more would make models large and hardly better."""
MOST_ROWS = 20_000
"""That the weights and directions are learned from, drawn evenly; all rows are then read with them."""
LONGEST_EXAMPLE = 300
LENGTH = 10.0
"""Of a text whose words are all known. Of 1, 3, 10 and 30 it gave a linear model with its usual regularisation the least log loss, or
nearly so, on 60, 200 and 2,000 messages of seven mailing lists."""


def column(values: Any, *, wanted: bool, chosen: bool, dimensions: int) -> dict[str, Any] | str:
    """What a recipe keeps of a column (an object array of strings, '' where missing), or why it is not used. What was `chosen` by hand is
    read whatever it looks like."""
    there = sorted((str(v) for v in values if v), key=len)
    if not there:
        return "every value is missing"
    if not chosen and not wanted:
        return "free text is not used"
    if not chosen and not texts.looks_free(there):
        return "its values are no free text: too short, or mostly the same"
    found = fit(values, dimensions)
    if isinstance(found, str):
        return found
    example = there[len(there) // 4][:LONGEST_EXAMPLE]
    return {"use": "text", **found.json(), "missing": 1 - len(there) / len(values), "example": example}


def fit(values: Sequence[str], dimensions: int) -> texts.Reader | str:
    """A reader of such texts, or why there is none. `dimensions` is the most; there are never more than texts or buckets give.

    Weights are ln((1 + texts) / (1 + texts with it)) + 1; the matrix is a truncated singular value decomposition (Lanczos, from a fixed
    start) times LENGTH.
    """
    import numpy as np
    from scipy.sparse import csr_matrix
    from sklearn.decomposition import TruncatedSVD

    picked = np.unique(np.linspace(0, len(values) - 1, min(len(values), MOST_ROWS)).astype(int))
    chosen = [values[i] for i in picked if values[i]]
    seen = np.zeros(texts.BUCKETS, dtype=np.int64)
    for _, buckets, _ in texts.counts(chosen):
        seen += np.bincount(buckets, minlength=texts.BUCKETS)
    # What is in a single text tells nothing of others, once there are enough of them.
    there = np.flatnonzero(seen >= (2 if len(chosen) >= 50 else 1))
    kept = np.sort(there[np.argsort(-seen[there], kind="stable")[:MOST_BUCKETS]]).astype(np.int32)
    if len(kept) < 2 or len(chosen) < 2:
        return "its texts have no words in common"
    weights = (np.log((1 + len(chosen)) / (1 + seen[kept])) + 1).astype(np.float32)
    found = texts.Reader(kept, weights, np.zeros((len(kept), 1), dtype=np.float16))
    numbers, places, shares = (
        np.concatenate(side) for side in zip(*((np.full(len(p), n), p, v) for n, p, v in found.weighed(chosen)), strict=True)
    )
    weighed = csr_matrix((shares, (numbers, places)), shape=(len(chosen), len(kept)))
    svd = TruncatedSVD(min(dimensions, *(side - 1 for side in weighed.shape)), algorithm="arpack", random_state=0).fit(weighed)
    return texts.Reader(kept, weights, (svd.components_.T * LENGTH).astype(np.float16))
