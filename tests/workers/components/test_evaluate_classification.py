"""Evaluating classes: the ONNX model is judged, all is said with intervals, figures stay small."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from workers.sdk.errors import StepError
from workers.sdk.kinds import Table


@pytest.fixture
def trained(run: Any, cancer: Table) -> dict[str, Any]:
    parts = run("split_rows", {"table": cancer}, method="stratified", column="diagnosis", test_share=0.4)
    return {**parts, "model": run("train_forest", {"train": parts["train"]}, target="diagnosis", trees=40)["model"]}


def test_metrics_figures_and_predictions(run: Any, trained: dict[str, Any]) -> None:
    made = run("evaluate_classification", {"model": trained["model"], "test": trained["test"]}, group_column="clinic", threshold=0.3)
    metrics = made["metrics"].value
    json.dumps([metrics, made["figures"].value], allow_nan=False)
    assert metrics["positive_label"] == "malignant" and metrics["threshold"] == 0.3
    assert metrics["values"]["roc_auc"]["low"] < metrics["values"]["roc_auc"]["value"] <= metrics["values"]["roc_auc"]["high"]
    assert {g["group"] for g in metrics["groups"]["groups"]} == {"Bern", "Basel", "Zürich", "(missing)"}
    assert "selection_rate_difference" in metrics["groups"]["apart"]
    predictions = made["predictions"].pandas()
    assert len(predictions) == trained["test"].rows and "mean area" in predictions
    said = predictions["probability malignant"] >= 0.3
    assert (predictions["predicted class"].eq("malignant") == said).all()
    assert metrics["values"]["accuracy"]["value"] == pytest.approx(predictions["right"].mean())
    assert [f["title"] for f in made["figures"].value] == [
        "Confusion matrix",
        "ROC curve",
        "Precision and recall",
        "Calibration",
        "Decision threshold",
        "Scores by true class",
        "By clinic",
    ]


def test_figures_follow_the_house_rules(run: Any, trained: dict[str, Any]) -> None:
    import plotly.graph_objects as go

    for one in run("evaluate_classification", {"model": trained["model"], "test": trained["test"]})["figures"].value:
        go.Figure(one["figure"])  # plotly itself accepts it
        layout = one["figure"]["layout"]
        assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)", "light and dark pages both show through"
        assert layout["xaxis"]["title"]["text"] or layout["yaxis"]["title"]["text"]
        assert len(json.dumps(one)) < 200_000


def test_rows_of_an_unknown_class_are_counted_apart(run: Any, step: Any, trained: dict[str, Any]) -> None:
    frame = trained["test"].pandas()
    frame.loc[frame.index[:3], "diagnosis"] = ["unclear", None, "unclear"]
    made = run("evaluate_classification", {"model": trained["model"], "test": Table.from_pandas(frame, like=trained["test"])})
    assert made["metrics"].value["rows_of_unknown_class"] == 3 and made["metrics"].value["rows"] == len(frame) - 3


def test_a_model_of_numbers_or_a_table_without_its_columns_is_refused(run: Any, trained: dict[str, Any], diabetes: Table) -> None:
    number = run("train_linear", {"train": diabetes}, target="target")["model"]
    with pytest.raises(StepError, match="predicts numbers"):
        run("evaluate_classification", {"model": number, "test": diabetes})
    with pytest.raises(StepError, match="lacks the columns"):
        run("evaluate_classification", {"model": trained["model"], "test": Table.from_pandas(pd.DataFrame({"diagnosis": ["benign"]}))})
