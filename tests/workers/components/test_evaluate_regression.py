"""Evaluating numbers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from workers.sdk.kinds import Table


def test_metrics_figures_and_predictions(run: Any, diabetes: Table) -> None:
    parts = run("split_rows", {"table": diabetes})
    model = run("train_linear", {"train": parts["train"]}, target="target")["model"]
    made = run("evaluate_regression", {"model": model, "test": parts["test"]}, group_column="sex")
    metrics, predictions = made["metrics"].value, made["predictions"].pandas()
    json.dumps([metrics, made["figures"].value], allow_nan=False)
    error = predictions["predicted"] - predictions["actual"]
    assert metrics["values"]["rmse"]["value"] == pytest.approx((error**2).mean() ** 0.5)
    assert metrics["values"]["mae"]["low"] < error.abs().mean() < metrics["values"]["mae"]["high"]
    assert [f["title"] for f in made["figures"].value] == [
        "Predicted and actual",
        "Errors by prediction",
        "How the errors are spread",
        "How large errors get",
        "By sex",
    ]
    assert {g["group"] for g in metrics["groups"]["groups"]} == {"a", "b"} and "mae_difference" in metrics["groups"]["apart"]
