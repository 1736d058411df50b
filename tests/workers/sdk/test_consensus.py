"""One truth out of several opinions: what everybody said stays as it is, who errs often counts less, and chance has no part in it."""

from __future__ import annotations

import math
import random
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.workers.sdk.test_labels import CONFIG, region
from workers.sdk.labels.agreement import agreement
from workers.sdk.labels.config import Label, LabelConfig, LabelControl, LabelObject
from workers.sdk.labels.consensus import Voice, fuse
from workers.sdk.labels.consensus.dawid_skene import dawid_skene, posterior
from workers.sdk.labels.consensus.geometry import median
from workers.sdk.labels.drift import drift
from workers.sdk.labels.results import check

Json = dict[str, Any]
GHOST = region("box", "g", x=70, y=70, width=9, height=9)
KIND = LabelConfig(
    objects=(LabelObject(name="image", tag="Image", value="image"),),
    controls=(
        LabelControl(
            name="kind",
            to="image",
            tag="Choices",
            type="choices",
            labels=tuple(Label(value=v, color="#000000") for v in ("cat", "dog", "fox")),
        ),
    ),
)


def crowd(skills: list[float], items: int, classes: int, seed: int) -> tuple[Any, Any, Any, Any]:
    """(Truth, item, annotator, said) of people who are right as often as their skill and otherwise say another class."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, items)
    item, person = (a.ravel() for a in np.meshgrid(np.arange(items), np.arange(len(skills)), indexing="ij"))
    right = rng.random(len(item)) < np.array(skills)[person]
    said = np.where(right, truth[item], (truth[item] + rng.integers(1, classes, len(item))) % classes)
    return truth, item, person, said


@pytest.mark.parametrize("seed", range(4))
def test_dawid_skene_finds_who_is_good_and_beats_the_majority(seed: int) -> None:
    skills = [0.95, 0.9, 0.45, 0.4, 0.4, 0.35]
    truth, item, person, said = crowd(skills, 600, 3, seed)
    found = dawid_skene(item, person, said, 3)
    assert found.converged
    assert found.skills == pytest.approx(skills, abs=0.07)
    votes = np.zeros((600, 3))
    np.add.at(votes, (item, said), 1)
    majority, ours = (votes.argmax(1) == truth).mean(), (found.posteriors.argmax(1) == truth).mean()
    known = np.array([np.full((3, 3), (1 - k) / 2) + (k - (1 - k) / 2) * np.eye(3) for k in skills])
    best = np.mean([posterior(np.full(3, 1 / 3), known, said[item == i]).argmax() == truth[i] for i in range(600)])
    assert ours > majority + 0.07 and ours > best - 0.03, "almost what one who knew everybody's skill could tell"
    turned = np.random.default_rng(1).permutation(len(item))
    again = dawid_skene(item[turned], person[turned], said[turned], 3)
    assert np.allclose(again.posteriors, found.posteriors, atol=1e-6), "the order of answers changes nothing"


def test_dawid_skene_is_what_the_formulas_of_the_paper_give() -> None:
    """The fixed point, cell by cell: (2.3), (2.4) and (2.5) of the paper with our smoothing, written as loops."""
    _, item, person, said = crowd([0.9, 0.7, 0.5], 40, 3, 7)
    found = dawid_skene(item, person, said, 3)
    answers = list(zip(item, person, said, strict=True))
    for a in range(3):
        for true in range(3):
            counts = [0.1 + 0.5 * (c == true) + sum(found.posteriors[i, true] for i, p, s in answers if (p, s) == (a, c)) for c in range(3)]
            assert found.confusions[a, true] == pytest.approx([n / sum(counts) for n in counts], abs=1e-3)
    for i in (0, 17):
        likely = [found.priors[t] * math.prod(found.confusions[p, t, s] for j, p, s in answers if j == i) for t in range(3)]
        assert found.posteriors[i] == pytest.approx([n / sum(likely) for n in likely], abs=1e-3)
        alone = posterior(found.priors, found.confusions, np.array([s for j, _, s in answers if j == i]))
        assert alone == pytest.approx(found.posteriors[i], abs=1e-3), "one item by itself is told as with all others"


RESULTS = st.fixed_dictionaries(
    {},
    optional={
        "box": st.lists(st.tuples(*[st.floats(0, 40)] * 2, *[st.floats(2, 50)] * 2, st.sampled_from(["Car", "Bus"])), max_size=3),
        "oval": st.lists(st.tuples(*[st.floats(20, 80)] * 2, *[st.floats(1, 20)] * 2, st.floats(-180, 180)), max_size=2),
        "kinds": st.sets(st.sampled_from(["Car", "Bus"]), min_size=1),
        "stars": st.integers(1, 5),
        "age": st.floats(0, 10),
        "note": st.sampled_from(["a", "some words", "some other words"]),
        "span": st.lists(st.tuples(st.integers(0, 6), st.integers(1, 6)), max_size=2),
    },
)


def result(said: Json, tag: str) -> list[Json]:
    found: list[Json] = []
    for n, (x, y, w, h, label) in enumerate(said.get("box", [])):
        found.append(region("box", f"{tag}b{n}", x=x, y=y, width=w, height=h, rotation=0, rectanglelabels=[label]))
    for n, (x, y, a, b, turn) in enumerate(said.get("oval", [])):
        found.append(region("oval", f"{tag}o{n}", x=x, y=y, radiusX=a, radiusY=b, rotation=turn))
    for n, (start, length) in enumerate(said.get("span", [])):
        found.append(region("span", f"{tag}s{n}", start=start, end=start + length, text="naïve 👍 text"[start : start + length]))
    if "kinds" in said:
        found.append(region("kinds", f"{tag}k", choices=sorted(said["kinds"])))
    for name, key in (("stars", "rating"), ("age", "number")):
        if name in said:
            found.append(region(name, f"{tag}{name}", **{key: said[name]}))
    if "note" in said:
        found.append(region("note", f"{tag}n", text=[said["note"]]))
    return found


@settings(deadline=None, max_examples=80)
@given(RESULTS, st.integers(1, 4))
def test_what_everybody_said_is_what_comes_out(said: Json, people: int) -> None:
    fused = fuse(CONFIG, [Voice(result=result(said, f"p{n}")) for n in range(people)])
    assert fused.support == pytest.approx(1)
    assert agreement(CONFIG, fused.result, result(said, "x")) == pytest.approx(1)
    assert sorted(str(r["value"]) for r in fused.result if r["type"] == "rectanglelabels") == sorted(
        str(r["value"]) for r in result(said, "x") if r["type"] == "rectanglelabels"
    ), "to the last digit"


@settings(deadline=None, max_examples=80)
@given(st.lists(RESULTS, min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_annotators_changes_nothing_and_the_result_fits_the_schema(said: list[Json], rng: random.Random) -> None:
    voices = [Voice(result=result(one, f"p{n}"), weights={c.name: 0.5 + n for c in CONFIG.controls}) for n, one in enumerate(said)]
    first = fuse(CONFIG, voices)
    rng.shuffle(voices)
    assert fuse(CONFIG, voices) == first
    assert check(CONFIG, first.result, {}, complete=False)[1] == []
    assert 0 <= first.support <= 1 + 1e-9


def test_boxes_are_fused_by_cluster_and_one_who_saw_a_ghost_is_outvoted() -> None:
    said = [
        [region("box", "a", x=10, y=10, width=20, height=20), region("hidden", "a", choices=["Car"])],
        [region("box", "a", x=12, y=10, width=20, height=20), region("hidden", "a", choices=["Bus"]), GHOST],
        [region("box", "b", x=11, y=12, width=20, height=20), region("hidden", "b", choices=["Bus"])],
    ]  # fmt: skip
    fused = fuse(CONFIG, [Voice(result=r) for r in said])
    (box, attribute) = fused.result
    assert {k: box["value"][k] for k in ("x", "y", "width", "height")} == {"x": 11, "y": 10, "width": 20, "height": 20}
    assert attribute["id"] == box["id"] and attribute["value"] == {"choices": ["Bus"]}
    assert fused.support == pytest.approx((1 + 2 / 3 + 1) / 3)
    apart = [Voice(result=[region("box", x=30 * n, y=0, width=20, height=20)]) for n in range(3)]
    assert (fuse(CONFIG, apart).result, fuse(CONFIG, apart).support) == ([], 0), "three who each saw something else agree on nothing"
    heavy = [Voice(result=said[1], weights={"box": 5.0}), *(Voice(result=r) for r in (said[0], said[2]))]
    assert sum(r["type"] == "rectanglelabels" for r in fuse(CONFIG, heavy).result) == 2, "who is known to see well is believed"


def test_turned_boxes_spans_polygons_and_points_are_fused_as_what_they_are() -> None:
    def one(*regions: Json) -> Json:
        fused = fuse(CONFIG, [Voice(result=[r]) for r in regions])
        assert len(fused.result) == 1 and fused.support == pytest.approx(1)
        value: Json = fused.result[0]["value"]
        return value

    def turned(**value: float) -> Json:
        return {**region("box", **value), "original_width": 200, "original_height": 100}

    # The same box in two descriptions (turned by 90 degrees with its sides swapped), and one a little off.
    told = one(turned(x=40, y=40, width=20, height=20, rotation=0), turned(x=60, y=40, width=10, height=40, rotation=90),
               turned(x=40, y=41, width=20, height=20, rotation=2))  # fmt: skip
    assert {k: told[k] for k in ("x", "y", "width", "height", "rotation")} == pytest.approx(
        {"x": 40, "y": 40, "width": 20, "height": 20, "rotation": 0}, abs=0.6
    )
    span = one(
        region("span", start=4, end=12, text="hinter d"),
        region("span", start=5, end=14, text="inter der"),
        region("span", start=5, end=13, text="inter de"),
    )
    assert (span["start"], span["end"], span["text"]) == (5, 13, "inter de")
    assert one(*(region("dot", x=50 + n, y=50, width=1) for n in (0, 1, 0.4)))["x"] == 50.4
    shapes = [[[0, 0], [20, 0], [20, 20], [0, 20]], [[0, 0], [21, 0], [21, 20], [0, 20]], [[0, 0], [24, 0], [24, 20], [0, 20]]]
    assert one(*(region("shape", points=p) for p in shapes))["points"] == shapes[1], "the one most like the others"


def test_a_single_choice_goes_to_the_skilled_when_their_confusions_are_known() -> None:
    def voice(answer: str, right: float) -> Voice:
        matrix = np.full((3, 3), (1 - right) / 2) + (right - (1 - right) / 2) * np.eye(3)
        return Voice(
            result=[{"id": answer, "from_name": "kind", "to_name": "image", "type": "choices", "value": {"choices": [answer]}}],
            confusions={"kind": matrix},
        )

    priors = {"kind": np.full(3, 1 / 3)}
    voices = [voice("cat", 0.98), voice("dog", 0.4), voice("dog", 0.4)]
    plain = fuse(KIND, voices)
    assert (plain.result[0]["value"], plain.support) == ({"choices": ["dog"]}, pytest.approx(2 / 3))
    skilled = fuse(KIND, voices, priors=priors)
    assert skilled.result[0]["value"] == {"choices": ["cat"]} and skilled.support > 0.95
    assert fuse(KIND, [voice("cat", 0.6), voice("dog", 0.6)], priors=priors).support == pytest.approx(0.5, abs=0.1)


@given(st.lists(st.tuples(st.floats(-100, 100), st.floats(0.1, 5)), min_size=1, max_size=9))
def test_a_median_has_half_of_the_weight_on_each_side(pairs: list[tuple[float, float]]) -> None:
    values, weights = zip(*pairs, strict=True)
    found = median(values, weights)
    assert sum(w for v, w in pairs if v < found) <= sum(weights) / 2 + 1e-6
    assert sum(w for v, w in pairs if v > found) <= sum(weights) / 2 + 1e-6
    lower = median(values, weights, between=False)
    assert lower in values and all(a <= b for a, b in pairwise([min(values), lower, found, max(values)]))


def test_drift_is_told_when_it_is_more_than_chance_and_never_of_a_few() -> None:
    rng = random.Random(3)
    steady = [rng.random() < 0.9 for _ in range(200)]
    worse = [*steady, *(rng.random() < 0.5 for _ in range(30))]
    assert (found := drift(worse)) is not None and found.worse and found.now < 0.75 < found.before
    assert drift(steady) is not None and drift(worse[:59]) is None
    alarms = sum(d.worse for _ in range(400) if (d := drift([rng.random() < 0.85 for _ in range(120)])))
    assert alarms <= 8, "people who do not change are left alone"
