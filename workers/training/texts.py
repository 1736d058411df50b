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
LENGTH = 10.0
"""Of a text whose words are all known. Of 1, 3, 10 and 30 it gave the least log loss of a linear model with its usual regularisation on
60, 200 and 2,000 messages of seven mailing lists."""
SEVERAL_WORDS = 3
WITHOUT_SPACES = 6
"""Characters in scripts that are written without spaces, on average, from which a column counts as text."""
SPACELESS = r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
"""Thai, Lao, Burmese, Khmer, Kana and Chinese characters."""
LOOKED_AT = 2000


def looks_free(values: Any) -> bool:
    """Whether strings (an object array, '' where missing) are free text: many different values of several words."""
    import re

    present = values[values != ""]
    if not len(present):
        return False
    step = max(1, len(present) // LOOKED_AT)
    looked = [str(value) for value in present[::step]]
    if len(set(looked)) <= len(looked) / 2:
        return False
    words = sum(len(value.split()) for value in looked) / len(looked)
    return words >= SEVERAL_WORDS or sum(len(re.findall(SPACELESS, value)) for value in looked) / len(looked) >= WITHOUT_SPACES


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
