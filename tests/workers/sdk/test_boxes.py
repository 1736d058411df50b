"""Places to boxes, boxes to a measure by COCO's definition (worked out by hand), and boxes of people and models to and from regions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.scenes import region
from workers.sdk import boxes, precision
from workers.sdk.labels import boxes as drawn_by


def places(*rows: tuple[float, ...]) -> Any:
    return np.array([rows], dtype=np.float32)


def test_of_places_that_see_one_thing_the_surest_is_told_and_neighbours_stay() -> None:
    cells = places(
        (0.1, 0.1, 0.3, 0.3, 0.9, 0.0),
        (0.11, 0.1, 0.31, 0.3, 0.8, 0.2),  # the same thing again, and a doubt about its label
        (0.5, 0.5, 0.9, 0.9, 0.2, 0.7),
        (0.5, 0.5, 0.7, 0.9, 0.6, 0.0),  # over it by half, another label: another thing
        (0.2, 0.1, 0.4, 0.3, 0.5, 0.0),  # overlaps the first by a third
        (0.8, -0.2, 1.3, 0.1, 0.4, 0.0),  # beyond the edge
        (0.4, 0.4, 0.4, 0.6, 0.9, 0.9),  # no width
        (0.0, 0.0, 0.1, 0.1, 0.01, 0.04),  # below the floor
    )
    found = boxes.found(cells)
    assert found.shape == (1, boxes.MOST, 6)
    there = found[0][found[0][:, boxes.SCORE] > 0]
    assert [(round(float(r[4]), 2), int(r[5])) for r in there] == [(0.9, 0), (0.7, 1), (0.6, 0), (0.5, 0), (0.4, 0)]
    np.testing.assert_allclose(there[4][:4], (0.8, 0, 1, 0.1), atol=1e-6)
    assert boxes.found(np.zeros((2, 0, 6), dtype=np.float32)).sum() == 0
    crowd = np.random.default_rng(0).uniform(0, 0.9, (1, 3000, 5)).astype(np.float32)
    crowd[..., 2:4] = crowd[..., :2] + 0.02
    assert (boxes.found(crowd)[0, :, boxes.SCORE] > 0).all(), "at most so many, the best"


def test_an_answer_says_where_in_percent_and_how_sure_it_is_of_the_whole() -> None:
    found = boxes.found(places((0.1, 0.2, 0.3, 0.6, 0.9, 0.0), (0.5, 0.5, 0.9, 0.9, 0.0, 0.4)))[0]
    told = boxes.told(found, ["cat", "dog"], 0.5)
    assert told["boxes"] == [{"label": "cat", "score": pytest.approx(0.9), "x": 10, "y": 20, "width": 20, "height": 40}]
    assert [b["label"] for b in told["unsure"]] == ["dog"] and told["certainty"] == pytest.approx(0.6)
    np.testing.assert_allclose(boxes.rows_of(told, ["dog", "cat"])[:, 4:], [(0.9, 1), (0.4, 0)], atol=1e-6)
    assert len(boxes.rows_of(told, ["dog"])) == 1
    nothing = boxes.told(np.zeros((boxes.MOST, 6)), ["cat"], 0.5)
    assert nothing == {"boxes": [], "unsure": [], "certainty": 0.95}


def test_average_precision_is_cocos_on_a_case_by_hand() -> None:
    """Two labels, two pictures. Of “a” there are three boxes; in falling order of score the four told are right, wrong, right (of the same
    overlap 0.6), and a second one on a box that is taken: precision 1, 1/2, 2/3, 1/2 at recall 1/3, 1/3, 2/3, 2/3. Made falling: 1 up to
    recall 1/3 (34 of the 101 recalls), 2/3 up to 2/3 (33), 0 beyond (34): AP@0.5 = (34 + 33 · 2/3) / 101. At 0.65 and above
    the third is wrong as well: 34 / 101. Of “b” the one box is found exactly: 1. Of “c” nothing is there: it does not count."""
    one, two = (0.0, 0.0, 0.2, 0.2), (0.5, 0.5, 0.7, 0.7)
    truth = [[(*one, 0), (*two, 0), (0.0, 0.5, 0.2, 0.7, 1)], [(*one, 0)]]
    shifted = (0.05, 0.0, 0.25, 0.2)  # intersection 0.15, union 0.25
    told = [
        [(*one, 0.9, 0), (0.8, 0.0, 0.9, 0.1, 0.8, 0), (0.0, 0.5, 0.2, 0.7, 0.5, 1), (0.6, 0.6, 0.7, 0.7, 0.99, 2)],
        [(*shifted, 0.7, 0), (*one, 0.6, 0), (*one, 0.0, 0)],
    ]
    made = precision.matches([np.array(t) for t in truth], [np.array(t) for t in told], 3)
    averages = precision.average(made)
    first = (34 + 33 * 2 / 3) / 101
    # At 0.65 and above the shifted box is wrong, and the one after it, exact, is right: precision 1/2 at recall 2/3.
    strict = (34 + 33 * 2 / 4) / 101
    expected = [first] * 3 + [strict] * 7
    np.testing.assert_allclose(averages[:, 0], expected)
    np.testing.assert_allclose(averages[:, 1], 1)
    assert np.isnan(averages[:, 2]).all()
    assert precision.mean(averages, 0) == pytest.approx((first + 1) / 2)
    assert precision.mean(averages) == pytest.approx((np.mean(expected) + 1) / 2)
    counts = precision.counted(made, 0.65)
    assert [list(counts[n]) for n in ("right", "told", "truth")] == [[2, 0, 0], [3, 0, 1], [3, 1, 0]]
    assert list(precision.pairs(np.array(truth[0]), np.array(told[0]))) == [0, -1, 2, -1]


def test_a_measure_of_few_pictures_has_a_wide_interval_and_of_none_no_value() -> None:
    box = (0.0, 0.0, 0.2, 0.2)
    truth = [np.array([(*box, 0)])] * 4
    told = [np.array([(*box, 0.9, 0)])] * 2 + [np.zeros((0, 6))] * 2
    made = precision.matches(truth, told, 1)
    samples = [precision.mean(one, 0) for one in precision.resampled(made, 300)]
    low, high = precision.interval(samples, precision.mean(precision.average(made), 0))
    assert low < 0.3 and high > 0.7
    empty = precision.matches([np.zeros((0, 5))] * 2, told[:2], 1)
    assert np.isnan(precision.mean(precision.average(empty))) and precision.best_threshold(empty) == precision.USUAL_THRESHOLD


def test_the_threshold_lies_where_precision_and_recall_are_best_and_is_careful_with_few_boxes() -> None:
    random = np.random.default_rng(0)
    right = [(float(x), float(y), float(x) + 0.1, float(y) + 0.1) for x, y in random.uniform(0, 0.4, (400, 2))]
    truth = [np.array([(*box, 0)]) for box in right]
    told = [np.array([(*box, 0.8, 0), (0.8, 0.8, 0.9, 0.9, 0.6, 0)]) for box in right]
    assert precision.best_threshold(precision.matches(truth, told, 1)) == pytest.approx(0.7, abs=0.03)
    few = precision.best_threshold(precision.matches(truth[:5], told[:5], 1))
    assert precision.USUAL_THRESHOLD < few < 0.4


def test_boxes_of_people_become_upright_and_lie_within_the_picture() -> None:
    box = region({"label": "cat", "x": 10, "y": 20, "width": 30, "height": 40})
    turned = region({"label": "cat", "x": 50, "y": 50, "width": 20, "height": 10}, 1)
    turned["value"]["rotation"] = 90  # clockwise about its upper left corner: as high as it was wide, to the left of it
    beyond = region({"label": "dog", "x": -0.01, "y": 90, "width": 10, "height": 10.01}, 2)
    other = {**region({"label": "cat", "x": 1, "y": 1, "width": 9, "height": 9}, 3), "from_name": "else"}
    tiny = region({"label": "cat", "x": 10, "y": 20, "width": 1e-6, "height": 40}, 4)
    choice = {"id": "c", "from_name": "kind", "to_name": "image", "type": "choices", "value": {"choices": ["cat"]}}
    found = drawn_by.drawn([box, turned, beyond, other, tiny, choice], 200, 100, "box")
    np.testing.assert_allclose([b[1:5] for b in found], [(0.1, 0.2, 0.4, 0.6), (0.45, 0.5, 0.5, 0.9), (0, 0.9, 0.0999, 1)], atol=1e-6)
    assert [(b.label, b.turned) for b in found] == [("cat", False), ("cat", True), ("dog", False)]
    assert len(drawn_by.drawn([box, other], 200, 100)) == 2
