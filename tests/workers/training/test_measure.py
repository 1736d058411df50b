"""Our metrics are the usual ones (compared with scikit-learn's), and their intervals hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference

from workers.training import measure


def binary(rows: int = 800, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    y = (random.random(rows) < 0.3).astype(int)
    score = np.clip(0.3 + 0.25 * (y - 0.3) + random.normal(0, 0.2, rows), 0.01, 0.99).round(3)  # rounded: with ties
    return y, np.stack([1 - score, score], axis=1)


def test_two_classes() -> None:
    y, chances = binary()
    found = measure.classification(y, chances, ["no", "yes"], 1, 0.5, 200, 0)["values"]
    said = (chances[:, 1] >= 0.5).astype(int)
    expected = {
        "accuracy": reference.accuracy_score(y, said),
        "balanced_accuracy": reference.balanced_accuracy_score(y, said),
        "precision": reference.precision_score(y, said),
        "recall": reference.recall_score(y, said),
        "f1": reference.f1_score(y, said),
        "specificity": reference.recall_score(y, said, pos_label=0),
        "mcc": reference.matthews_corrcoef(y, said),
        "kappa": reference.cohen_kappa_score(y, said),
        "roc_auc": reference.roc_auc_score(y, chances[:, 1]),
        "average_precision": reference.average_precision_score(y, chances[:, 1]),
        "log_loss": reference.log_loss(y, chances),
        "brier": reference.brier_score_loss(y, chances[:, 1]),
    }
    assert {k: found[k]["value"] for k in expected} == pytest.approx(expected)
    assert all(found[k]["low"] <= found[k]["value"] <= found[k]["high"] for k in expected)


def test_many_classes() -> None:
    random = np.random.default_rng(0)
    y = random.integers(0, 5, 600)
    chances = random.dirichlet(np.ones(5), 600) + 0.4 * np.eye(5)[y]
    chances /= chances.sum(axis=1, keepdims=True)
    found = measure.classification(y, chances, list("abcde"), None, 0.5, 100, 0)
    said = chances.argmax(axis=1)
    expected = {
        "accuracy": reference.accuracy_score(y, said),
        "macro_f1": reference.f1_score(y, said, average="macro"),
        "weighted_f1": reference.f1_score(y, said, average="weighted"),
        "mcc": reference.matthews_corrcoef(y, said),
        "roc_auc": reference.roc_auc_score(y, chances, multi_class="ovr"),
        "log_loss": reference.log_loss(y, chances),
        "top_3_accuracy": reference.top_k_accuracy_score(y, chances, k=3),
    }
    assert {k: found["values"][k]["value"] for k in expected} == pytest.approx(expected)
    np.testing.assert_array_equal(found["confusion"], reference.confusion_matrix(y, said))
    assert found["per_class"]["c"]["precision"]["value"] == pytest.approx(reference.precision_score(y, said, average=None)[2])


def test_numbers() -> None:
    random = np.random.default_rng(0)
    y = random.normal(1e6, 50, 500)  # large numbers with a small spread must keep their digits
    predicted = y + random.normal(2, 10, 500)
    found = measure.regression(y, predicted, 200, 0)["values"]
    expected = {
        "rmse": reference.root_mean_squared_error(y, predicted),
        "mae": reference.mean_absolute_error(y, predicted),
        "r2": reference.r2_score(y, predicted),
        "mape": reference.mean_absolute_percentage_error(y, predicted),
        "median_absolute_error": reference.median_absolute_error(y, predicted),
        "bias": float((predicted - y).mean()),
    }
    assert {k: found[k]["value"] for k in expected} == pytest.approx(expected)
    assert all(found[k]["low"] < found[k]["value"] < found[k]["high"] for k in expected)


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    y, chances = binary(200_000, 1)
    truth = {"roc_auc": reference.roc_auc_score(y, chances[:, 1]), "accuracy": float(((chances[:, 1] >= 0.5) == y).mean())}
    held = dict.fromkeys(truth, 0)
    for i in range(100):
        part = slice(i * 400, (i + 1) * 400)
        found = measure.classification(y[part], chances[part], ["no", "yes"], 1, 0.5, 200, i)["values"]
        for name, value in truth.items():
            held[name] += found[name]["low"] <= value <= found[name]["high"]
    assert all(88 <= count <= 100 for count in held.values()), held


def test_the_same_seed_gives_the_same_intervals_and_rows_may_be_many() -> None:
    y, chances = binary(300_000)
    first, second = (measure.classification(y, chances, ["no", "yes"], 1, 0.5, 50, 7)["values"] for _ in range(2))
    assert first == second
    assert first["roc_auc"]["value"] == pytest.approx(reference.roc_auc_score(y, chances[:, 1]), abs=1e-4)
    assert first["log_loss"]["high"] - first["log_loss"]["low"] < 0.01


def test_one_class_or_one_row_is_no_crash() -> None:
    found = measure.classification(np.zeros(1, dtype=int), np.array([[0.9, 0.1]]), ["no", "yes"], 1, 0.5, 20, 0)["values"]
    assert found["accuracy"]["value"] == 1 and found["roc_auc"]["value"] is None
    assert measure.regression(np.array([2.0]), np.array([2.5]), 20, 0)["values"]["r2"]["value"] is None


def test_groups_are_compared_and_small_ones_are_not_shown_alone() -> None:
    y, chances = binary(2000)
    group = np.array(["f"] * 990 + ["m"] * 1000 + ["x"] * 5 + [""] * 5, dtype=object)
    chances[990:1990, 1] += 0.2
    said = (chances[:, 1] >= 0.5).astype(int)
    found = measure.by_group(group, y, chances, 1, said, 100, 0)
    rates = {r["group"]: r for r in found["groups"]}
    assert list(rates) == ["m", "f", "(small groups)"] and rates["(small groups)"]["rows"] == 10
    assert rates["m"]["selection_rate"]["value"] == pytest.approx(said[990:1990].mean())
    assert found["apart"]["selection_rate_difference"] == pytest.approx(said[990:1990].mean() - said[:990].mean())
