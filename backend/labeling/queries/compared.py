"""What people said of the same items, beside each other: agreement by control, label, pair and person, and who takes what for what.

Of complete items that several people labelled, all of them in one pass; honeypots are no part of it (an answer beyond an item's places is
compared with the known one only). Regions are matched label by label first, then whatever covers the same; a region without a partner was
answered with nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations, groupby
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import F

from backend.labeling.models import Annotation, LabelSchema
from workers.sdk.labels.agreement import matches, of_control
from workers.sdk.labels.config import LabelConfig, LabelControl
from workers.sdk.labels.difference import labels_of
from workers.sdk.labels.reliability import cohen, fleiss, krippendorff

if TYPE_CHECKING:
    from workers.sdk.labels.consensus.dawid_skene import Estimate

Json = dict[str, Any]
Said = tuple[UUID, list[Json]]
NOTHING = ""
SHRUNK, EXPECTED = 5, 0.7
"""A weight is a person's mean agreement with others, as if they had `SHRUNK` more comparisons of `EXPECTED`."""
FLOOR = 0.05


def said_of_items(schema: LabelSchema) -> Iterator[tuple[int, list[Said]]]:
    """(Item, [(author, result)]) of each complete item with several annotations that were not rejected; read in batches."""
    rows = (
        Annotation.objects.filter(
            schema=schema,
            item__removed=False,
            item__wanted__gt=1,
            item__done__gte=F("item__wanted"),
            how="",
            honeypot=False,
            author__isnull=False,
        )
        .exclude(status="rejected")
        .order_by("item_id", "author_id")
        .values_list("item_id", "author_id", "result")
    )
    for item, group in groupby(rows.iterator(chunk_size=2000), key=lambda r: r[0]):
        said = [(author, result) for _, author, result in group]
        if len(said) > 1:
            yield item, said


@dataclass(kw_only=True)
class Compared:
    """Sums over pairs of people at each item. `differing` are rows of `Disagreement`, without the schema."""

    config: LabelConfig
    items: int = 0
    scores: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    pairs: dict[tuple[UUID, UUID], list[float]] = field(default_factory=lambda: defaultdict(list))
    people: dict[tuple[UUID, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    said: Counter[tuple[str, str]] = field(default_factory=Counter)
    both: Counter[tuple[str, str]] = field(default_factory=Counter)
    confused: Counter[tuple[str, UUID, str, str]] = field(default_factory=Counter)
    """(Control, person, what they said, what the other said)."""
    answers: dict[str, list[dict[UUID, str]]] = field(default_factory=lambda: defaultdict(list))
    differing: list[tuple[int, str, UUID, UUID, str, str, float]] = field(default_factory=list)

    def add(self, item: int, said: list[Said]) -> None:
        self.items += 1
        parts = {
            c.name: [[r for r in result if r.get("from_name") == c.name] for _, result in said]
            for c in self.config.controls
            if not c.per_region
        }
        for control in self.config.controls:
            if _is_category(control):
                self.answers[control.name].append({a: labels_of(r[0])[0] for (a, _), r in zip(said, parts[control.name], strict=True) if r})
        for (i, (one, _)), (j, (other, _)) in combinations(enumerate(said), 2):
            found = []
            for control in self.config.controls:
                if control.per_region:
                    continue
                a, b = parts[control.name][i], parts[control.name][j]
                score = of_control(control, a, b)
                if score is None:
                    continue
                found.append(score)
                self.scores[control.name].append(score)
                self.people[one, control.name].append(score)
                self.people[other, control.name].append(score)
                for left, right in _labels(control, a, b):
                    self._label(control.name, one, other, left, right)
                    if left != right:
                        self.differing.append((item, control.name, one, other, left, right, score))
                if not control.labels and not _is_category(control) and score < 1:
                    self.differing.append((item, control.name, one, other, NOTHING, NOTHING, score))
            self.pairs[one, other].append(sum(found) / len(found) if found else 1.0)

    def _label(self, control: str, one: UUID, other: UUID, left: str, right: str) -> None:
        for label in (left, right):
            if label != NOTHING:
                self.said[control, label] += 1
                self.both[control, label] += left == right
        self.confused[control, one, left, right] += 1
        self.confused[control, other, right, left] += 1

    def weight(self, person: UUID, control: str) -> float:
        scores = self.people.get((person, control), [])
        return max((sum(scores) + SHRUNK * EXPECTED) / (len(scores) + SHRUNK), FLOOR)

    def skills(self) -> dict[str, tuple[list[UUID], Estimate]]:
        """By single choice: its annotators and what Dawid and Skene's method says of them, in the order of the control's labels."""
        import numpy as np  # here: whoever only compares needs none

        from workers.sdk.labels.consensus.dawid_skene import dawid_skene

        found = {}
        for name, items in self.answers.items():
            control = self.config.control(name)
            order = {label.value: n for n, label in enumerate(control.labels)} if control else {}
            crowd = {person: n for n, person in enumerate(sorted({p for answers in items for p in answers}))}
            rows = [(i, crowd[p], order[said]) for i, answers in enumerate(items) for p, said in answers.items() if said in order]
            if rows:
                item, person, said = np.array(rows, dtype=np.int64).T
                known = np.unique(item, return_inverse=True)[1]
                found[name] = (list(crowd), dawid_skene(known, person, said, len(order)))
        return found

    def figures(self) -> Json:
        """JSON: `items agreement controls labels pairs confusions`."""
        everything = [score for scores in self.pairs.values() for score in scores]
        return {
            "items": self.items,
            "agreement": _mean(everything),
            "controls": [self._control(c) for c in self.config.controls if not c.per_region],
            "labels": [
                {"control": control, "label": label, "said": n, "agreement": self.both[control, label] / n}
                for (control, label), n in sorted(self.said.items())
            ],
            "pairs": [
                {"one": str(one), "other": str(other), "items": len(scores), "agreement": _mean(scores), "kappa": self._kappa(one, other)}
                for (one, other), scores in sorted(self.pairs.items(), key=lambda p: -len(p[1]))
            ],
            "confusions": [
                {"control": control, "person": str(person), "said": left, "other": right, "count": n}
                for (control, person, left, right), n in sorted(self.confused.items())
            ],
        }

    def _control(self, control: LabelControl) -> Json:
        answers = [list(a.values()) for a in self.answers.get(control.name, [])]
        same = {len(a) for a in answers} if answers else set()
        return {
            "control": control.name, "type": control.type, "agreement": _mean(self.scores[control.name]),
            "pairs": len(self.scores[control.name]), "alpha": krippendorff(answers),
            "fleiss": fleiss(answers) if len(same) == 1 and min(same) > 1 else None,
        }  # fmt: skip

    def _kappa(self, one: UUID, other: UUID) -> dict[str, float | None]:
        return {name: cohen(pairs) for name in self.answers if (pairs := self._between.get((one, other, name)))}

    @cached_property
    def _between(self) -> dict[tuple[UUID, UUID, str], list[tuple[str, str]]]:
        """{(one, other, control): their answers to the same items}."""
        found: dict[tuple[UUID, UUID, str], list[tuple[str, str]]] = defaultdict(list)
        for name, items in self.answers.items():
            for answers in items:
                for one, other in combinations(sorted(answers), 2):
                    found[one, other, name].append((answers[one], answers[other]))
        return found


def compare(schema: LabelSchema, config: LabelConfig) -> Compared:
    found = Compared(config=config)
    for item, said in said_of_items(schema):
        found.add(item, said)
    return found


def _is_category(control: LabelControl) -> bool:
    """One answer of a few to the whole item."""
    return not control.per_region and (control.type == "pairwise" or (control.type == "choices" and not control.multiple))


def _labels(control: LabelControl, one: list[Json], other: list[Json]) -> list[tuple[str, str]]:
    """What each of two people calls the same thing, `NOTHING` where one of them has none."""
    if control.type == "pairwise":
        first, second = (next(iter(labels_of(side[0])), NOTHING) if side else NOTHING for side in (one, other))
        return [(first, second)]
    if control.type == "choices":
        a, b = ({c for r in side for c in r["value"]["choices"]} for side in (one, other))
        if not control.multiple:
            return [(next(iter(a), NOTHING), next(iter(b), NOTHING))]
        return [(c if c in a else NOTHING, c if c in b else NOTHING) for c in sorted(a | b)]
    if not control.makes_regions or not control.labels:
        return []
    called = [[", ".join(sorted(r["value"].get(control.label_key, ()))) for r in side] for side in (one, other)]
    pairs = {(i, j) for i, j, _ in matches(control, one, other)}
    left = [i for i in range(len(one)) if i not in {i for i, _ in pairs}]
    right = [j for j in range(len(other)) if j not in {j for _, j in pairs}]
    more = matches(control, [one[i] for i in left], [other[j] for j in right], same_label=False)
    pairs |= {(left[i], right[j]) for i, j, _ in more}
    alone = [(called[0][i], NOTHING) for i in range(len(one)) if i not in {i for i, _ in pairs}]
    alone += [(NOTHING, called[1][j]) for j in range(len(other)) if j not in {j for _, j in pairs}]
    return [*((called[0][i], called[1][j]) for i, j in sorted(pairs)), *alone]


def _mean(scores: list[float]) -> float | None:
    return sum(scores) / len(scores) if scores else None
