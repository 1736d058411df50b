"""The linear trainer on real tables: good answers, honest ONNX, raw rows in."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.workers.components.trainers import ask, train_and_judge
from workers.sdk.kinds import Table


def test_two_classes_with_gaps_words_and_dates(run: Any, cancer: Table) -> None:
    model, area = train_and_judge(run, "train_linear", cancer, "diagnosis", "roc_auc")
    assert area >= 0.93
    manifest = model.manifest()
    assert manifest["positive_label"] == "malignant" and manifest["output"]["labels"] == ["benign", "malignant"]
    columns = {c["name"]: c for c in manifest["input"]["columns"]}
    assert (
        columns["clinic"]["choices"] == ["Basel", "Bern", "Zürich"]
        and not columns["clinic"]["required"]
        and columns["mean area"]["required"]
    )
    usual = ask(model)
    assert usual.shape == (1, 2) and usual.dtype == np.float32 and abs(usual.sum() - 1) < 1e-5
    assert ask(model, clinic="", **{"mean radius": np.nan}).shape == ask(model, clinic="a town never seen").shape == (1, 2)


def test_three_classes(run: Any, wine: Table) -> None:
    model, accuracy = train_and_judge(run, "train_linear", wine, "target", "accuracy")
    assert accuracy >= 0.95 and model.manifest()["output"]["labels"] == ["barbera", "barolo", "grignolino"]


def test_a_number(run: Any, diabetes: Table) -> None:
    model, share = train_and_judge(run, "train_linear", diabetes, "target", "r2")
    assert share >= 0.35 and model.manifest()["output"] == {"kind": "regression", "output": "value"}
    assert 20 < ask(model).item() < 350


def test_the_same_seed_gives_the_same_model_and_weights_count(run: Any, cancer: Table) -> None:
    first, second = (run("train_linear", {"train": cancer}, target="diagnosis")["model"].manifest()["fingerprint"] for _ in range(2))
    balanced = run("train_linear", {"train": cancer}, target="diagnosis", balance_classes=True)["model"].manifest()["fingerprint"]
    assert first == second != balanced
