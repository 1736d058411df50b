"""Comparing: the best comes first and out, whatever order the wires arrive in."""

from __future__ import annotations

from typing import Any

import pytest

from workers.sdk.errors import StepError
from workers.sdk.kinds import Table


def test_the_best_model_is_passed_on(run: Any, cancer: Table, diabetes: Table) -> None:
    parts = run("split_rows", {"table": cancer})
    models = [
        run("train_forest", {"train": parts["train"]}, target="diagnosis", trees=1, depth=1, name="Stump")["model"],
        run("train_linear", {"train": parts["train"]}, target="diagnosis")["model"],
        run("train_forest", {"train": parts["train"]}, target="diagnosis", trees=40)["model"],
    ]
    metrics = [run("evaluate_classification", {"model": m, "test": parts["test"]}, bootstrap_rounds=100)["metrics"] for m in models]
    made = run("compare_models", {"metrics": metrics, "models": models[::-1]})
    table = made["ranking"].pandas()
    assert table["roc_auc"].is_monotonic_decreasing and table["model"].iloc[-1] == "Stump" and table["as good as the best"].iloc[0]
    assert made["best"].manifest()["name"] == table["model"].iloc[0] == made["best_metrics"].value["model"]["name"]
    by_loss = run("compare_models", {"metrics": metrics}, metric="log_loss")
    assert by_loss["ranking"].pandas()["log_loss"].is_monotonic_increasing and "best" not in by_loss
    assert made["figures"].value[0]["title"] == "Models by ROC AUC"
    with pytest.raises(StepError, match="not among the models"):
        run("compare_models", {"metrics": metrics, "models": models[:1]})
    with pytest.raises(StepError, match="no rmse") as caught:
        run("compare_models", {"metrics": metrics}, metric="rmse")
    assert "accuracy" in caught.value.hint
    number = run("train_linear", {"train": diabetes}, target="target")["model"]
    other = run("evaluate_regression", {"model": number, "test": diabetes})["metrics"]
    with pytest.raises(StepError, match="cannot be compared"):
        run("compare_models", {"metrics": [*metrics, other]})
