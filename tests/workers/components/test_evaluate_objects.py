"""A detector is measured as COCO does, by label, with what was right, wrong and missed."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tests import scenes
from workers.sdk.errors import StepError
from workers.sdk.kinds import Images
from workers.training import object_evaluation
from workers.training.boxes import Drawn


class Known:
    """A model whose answers are given."""

    def manifest(self) -> dict[str, Any]:
        return {"name": "Known", "fingerprint": "f", "target": "boxes", "output": {"threshold": 0.5}}


def test_every_figure_comes_from_the_same_pairs(step: Any) -> None:
    one, two = (0.1, 0.1, 0.3, 0.3), (0.5, 0.5, 0.8, 0.8)
    truth = [
        np.array([(*one, 0), (*two, 1)], dtype=np.float32),
        np.array([(*one, 0)], dtype=np.float32),
        np.zeros((0, 5), dtype=np.float32),
    ]
    drawn = Drawn(labels=["cat", "dog", "owl"], rows=[0, 1, 2], keys=["a.png", "b.png", "c.png"], truth=truth, unseen=2, unknown=0)
    found = [np.zeros((100, 6), dtype=np.float32) for _ in truth]
    found[0][0], found[0][1] = (*one, 0.9, 0), (*two, 0.4, 1)
    found[2][0] = (*two, 0.8, 0)
    metrics, figures, table = object_evaluation.of_boxes(Known(), drawn, found, threshold=0.0, rounds=50, seed=0)  # type: ignore[arg-type]  # of a model only what `Known` has
    told = metrics.value
    assert (told["task"], told["rows"], told["boxes"], told["threshold"], told["images_without_labels"]) == ("detection", 3, 3, 0.5, 2)
    # Cats: right at recall 1/2, then wrong: 51 of the 101 recalls; the dog is found, whatever the threshold; no owl is there.
    assert told["values"]["map_50"]["value"] == pytest.approx((51 / 101 + 1) / 2)
    assert told["values"]["precision"]["value"] == pytest.approx(1 / 2) and told["values"]["recall"]["value"] == pytest.approx(1 / 3)
    assert told["values"]["map"]["low"] <= told["values"]["map"]["value"] <= told["values"]["map"]["high"]
    assert told["per_class"]["owl"]["average_precision"]["value"] is None and told["per_class"]["cat"]["support"]["value"] == 2
    frame = table.pandas()
    assert sorted(zip(frame["key"], frame["label"], frame["outcome"], strict=True)) == [
        ("a.png", "cat", "right"), ("a.png", "dog", "missed"), ("b.png", "cat", "missed"), ("c.png", "cat", "wrong"),
    ]  # fmt: skip
    assert [f["title"] for f in figures.value] == ["Precision and recall", "Threshold", "By label"]
    json.dumps([told, figures.value], allow_nan=False)


def test_what_cannot_be_judged_says_which_step_can(run: Any, step: Any, digits: Images) -> None:
    classifier = run("train_image_classifier", {"train": digits}, epochs=1)["model"]
    boxes = scenes.images(8, kinds=(0,), size=(64, 64), most=2)
    with pytest.raises(StepError, match="finds no boxes") as caught:
        run("evaluate_objects", {"model": classifier, "test": boxes})
    assert "Evaluate on images" in caught.value.hint
    detector = run("train_object_detector", {"train": boxes}, epochs=1, width=4)["model"]
    with pytest.raises(StepError, match="finds boxes") as caught:
        run("evaluate_images", {"model": detector, "test": digits})
    assert "Evaluate objects" in caught.value.hint
    others = scenes.images(8, kinds=(7,), size=(64, 64), most=2)
    with pytest.raises(StepError, match="No box of the test part has a label that the model knows"):
        run("evaluate_objects", {"model": detector, "test": others})
