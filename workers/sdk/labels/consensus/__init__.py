"""One result from what several annotators said of an item.

Single choices: the heaviest, or, where each annotator's confusion matrix is known, the most probable (`dawid_skene.posterior`). Several
choices, relations and regions: what annotators with at least `KEEP` of the weight said, regions by cluster (`regions`) with a fused
shape (`geometry`). Ratings and numbers: the weighted median that somebody said. Texts: the one most like the others. Pairs: the
heavier side; rankings: Borda's count. Attributes of a
region are decided among those who marked it. `Fused.support` is the mean agreement of the annotators with the result, by weight (of a
single choice with known confusions its probability), on the control where it is lowest: a person should look where it is low. The order
of annotators changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workers.sdk.labels import preferences, skeleton
from workers.sdk.labels.agreement import alike, covered, of_control, same_text
from workers.sdk.labels.config import LabelConfig, LabelControl
from workers.sdk.labels.consensus.geometry import median
from workers.sdk.labels.consensus.regions import Cluster, clusters

if TYPE_CHECKING:
    from workers.sdk.labels.consensus.dawid_skene import Floats

Json = dict[str, Any]
KEEP = 0.5
"""Share of the weight from which a region, a relation or one of several choices is kept."""
NOTHING = ""


@dataclass(frozen=True, kw_only=True)
class Voice:
    """What one annotator said. `weights` by control (1 where absent); `confusions` of single choices: true × said, in their order."""

    result: Sequence[Json]
    weights: Mapping[str, float] = field(default_factory=dict)
    confusions: Mapping[str, Floats] = field(default_factory=dict)

    def says(self, control: LabelControl) -> list[Json]:
        return [r for r in self.result if r.get("from_name") == control.name]

    def weight(self, control: LabelControl) -> float:
        return self.weights.get(control.name, 1.0)


@dataclass(frozen=True, kw_only=True)
class Fused:
    """`support` is 0 to 1; `controls` says it for each control that somebody answered."""

    result: list[Json]
    support: float
    controls: dict[str, float]


def fuse(config: LabelConfig, voices: Sequence[Voice], *, keep: float = KEEP, priors: Mapping[str, Floats] | None = None) -> Fused:
    """`priors`: how common the labels of each single choice are, for those whose annotators' confusions are known. Raises ValueError
    for no voice."""
    if not voices:
        raise ValueError("nobody said anything")
    voices = sorted(voices, key=lambda v: _canonical([v.result, dict(v.weights)]))
    result: list[Json] = []
    support: dict[str, float] = {}
    new_ids: dict[tuple[int, str], str] = {}
    for control in (c for c in config.controls if not c.per_region and any(v.says(c) for v in voices)):
        weights = [v.weight(control) for v in voices]
        certain: float | None = None
        if control.makes_regions:
            found = _regions(config, control, voices, weights, keep, new_ids)
        elif control.type == "choices" and not control.multiple:
            found, certain = _choice(control, voices, weights, (priors or {}).get(control.name))
        else:
            found = _answer(control, [(v.says(control), w) for v, w in zip(voices, weights, strict=True)], keep)
        said = [of_control(control, found, v.result) for v in voices]
        agreed = sum(w * (1.0 if s is None else s) for w, s in zip(weights, said, strict=True)) / sum(weights)
        support[control.name] = agreed if certain is None else certain
        result += found
    result += _relations(voices, new_ids, keep)
    return Fused(result=result, support=min(support.values(), default=1.0), controls=support)


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def _said(control: LabelControl, value: Json, id_: str = "") -> Json:
    known = id_ or hashlib.sha256(_canonical([control.name, value]).encode()).hexdigest()[:12]
    return {"id": known, "from_name": control.name, "to_name": control.to_name, "type": control.type, "value": value}


def _choice(
    control: LabelControl, voices: Sequence[Voice], weights: Sequence[float], priors: Floats | None
) -> tuple[list[Json], float | None]:
    """(The answer, its probability where it was computed)."""
    order = [label.value for label in control.labels]
    answers = [r[0]["value"]["choices"][0] if (r := v.says(control)) else NOTHING for v in voices]
    votes: dict[str, float] = defaultdict(float)
    for answer, weight in zip(answers, weights, strict=True):
        votes[answer] += weight
    if votes.get(NOTHING, 0.0) > sum(votes.values()) / 2:
        return [], None
    known = [
        (v.confusions[control.name], order.index(a))
        for v, a in zip(voices, answers, strict=True)
        if control.name in v.confusions and a in order
    ]
    if (
        priors is not None
        and len(priors) == len(order)
        and len(known) == sum(a != NOTHING for a in answers)
        and all(len(c) == len(order) for c, _ in known)
    ):
        import numpy as np  # here: most schemas fuse without it

        from workers.sdk.labels.consensus.dawid_skene import posterior

        classes = posterior(priors, np.stack([c for c, _ in known]), np.array([a for _, a in known]))
        best = int(classes.argmax())
        return [_said(control, {"choices": [order[best]]})], float(classes[best])
    votes.pop(NOTHING, None)
    chosen = min(votes, key=lambda a: (-votes[a], order.index(a) if a in order else len(order), a))
    return [_said(control, {"choices": [chosen]})], None


def _answer(control: LabelControl, said: Sequence[tuple[list[Json], float]], keep: float, id_: str = "") -> list[Json]:
    """Of a control that is answered once: for an item, or (with its `id_`) for a region."""
    everybody = sum(weight for _, weight in said)
    given = [(regions[0]["value"], weight) for regions, weight in said if regions]
    if not given or sum(w for _, w in given) < everybody / 2 - 1e-9:
        return []
    values, weights = [v for v, _ in given], [w for _, w in given]
    if control.type == "choices":
        votes: dict[str, float] = defaultdict(float)
        for value, weight in given:
            for choice in value["choices"]:
                votes[choice] += weight
        order = {label.value: n for n, label in enumerate(control.labels)}
        ranked = sorted(votes, key=lambda c: (order.get(c, len(order)), c))
        chosen = [c for c in ranked if votes[c] >= keep * everybody - 1e-9] if control.multiple else [max(ranked, key=votes.__getitem__)]
        return [_said(control, {"choices": chosen}, id_)] if chosen else []
    if control.type in ("rating", "number"):
        return [_said(control, {control.type: median([v[control.type] for v in values], weights, between=False)}, id_)]
    if control.type == "pairwise":
        heavy = {side: sum(w for v, w in given if v["selected"] == side) for side in preferences.SIDES}
        return [_said(control, {"selected": max(preferences.SIDES, key=heavy.__getitem__)}, id_)]
    if control.type == "ranker":
        return [_said(control, preferences.borda(control, [(v["ranker"], w) for v, w in given]), id_)]
    likeness = [sum(w * same_text(a, b) for b, w in given) for a in values]
    return [_said(control, values[max(range(len(values)), key=lambda n: (likeness[n], -n))], id_)]


def _regions(
    config: LabelConfig,
    control: LabelControl,
    voices: Sequence[Voice],
    weights: Sequence[float],
    keep: float,
    new_ids: dict[tuple[int, str], str],
) -> list[Json]:
    """The regions of a control with their attributes; `new_ids` learns which region each (annotator, id) went into."""
    kept: list[Cluster] = []
    ids: list[str] = []
    result: list[Json] = []
    attributes = [c for c in config.controls if c.per_region and c.to == control.to]
    for cluster in clusters(control, [v.says(control) for v in voices], weights):
        if cluster.weight < keep * sum(weights) - 1e-9 or any(_again(control, cluster, other) for other in kept):
            continue
        kept.append(cluster)
        ids.append(id_ := hashlib.sha256(_canonical([control.name, len(kept), cluster.value]).encode()).hexdigest()[:12])
        sizes: Json = {
            k: cluster.middle[k]
            for k in ("original_width", "original_height", "image_rotation", "original_length", "item_index")
            if k in cluster.middle
        }
        result.append({**_said(control, cluster.value, id_), **sizes})
        new_ids.update({(person, region["id"]): id_ for person, region in cluster.members})
        for attribute in attributes:
            among = [([r for r in voices[person].says(attribute) if r.get("id") == region["id"]], voices[person].weight(attribute))
                     for person, region in cluster.members]  # fmt: skip
            result += _answer(attribute, among, keep, id_)
    if control.skeleton:
        return _instances(control, result, dict(zip(ids, kept, strict=True)), new_ids)
    return result


def _instances(
    control: LabelControl, result: list[Json], kept: Mapping[str, Cluster], new_ids: Mapping[tuple[int, str], str]
) -> list[Json]:
    """Fused key points are put together as most of those who marked both put them."""
    points = [one for one in result if one["from_name"] == control.name]
    together: dict[tuple[str, str], set[int]] = defaultdict(set)
    roots = {one["id"]: {person: skeleton.root(region) for person, region in kept[one["id"]].members} for one in points}
    for one in points:
        for person, parent in roots[one["id"]].items():
            if (new := new_ids.get((person, parent))) and new != one["id"]:
                together[one["id"], new].add(person)
    said = [
        [
            other
            for (name, other), people in together.items()
            if name == one["id"] and 2 * len(people) >= len(roots[name].keys() & roots[other].keys())
        ]
        for one in points
    ]
    regrouped = {one["id"]: one for one in skeleton.regrouped(points, said)}
    return [regrouped[one["id"]] if one["from_name"] == control.name else one for one in result]


def _again(control: LabelControl, cluster: Cluster, other: Cluster) -> bool:
    """Whether a cluster is of the same thing as one that is kept, and of other people: two halves of a crowd differ on its edge."""
    if {p for p, _ in cluster.members} & {p for p, _ in other.members}:
        return False
    if set(cluster.value.get(control.label_key, ())) != set(other.value.get(control.label_key, ())):
        return False
    one, two = ({**c.middle, "value": c.value} for c in (cluster, other))
    return alike(one, two, covered(one), covered(two)) > 0.25


def _relations(voices: Sequence[Voice], new_ids: Mapping[tuple[int, str], str], keep: float) -> list[Json]:
    found: dict[str, tuple[Json, set[int]]] = {}
    for person, voice in enumerate(voices):
        for one in voice.result:
            ends = [new_ids.get((person, one.get(end, ""))) for end in ("from_id", "to_id")]
            if one.get("type") == "relation" and all(ends):
                relation = {**one, "from_id": ends[0], "to_id": ends[1]}
                found.setdefault(_canonical(relation), (relation, set()))[1].add(person)
    return [relation for _, (relation, people) in sorted(found.items()) if len(people) >= keep * len(voices) - 1e-9]
