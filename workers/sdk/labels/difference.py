"""What changed between two results about one item, region by region and answer by answer.

A region is the same one when it kept its id; else the one of the same label, and then of any, that covers most of the same
(`agreement.MATCH`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from workers.sdk.labels.agreement import MATCH, alike, covered
from workers.sdk.labels.timed import places

Json = dict[str, Any]
What = Literal["added", "removed", "moved", "relabelled", "answered", "same"]
WHERE = ("x", "y", "width", "height", "rotation", "radiusX", "radiusY", "points", "vertices", "closed", "start", "end", "rle", "sequence")
"""The parts of a value that say where a region lies."""
EXACT = 6
"""Decimals to which places are compared: what JSON and other programs round."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """`before` is None for what was added, `after` for what was removed. `overlap` (0 to 1) is the intersection over union of a region
    that moved; one that was relabelled may have moved too. `answered`: another answer to the same question."""

    what: What
    control: str
    before: Json | None
    after: Json | None
    overlap: float | None = None


def difference(before: Sequence[Json], after: Sequence[Json]) -> list[Change]:
    """Changes first, in the order of the regions; what stayed the same last."""
    old, new = ([r for r in side if "from_name" in r] for side in (before, after))
    found = [_change(one, other) for one, other in _pairs(old, new)]
    found += _relations(before, after)
    return sorted(found, key=lambda change: change.what == "same")


def labels_of(region: Json | None) -> list[str]:
    """The labels of a region, or the choices of an answer; of a ranking its entries, best first."""
    if region and region["type"] == "pairwise":
        return [str(region["value"]["selected"])]
    if region and region["type"] == "ranker":
        lists = region["value"]["ranker"]
        alone = [str(id_) for ids in lists.values() for id_ in ids]
        return alone if len(lists) == 1 else [f"{name}: {', '.join(ids)}" for name, ids in lists.items()]
    value = region["value"].get("labels" if region["type"] == "videorectangle" else region["type"]) if region else None
    return [str(v) for v in value] if isinstance(value, list) else [] if value is None else [str(value)]


def _pairs(old: list[Json], new: list[Json]) -> Iterator[tuple[Json | None, Json | None]]:
    rest = list(new)
    left: list[Json] = []
    for one in old:
        # Attributes of a region have its id and another name; a question about the whole item is answered once.
        same = next((o for o in rest if _named(o) == _named(one) and (o.get("id") == one.get("id") or not _where(one))), None)
        if same is None:
            left.append(one)
        else:
            rest.remove(same)
            yield one, same
    scored = sorted(
        ((labels_of(one) == labels_of(other), score, i, j)
         for i, one in enumerate(left) for j, other in enumerate(rest)
         if _named(one) == _named(other) and _where(one) and (score := _overlap(one, other)) >= MATCH),
        key=lambda s: (not s[0], -s[1], s[2], s[3]),
    )  # fmt: skip
    gone, come = set[int](), set[int]()
    for _, _, i, j in scored:
        if i not in gone and j not in come:
            gone.add(i)
            come.add(j)
            yield left[i], rest[j]
    yield from ((one, None) for i, one in enumerate(left) if i not in gone)
    yield from ((None, other) for j, other in enumerate(rest) if j not in come)


def _named(region: Json) -> tuple[str, str]:
    return region["from_name"], region["type"]


def _where(region: Json) -> dict[str, Any]:
    page = {"item_index": region["item_index"]} if "item_index" in region else {}
    return page | {
        name: places(value, EXACT) if name == "sequence" else _rounded(value) for name, value in region["value"].items() if name in WHERE
    }


def _rounded(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_rounded(v) for v in value]
    if isinstance(value, dict):  # of a line's point what it is called is no place
        return {name: _rounded(value[name]) for name in ("x", "y") if name in value}
    return round(value, EXACT) if isinstance(value, float) else value


def _overlap(one: Json, other: Json) -> float:
    return 0.0 if "rle" in one["value"] else alike(one, other, covered(one), covered(other))


def _change(one: Json | None, other: Json | None) -> Change:
    control = (one or other or {})["from_name"]
    if one is None or other is None:
        return Change(what="added" if one is None else "removed", control=control, before=one, after=other)
    here, there = _where(one), _where(other)
    said, says = ({k: _rounded(v) for k, v in r["value"].items() if k not in WHERE and k != "text"} for r in (one, other))
    if not here and not there:
        what: What = "same" if one["value"] == other["value"] else "answered"
        return Change(what=what, control=control, before=one, after=other)
    what = "relabelled" if said != says else "moved" if here != there else "same"
    overlap = _overlap(one, other) if here != there else None
    return Change(what=what, control=control, before=one, after=other, overlap=overlap)


def _relations(before: Sequence[Json], after: Sequence[Json]) -> list[Change]:
    sides = [{_relation(r): r for r in side if r.get("type") == "relation"} for side in (before, after)]
    gone = [Change(what="removed", control="", before=r, after=None) for key, r in sides[0].items() if key not in sides[1]]
    return gone + [Change(what="added", control="", before=None, after=r) for key, r in sides[1].items() if key not in sides[0]]


def _relation(r: Json) -> tuple[Any, ...]:
    return r["from_id"], r["to_id"], r.get("direction", "right"), *sorted(r.get("labels") or [])
