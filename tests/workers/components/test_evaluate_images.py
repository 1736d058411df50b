"""Evaluating on pictures, and refusing what does not fit."""

from __future__ import annotations

from typing import Any

import pytest

from workers.sdk.errors import StepError
from workers.sdk.kinds import Images, Table


def test_each_picture_gets_its_answer(run: Any, digits: Images, wine: Table) -> None:
    parts = run("split_images", {"images": digits})
    model = run("train_image_classifier", {"train": parts["train"]}, epochs=3, augment="none", learning_rate=0.02)["model"]
    made = run("evaluate_images", {"model": model, "test": parts["test"]}, bootstrap_rounds=50)
    predictions = made["predictions"].pandas()
    assert predictions["key"].tolist() == parts["test"].arrow()["key"].to_pylist()
    assert made["metrics"].value["values"]["accuracy"]["value"] == pytest.approx(predictions["right"].mean())
    assert set(made["metrics"].value["per_class"]) == set("0123456789")
    with pytest.raises(StepError, match="images, not rows"):
        run(
            "evaluate_classification",
            {"model": model, "test": Table.from_pandas(wine.pandas().rename(columns={"target": "label"}).replace("barolo", "1"))},
        )
    rows = run("train_linear", {"train": wine}, target="target")["model"]
    with pytest.raises(StepError, match="takes rows"):
        run("evaluate_images", {"model": rows, "test": parts["test"]})
