"""Registering: a model whose published form answers differently is refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.workers.components.conftest import Studio
from workers.sdk.errors import StepError
from workers.sdk.kinds import Model, Table


def test_the_check_runs_and_the_registry_is_told(run: Any, step: Any, studio: Studio, cancer: Table) -> None:
    parts = run("split_rows", {"table": cancer})
    model = run("train_linear", {"train": parts["train"]}, target="diagnosis")["model"]
    metrics = run("evaluate_classification", {"model": model, "test": parts["test"]})["metrics"]
    version = run("register_model", {"model": model, "metrics": metrics}, name="Tumours", aliases=["champion"], description="first")[
        "model_version"
    ]
    assert version.value == {"model": "tumours", "version": 1, "aliases_before": {"champion": None}}
    asked = studio.asked[0]
    assert asked["artifact"] == step.store.put_folder(model.file()).digest and asked["aliases"] == ["champion"]
    assert asked["metrics"]["roc_auc"]["value"] > 0.9 and asked["parity"]["largest_difference"] < 1e-5 and asked["parity"]["rows"] > 200
    other = run("train_linear", {"train": parts["train"]}, target="diagnosis", regularisation=100.0)["model"]
    run("register_model", {"model": other, "metrics": metrics}, name="Tumours")
    assert "training_accuracy" in studio.asked[1]["metrics"], "an evaluation of another model is not registered with this one"


def test_a_model_that_answers_differently_is_refused_with_the_difference(run: Any, studio: Studio, cancer: Table, tmp_path: Path) -> None:
    good, other = (run("train_linear", {"train": cancer}, target="diagnosis", regularisation=r)["model"] for r in (1.0, 100.0))
    mixed = tmp_path / "mixed"
    shutil.copytree(good.file(), mixed)
    shutil.copy(other.file() / "model.onnx", mixed / "model.onnx")
    with pytest.raises(StepError, match=r"largest difference on \d+ rows is 0\.\d+"):
        run("register_model", {"model": Model(path=mixed)}, name="Tumours")
    assert not studio.asked
