"""Preparing features: learned from the training part only, and nothing of the target."""

from __future__ import annotations

import json
from typing import Any

import pytest

from workers.sdk.errors import StepError
from workers.sdk.kinds import Table


def test_the_recipe_is_plain_json_without_the_target(run: Any, cancer: Table) -> None:
    recipe = run("prepare_features", {"train": cancer}, target="diagnosis", leave_out=["mean area"])["recipe"]
    learned = json.loads(json.dumps(recipe.value, allow_nan=False))
    names = [c["name"] for c in learned["columns"]]
    assert "diagnosis" not in names and "mean area" not in names and {"clinic", "seen", "mean radius"} <= set(names)
    assert (
        "mean radius missing" in learned["features"] and "clinic = (missing)" in learned["features"] and "seen hour" in learned["features"]
    )
    assert next(c for c in learned["columns"] if c["name"] == "mean radius")["fill"] == pytest.approx(
        cancer.pandas()["mean radius"].median()
    )


def test_the_data_sets_label_is_the_target_unless_said_otherwise(run: Any, wine: Table) -> None:
    with pytest.raises(StepError) as caught:
        run("prepare_features", {"train": wine})
    assert caught.value.field == "target"
    wine.metadata["label_column"] = "target"
    assert run("prepare_features", {"train": wine})["recipe"].value["target"] == "target"


def test_a_target_among_the_features_is_refused(run: Any, wine: Table) -> None:
    recipe = run("prepare_features", {"train": wine}, target="hue")["recipe"]
    with pytest.raises(StepError, match="only copy it"):
        run("train_linear", {"train": wine, "recipe": recipe}, target="target")
