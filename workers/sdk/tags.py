"""Spans as tags of tokens, and back: the likeliest spans under the chances that a network gives to each token's tags.

Tags are BILOU (Ratinov and Roth, “Design Challenges and Misconceptions in Named Entity Recognition”, 2009): O is outside, and each label
has B(egin), I(nside), L(ast) and U(nit: a span of one token). After B and I only I and L of the same label may follow, after all others
only O, B and U. Among the sequences that keep to this the likeliest is found (Viterbi, 1967), and the chance of each of its spans is
exact, by summing over all of them (forward and backward: Rabiner, “A Tutorial on Hidden Markov Models”, 1989). In one layer no two spans
overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

OUTSIDE = 0
LEAST = 1e-9
"""No tag is thought impossible, so that there is always a sequence."""
Found = tuple[int, int, int, float]
"""First token, last token, number of the label, chance."""


def width(labels: int) -> int:
    """How many tags a layer with so many labels has. Of label n: B is 1 + n, then come the Is, the Ls and the Us."""
    return 1 + 4 * labels


def encode(count: int, spans: Sequence[tuple[int, int, int]], labels: int) -> NDArray[np.int64]:
    """Tags of `count` tokens. `spans` are (first token, last token, label) and do not overlap."""
    import numpy as np

    made = np.zeros(count, dtype=np.int64)
    for first, last, label in spans:
        if first == last:
            made[first] = 1 + 3 * labels + label
        else:
            made[first], made[first + 1 : last], made[last] = 1 + label, 1 + labels + label, 1 + 2 * labels + label
    return made


def decode(chances: Sequence[NDArray[Any]]) -> list[tuple[list[Found], float]]:
    """For each sequence `[tokens, tags]` of chances its likeliest spans, and the chance of the least sure of all its decisions (spans, and
    tokens outside of any); 1 for an empty one. Sequences of like length are decoded together."""
    made: list[tuple[list[Found], float]] = [([], 1.0)] * len(chances)
    order = sorted((n for n, one in enumerate(chances) if len(one)), key=lambda n: len(chances[n]))
    start = 0
    while start < len(order):
        longest, end = len(chances[order[start]]), start + 1
        while end < len(order) and end - start < 256 and len(chances[order[end]]) <= 1.25 * longest + 8:
            end += 1
        group = order[start:end]
        for n, one in zip(group, _together([chances[n] for n in group]), strict=True):
            made[n] = one
        start = end
    return made


def _together(chances: Sequence[NDArray[Any]]) -> list[tuple[list[Found], float]]:
    import numpy as np

    lengths = [len(one) for one in chances]
    labels = (chances[0].shape[1] - 1) // 4
    # Past its end a sequence is surely outside: that changes nothing before.
    padded = np.zeros((max(lengths), len(chances), width(labels)))
    padded[:, :, OUTSIDE] = 1.0
    for n, one in enumerate(chances):
        padded[: len(one), n] = np.maximum(one, LEAST)
    turned = padded[::-1].copy()
    b, last = slice(1, 1 + labels), slice(1 + 2 * labels, 1 + 3 * labels)
    turned[:, :, b], turned[:, :, last] = padded[::-1, :, last], padded[::-1, :, b]
    before = _free(np.concatenate([padded, turned], axis=1), labels)
    before, after = before[:, : len(chances)], before[::-1, len(chances) :]
    paths = _viterbi(padded, labels)
    logs = np.log(np.maximum(padded, 1e-300))
    found = []
    for n, length in enumerate(lengths):
        spans = spans_of(paths[:length, n], labels)
        whole = before[-1, n]
        scored, inside = [], np.zeros(length, dtype=bool)
        for first, final, label in spans:
            inside[first : final + 1] = True
            path = logs[np.arange(first, final + 1), n, paths[first : final + 1, n]].sum()
            scored.append((first, final, label, float(np.exp(min(0.0, before[first, n] + path + after[final + 1, n] - whole)))))
        outside = before[:length, n] + logs[:length, n, OUTSIDE] + after[1 : length + 1, n] - whole
        least = float(np.exp(min(0.0, outside[~inside].min(initial=0.0))))
        found.append((scored, min([least, *(one[3] for one in scored)])))
    return found


def _free(chances: NDArray[np.float64], labels: int) -> NDArray[np.float64]:
    """`[tokens + 1, sequences]`: the logarithm of the sum over all sequences of tags of the first t tokens after which no span is open."""
    import numpy as np

    tokens, count, _ = chances.shape
    made = np.zeros((tokens + 1, count))
    free, opened, scale = np.ones((count, 1)), np.zeros((count, labels)), np.zeros(count)
    outside, begin, inside, last, unit = _parts(chances, labels)
    alone = outside + unit.sum(axis=2, keepdims=True)
    for t in range(tokens):
        free, opened = free * alone[t] + (opened * last[t]).sum(axis=1, keepdims=True), free * begin[t] + opened * inside[t]
        size = free + opened.sum(axis=1, keepdims=True)
        free, opened = free / size, opened / size
        scale = scale + np.log(size[:, 0])
        made[t + 1] = scale + np.log(np.maximum(free[:, 0], 1e-300))
    return made


def _viterbi(chances: NDArray[np.float64], labels: int) -> NDArray[np.int64]:
    """The likeliest tags `[tokens, sequences]`, of those at whose end no span is open."""
    import numpy as np

    tokens, count, _ = chances.shape
    outside, begin, inside, last, unit = _parts(chances, labels)
    # The best way to have token t stand alone, and where the best span that ends at t comes from.
    best_unit, which = unit.max(axis=2), unit.argmax(axis=2)
    free: NDArray[Any] = np.ones(count)
    opened: NDArray[Any] = np.zeros((count, labels))
    closes = np.zeros((tokens, count), dtype=np.int64)
    goes_on = np.zeros((tokens, count, labels), dtype=bool)
    rows = np.arange(count)
    for t in range(tokens):
        ending = opened * last[t]
        label = ending.argmax(axis=1)
        options = np.stack([free * outside[t, :, 0], free * best_unit[t], ending[rows, label]])
        kind = options.argmax(axis=0)
        closes[t] = np.where(kind == 0, OUTSIDE, np.where(kind == 1, 1 + 3 * labels + which[t], 1 + 2 * labels + label))
        starting, going = free[:, None] * begin[t], opened * inside[t]
        goes_on[t] = going > starting
        free, opened = options.max(axis=0), np.maximum(going, starting)
        size = np.maximum(free, opened.max(axis=1))
        free, opened = free / size, opened / size[:, None]
    made = np.zeros((tokens, count), dtype=np.int64)
    within: NDArray[Any] = np.full(count, -1)
    for t in range(tokens - 1, -1, -1):
        on = goes_on[t, rows, within]
        made[t] = np.where(within < 0, closes[t], np.where(on, 1 + labels + within, 1 + within))
        ended = (within < 0) & (closes[t] > 2 * labels) & (closes[t] <= 3 * labels)
        within = np.where(within < 0, np.where(ended, closes[t] - 1 - 2 * labels, -1), np.where(on, within, -1))
    return made


def _parts(chances: NDArray[np.float64], labels: int) -> list[NDArray[np.float64]]:
    import numpy as np

    return np.split(chances, [1 + n * labels for n in range(4)], axis=2)


def spans_of(path: NDArray[np.int64], labels: int) -> list[tuple[int, int, int]]:
    """(First token, last token, label) of a sequence of tags; what it begins and does not end, or ends and did not begin, is none."""
    found, start = [], -1
    for t, tag in enumerate(path.tolist()):
        kind, label = divmod(tag - 1, labels) if tag else (-1, 0)
        if kind == 0:
            start = t
        elif kind == 2 and start >= 0:
            found.append((start, t, label))
        elif kind == 3:
            found.append((t, t, label))
    return found
