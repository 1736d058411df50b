"""The boosting trainer on real tables: good answers, honest ONNX, raw rows in."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.workers.components.trainers import ask, train_and_judge
from workers.sdk.kinds import Table


def test_two_classes_with_gaps_words_and_dates(run: Any, cancer: Table) -> None:
    model, area = train_and_judge(run, "train_boosting", cancer, "diagnosis", "roc_auc", trees=120)
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
    model, accuracy = train_and_judge(run, "train_boosting", wine, "target", "accuracy", trees=120)
    assert accuracy >= 0.9 and model.manifest()["output"]["labels"] == ["barbera", "barolo", "grignolino"]


def test_a_number(run: Any, diabetes: Table) -> None:
    model, share = train_and_judge(run, "train_boosting", diabetes, "target", "r2", trees=120)
    assert share >= 0.35 and model.manifest()["output"] == {"kind": "regression", "output": "value"}
    assert 20 < ask(model).item() < 350


def test_it_stops_early_by_the_validation_part_and_streams(run: Any, step: Any, cancer: Table) -> None:
    parts = run("split_rows", {"table": cancer}, validation_share=0.2)
    made = run(
        "train_boosting",
        {"train": parts["train"], "validation": parts["validation"]},
        target="diagnosis",
        trees=3000,
        learning_rate=0.2,
        patience=20,
    )
    assert made["model"].manifest()["training"]["parameters"]["trees"] < 500
    assert {p[0] for p in step.report.points} == {"training loss", "validation loss"}
    assert made["metrics"].value["values"]["validation_accuracy"]["value"] > 0.9


def test_a_machine_without_its_openmp_library(monkeypatch: Any) -> None:
    """Bare machines lack libgomp: the one scikit-learn or torch brought is loaded instead."""
    import importlib

    import pytest

    from workers.sdk.errors import StepError
    from workers.training import lightgbm

    assert any(p.is_file() for p in lightgbm._brought())
    monkeypatch.setattr(
        importlib, "import_module", lambda name: (_ for _ in ()).throw(OSError("libgomp.so.1: cannot open shared object file"))
    )
    with pytest.raises(StepError, match="libgomp"):
        lightgbm.load()
