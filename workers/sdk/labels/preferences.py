"""Which of two is better, and in what order several are: what fits, how far two people agree, and what several people say together.

A pair is Label Studio's `{"selected": "left"}`. A ranking is its `{"ranker": {name: [ids]}}`: of a Ranker without buckets one list under
the control's own name, best first; with buckets a list for each, and under `_` what lies in none of them.

Agreement on a ranking is the share of pairs of entries that both put in the same order, (τ + 1) / 2 of Kendall's τ (Kendall 1938, “A new
measure of rank correlation”); with buckets, the share of entries that both put in the same bucket. Several rankings become one by
Borda's count: an entry gets as many points as there are entries behind it, by weight (de Borda 1781); it lies in the bucket where most
of the weight put it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from workers.sdk.labels.config import LabelControl
from workers.sdk.labels.misfit import Misfit

Json = dict[str, Any]
Ranking = Mapping[str, Sequence[str]]
SIDES = ("left", "right")
REST = "_"
"""What Label Studio calls the entries that were put into no bucket."""


def pair(control: LabelControl, value: Json) -> Json:
    """A pair's value as it is kept; raises Misfit."""
    if value.get("selected") not in SIDES:
        raise Misfit("value.selected", f"“{str(value.get('selected'))[:40]}” is no side.", "left or right")
    return {"selected": value["selected"]}


def columns(control: LabelControl) -> list[str]:
    """The lists of a ranking, in their order."""
    if not control.buckets:
        return [control.name]
    names = [bucket.name for bucket in control.buckets]
    return names if any(bucket.default for bucket in control.buckets) else [REST, *names]


def ranking(control: LabelControl, value: Json, entries: Sequence[Json] | None) -> Json:
    """A ranking's value as it is kept. `entries`: the item's, where they are known; each lies in one list. Raises Misfit."""
    lists, known = value.get("ranker"), columns(control)
    if not isinstance(lists, dict):
        raise Misfit("value.ranker", "A ranking is an object of lists.", f'{{"{known[-1]}": ["id", …]}}')
    seen: set[str] = set()
    for name, ids in lists.items():
        if name not in known:
            raise Misfit(f"value.ranker.{name[:80]}", f"“{control.name}” has no list “{name[:80]}”.", "one of " + ", ".join(known))
        if not isinstance(ids, list) or not all(isinstance(id_, str) for id_ in ids):
            raise Misfit(f"value.ranker.{name}", "A list holds the ids of entries.", '["id", …]')
        for n, id_ in enumerate(ids):
            if id_ in seen:
                raise Misfit(f"value.ranker.{name}.{n}", f"“{id_[:80]}” is there twice.", "every entry once")
            seen.add(id_)
    if entries is not None:
        there = [one["id"] for one in entries]
        for name, ids in lists.items():
            for n, id_ in enumerate(ids):
                if id_ not in there:
                    raise Misfit(f"value.ranker.{name}.{n}", f"The item has no entry “{id_[:80]}”.", "one of " + ", ".join(there[:20]))
        missing = [id_ for id_ in there if id_ not in seen]
        if missing and REST not in known:
            raise Misfit("value.ranker", f"The ranking leaves out “{missing[0][:80]}”.", f"all {len(there)} entries")
    if not seen:
        raise Misfit("value.ranker", "The ranking is empty.", "the ids of the entries")
    return {"ranker": {name: list(lists.get(name, ())) for name in known if name in lists or not control.buckets}}


def same_order(control: LabelControl, one: Ranking, other: Ranking) -> float:
    """How far two rankings say the same, 0 to 1, of the entries that both have."""
    a, b = _places(control, one), _places(control, other)
    both = sorted(a.keys() & b.keys())
    if not both or len(both) < len(a.keys() | b.keys()) / 2:
        return 0.0
    if control.buckets:
        return sum(a[id_][0] == b[id_][0] for id_ in both) / len(both)
    pairs = list(combinations(both, 2))
    return sum((a[i] < a[j]) == (b[i] < b[j]) for i, j in pairs) / len(pairs) if pairs else 1.0


def borda(control: LabelControl, said: Sequence[tuple[Ranking, float]]) -> Json:
    """The value of one ranking from those of several people with their weights; ties are broken by the ids."""
    points: dict[str, float] = defaultdict(float)
    votes: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for one, weight in said:
        for name in columns(control):
            ids = one.get(name, ())
            for n, id_ in enumerate(ids):
                points[id_] += weight * (len(ids) - 1 - n)
                votes[id_][name] += weight
    found: dict[str, list[str]] = {name: [] for name in columns(control)}
    for id_ in sorted(points, key=lambda i: (-points[i], i)):
        found[max(columns(control), key=lambda name: votes[id_][name])].append(id_)
    return {"ranker": found}


def better(control: LabelControl, one: Ranking) -> Iterator[tuple[str, str]]:
    """(The better, the worse) of all pairs that a ranking puts in an order: by place, or by bucket in the order of the schema."""
    order = [[id_] for id_ in one.get(control.name, ())]
    if control.buckets:
        order = [list(one.get(bucket.name, ())) for bucket in control.buckets]
    for high, low in combinations(order, 2):
        yield from ((good, bad) for good in high for bad in low)


def _places(control: LabelControl, one: Ranking) -> dict[str, tuple[int, int]]:
    """(Place of its list, place in it) of every entry."""
    return {id_: (at, n) for at, name in enumerate(columns(control)) for n, id_ in enumerate(one.get(name, ()))}
