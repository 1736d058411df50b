"""The forest trainer on real tables: good answers, honest ONNX, raw rows in."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.workers.components.trainers import ask, train_and_judge
from workers.sdk.kinds import Table


def test_two_classes_with_gaps_words_and_dates(run: Any, cancer: Table) -> None:
    model, area = train_and_judge(run, "train_forest", cancer, "diagnosis", "roc_auc", trees=60)
    assert area >= 0.96
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
    model, accuracy = train_and_judge(run, "train_forest", wine, "target", "accuracy", trees=60)
    assert accuracy >= 0.93 and model.manifest()["output"]["labels"] == ["barbera", "barolo", "grignolino"]


def test_a_number(run: Any, diabetes: Table) -> None:
    model, share = train_and_judge(run, "train_forest", diabetes, "target", "r2", trees=60)
    assert share >= 0.35 and model.manifest()["output"] == {"kind": "regression", "output": "value"}
    assert 20 < ask(model).item() < 350


def test_numbers_that_are_names_are_classes(run: Any, wine: Table) -> None:
    frame = wine.pandas()
    frame["cellar"] = frame["target"].map({"barolo": 1, "grignolino": 2, "barbera": 7})
    model = run("train_forest", {"train": Table.from_pandas(frame.drop(columns="target"))}, target="cellar", trees=20)["model"]
    assert model.manifest()["output"]["labels"] == ["1", "2", "7"]


def test_it_stops_between_trees_when_cancelled(run: Any, step: Any, wine: Table) -> None:
    import pytest

    from workers.sdk.errors import Cancelled

    step.report.stop = True
    with pytest.raises(Cancelled):
        run("train_forest", {"train": wine}, target="target")
