"""Which regions of several annotators mark the same thing.

Pairs of regions with the same labels, best overlap first, grow into clusters with at most one region of each annotator; two clusters join
when their regions overlap by `agreement.MATCH` on average, so that a chain of neighbours does not become one thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from workers.sdk.labels.agreement import MATCH, alike, covered
from workers.sdk.labels.config import LabelControl
from workers.sdk.labels.consensus.geometry import fused

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """`members` are (place of the annotator, region); `weight` is theirs in all; `value` the fused region's, with its labels."""

    members: tuple[tuple[int, Json], ...]
    weight: float
    value: Json
    middle: Json


def clusters(control: LabelControl, said: Sequence[Sequence[Json]], weights: Sequence[float]) -> list[Cluster]:
    """Those of one control, the best supported first. `said` holds the regions of each annotator, `weights` how much each counts."""
    flat = [(person, region) for person, regions in enumerate(said) for region in regions]
    shapes = [covered(region) for _, region in flat]
    labels = [frozenset(region["value"].get(control.label_key, ())) for _, region in flat]
    close: dict[tuple[int, int], float] = {}
    for i, j in combinations(range(len(flat)), 2):
        if flat[i][0] != flat[j][0] and labels[i] == labels[j] and (score := alike(flat[i][1], flat[j][1], shapes[i], shapes[j])):
            close[i, j] = close[j, i] = score
    groups = {n: [n] for n in range(len(flat))}
    within = list(range(len(flat)))
    for score, i, j in sorted(((s, i, j) for (i, j), s in close.items() if i < j), key=lambda p: (-p[0], p[1], p[2])):
        if score < MATCH:
            break
        one, other = within[i], within[j]
        if one == other or {flat[n][0] for n in groups[one]} & {flat[n][0] for n in groups[other]}:
            continue
        across = [close.get((a, b), 0.0) for a in groups[one] for b in groups[other]]
        if sum(across) / len(across) >= MATCH:
            for n in groups.pop(other):
                groups[one].append(n)
                within[n] = one
    found = [_cluster(control, [flat[n] for n in group], [[close.get((a, b), 0.0) for b in group] for a in group], weights)
             for group in groups.values()]  # fmt: skip
    return sorted(found, key=lambda c: -c.weight)


def _cluster(control: LabelControl, members: list[tuple[int, Json]], close: list[list[float]], weights: Sequence[float]) -> Cluster:
    counts = [weights[person] for person, _ in members]
    likeness = [sum(w * s for w, s in zip(counts, row, strict=True)) for row in close]
    middle = max(range(len(members)), key=lambda n: (likeness[n], -n))
    known = members[middle][1]
    value = fused([region for _, region in members], counts, middle)
    if control.label_key in known["value"]:
        value[control.label_key] = known["value"][control.label_key]
    return Cluster(members=tuple(members), weight=sum(counts), value=value, middle=known)
