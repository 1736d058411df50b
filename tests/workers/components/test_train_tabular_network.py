"""The network trainer on real tables: good answers, honest ONNX, raw rows in."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.workers.components.trainers import ask, train_and_judge
from workers.sdk.kinds import Table


def test_two_classes_with_gaps_words_and_dates(run: Any, cancer: Table) -> None:
    model, area = train_and_judge(run, "train_tabular_network", cancer, "diagnosis", "roc_auc", learning_rate=0.01)
    assert area >= 0.95
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
    model, accuracy = train_and_judge(run, "train_tabular_network", wine, "target", "accuracy", learning_rate=0.01)
    assert accuracy >= 0.9 and model.manifest()["output"]["labels"] == ["barbera", "barolo", "grignolino"]


def test_a_number(run: Any, diabetes: Table) -> None:
    model, share = train_and_judge(run, "train_tabular_network", diabetes, "target", "r2", learning_rate=0.01)
    assert share >= 0.3 and model.manifest()["output"] == {"kind": "regression", "output": "value"}
    assert 20 < ask(model).item() < 350
