"""Agreement beyond chance, for answers that are one of a few categories.

`cohen` (Cohen 1960) for two people, `fleiss` (Fleiss 1971) for a fixed number of them, `krippendorff` (Krippendorff 2011, “Computing
Krippendorff's alpha-reliability”, nominal) for any number and with gaps. All are 1 for perfect agreement, 0 for what chance gives, None
where chance leaves nothing to measure (a single category, or nobody to compare).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence


def cohen(pairs: Sequence[tuple[Hashable, Hashable]]) -> float | None:
    """κ of two people's answers to the same items."""
    n = len(pairs)
    if not n:
        return None
    seen = sum(a == b for a, b in pairs) / n
    first, second = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    chance = sum(first[c] * second[c] for c in first) / n**2
    return None if chance == 1 else (seen - chance) / (1 - chance)


def fleiss(items: Sequence[Sequence[Hashable]]) -> float | None:
    """κ of items that each have the same number (at least two) of answers; raises ValueError when they have not."""
    if not items:
        return None
    raters = len(items[0])
    if raters < 2 or any(len(answers) != raters for answers in items):
        raise ValueError("every item needs the same number of answers, at least two")
    counts = [Counter(answers) for answers in items]
    seen = sum((sum(c * c for c in one.values()) - raters) / (raters * (raters - 1)) for one in counts) / len(items)
    shares: Counter[Hashable] = Counter()
    for one in counts:
        shares.update(one)
    chance = sum((c / (len(items) * raters)) ** 2 for c in shares.values())
    return None if chance == 1 else (seen - chance) / (1 - chance)


def krippendorff(items: Sequence[Sequence[Hashable]]) -> float | None:
    """α (nominal) of items with any number of answers; those with fewer than two say nothing."""
    pairable = [answers for answers in items if len(answers) > 1]
    weights: dict[tuple[Hashable, Hashable], float] = {}
    for answers in pairable:
        for i, a in enumerate(answers):
            for j, b in enumerate(answers):
                if i != j:
                    weights[a, b] = weights.get((a, b), 0.0) + 1 / (len(answers) - 1)
    totals: dict[Hashable, float] = {}
    for (a, _), w in weights.items():
        totals[a] = totals.get(a, 0.0) + w
    n = sum(totals.values())
    if n <= 1:
        return None
    seen = sum(w for (a, b), w in weights.items() if a != b)
    chance = sum(x * y for a, x in totals.items() for b, y in totals.items() if a != b) / (n - 1)
    return None if chance == 0 else 1 - seen / chance
