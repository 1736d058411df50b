"""What somebody kept of a suggestion, and how sure a counted share is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.backend.labeling.conftest import box, choice
from workers.sdk.labels.config import Label, LabelConfig, LabelControl
from workers.sdk.labels.interval import wilson
from workers.sdk.labels.kept import outcome

CONFIG = LabelConfig(
    objects=(),
    controls=(
        LabelControl(name="kind", to="image", tag="Choices", type="choices", labels=(Label(value="cat", color="#fff"),)),
        LabelControl(name="box", to="image", tag="RectangleLabels", type="rectanglelabels", labels=(Label(value="Head", color="#fff"),)),
    ),
)
SUGGESTED = [choice("cat"), box(10, 10, 20, 20)]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([choice("cat"), box(10, 10, 20, 20)], "accepted"),
        ([{**box(10.00001, 10, 20, 20), "origin": "manual"}, {**choice("cat"), "score": 0.3}], "accepted"),
        ([choice("cat"), box(12, 10, 20, 20)], "adjusted"),
        ([choice("dog"), box(10, 10, 20, 20)], "adjusted"),
        ([choice("cat"), box(10, 10, 20, 20), box(60, 60, 9, 9)], "adjusted"),
        ([choice("cat")], "adjusted"),
        ([choice("dog"), box(70, 70, 9, 9), box(10, 10, 20, 20, "Tail")], "rejected"),
        ([], "rejected"),
    ],
)
def test_a_suggestion_is_kept_changed_or_thrown_away_by_what_it_says(said: list[dict[str, Any]], expected: str) -> None:
    assert outcome(CONFIG, SUGGESTED, said) == expected


def test_only_what_a_model_answers_is_compared() -> None:
    assert outcome(CONFIG, [choice("cat")], [choice("cat"), box(1, 1, 5, 5)]) == "accepted"
    assert outcome(CONFIG, [], [choice("cat")]) is None


def test_the_interval_of_a_share_is_wilsons() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(0, 10) == (0.0, pytest.approx(0.2775, abs=1e-4))  # Brown, Cai and DasGupta's example form
    assert wilson(5, 100) == (pytest.approx(0.0215, abs=1e-4), pytest.approx(0.1118, abs=1e-4))
    assert wilson(10, 10) == (pytest.approx(0.7225, abs=1e-4), 1.0)
