"""Free text beside other columns: every trainer learns from it, and what is served answers as what was trained."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.texts import docstrings
from workers.sdk.errors import StepError
from workers.sdk.kinds import Table
from workers.serving.ask import answers
from workers.serving.model import InputRefused, LoadedModel
from workers.training.model_folder import check_parity

ODD = {
    "German": "Gibt die Größe der Nachricht zurück, für Grüße",
    "Japanese": "メッセージの大きさを返します",
    "emoji": "🙈🙈",
    "empty": "",
    "HTML": "<p>Return the <b>event loop</b> &amp; its <i>tasks</i></p>",
    "very long": "Return the event loop. " * 50_000,
    "null byte": "event\0loop",
    "half a character": "event \ud83d loop",
}


@pytest.fixture(scope="module")
def told() -> pd.DataFrame:
    """700 texts of five packages, with a short text, a number and a category beside them."""
    frame = pd.DataFrame(docstrings()[:700], columns=["message", "package"])
    frame["subject"] = frame["message"].str.split().str[:6].str.join(" ")
    frame["lines"] = frame["message"].str.count("\n").astype(float)
    frame["asks"] = np.where(frame["message"].str.contains("Return"), "yes", "no")
    return frame


@pytest.mark.parametrize(
    ("trainer", "parameters", "least"),
    [
        ("train_linear", {}, 0.7),
        ("train_forest", {"trees": 100}, 0.6),
        ("train_boosting", {"trees": 60}, 0.6),
        ("train_tabular_network", {"epochs": 30}, 0.65),
    ],
)
def test_every_classifier_learns_from_texts_beside_other_columns(
    run: Any, step: Any, told: pd.DataFrame, trainer: str, parameters: dict[str, Any], least: float
) -> None:
    parts = run("split_rows", {"table": Table.from_pandas(told)}, seed=1)
    recipe = run("prepare_features", {"train": parts["train"]}, target="package", text_dimensions=64)["recipe"]
    assert {c["name"]: c["use"] for c in recipe.json()["columns"]} == {
        "subject": "text", "message": "text", "lines": "number", "asks": "category",
    }  # fmt: skip
    model = run(trainer, {"train": parts["train"], "recipe": recipe}, **parameters)["model"]
    found = run("evaluate_classification", {"model": model, "test": parts["test"]}, bootstrap_rounds=0)
    accuracy = found["metrics"].value["values"]["accuracy"]["value"]
    most = told["package"].value_counts(normalize=True).iloc[0]
    assert accuracy > max(least, most + 0.2), (accuracy, most)

    manifest = model.manifest()
    assert manifest["format"] == "headrace-model/2" and check_parity(model)["largest_difference"] <= 1e-5
    columns = {c["name"]: c for c in manifest["input"]["columns"]}
    assert (columns["message"]["type"], columns["message"]["most_characters"], columns["message"]["required"]) == ("text", 10_000, True)
    assert 0 < len(columns["message"]["example"]) <= 300 and "up to their first 10,000 characters" in (model.file() / "card.md").read_text()

    served = LoadedModel(model.file(), "told@1")
    served.warm_up()
    rows = parts["test"].arrow().select(["subject", "message", "lines", "asks"]).to_pylist()
    said = answers(served, rows)
    evaluated = found["predictions"].arrow()
    for label in manifest["output"]["labels"]:
        given = np.array([(one or {})["probabilities"][label] for one in said])
        np.testing.assert_allclose(given, evaluated[f"probability {label}"].to_numpy(), atol=2e-6)
    alone = [answers(served, [row])[0] for row in rows[:5]]
    assert [one["label"] for one in alone if one] == [one["label"] for one in said[:5] if one]
    odd = [{"subject": text, "message": text, "lines": 1, "asks": "no"} for text in ODD.values()]
    for name, one in zip(ODD, answers(served, odd), strict=True):
        assert one is not None and abs(sum(one["probabilities"].values()) - 1) < 1e-5, name
    assert answers(served, [{**odd[0], "message": None}]) == answers(served, [{**odd[0], "message": ""}]) != [None]


@pytest.mark.parametrize("trainer", ["train_linear", "train_forest", "train_boosting", "train_tabular_network"])
def test_every_regressor_does_too(run: Any, step: Any, told: pd.DataFrame, trainer: str) -> None:
    """How long a text is, from what it says."""
    frame = pd.DataFrame({"message": told["message"], "asks": told["asks"], "size": np.log1p(told["message"].str.len()).astype(float)})
    parts = run("split_rows", {"table": Table.from_pandas(frame)}, seed=1)
    few = {"train_forest": {"trees": 40}, "train_boosting": {"trees": 60}, "train_tabular_network": {"epochs": 25}}.get(trainer, {})
    model = run(trainer, {"train": parts["train"]}, target="size", **few)["model"]
    found = run("evaluate_regression", {"model": model, "test": parts["test"]}, bootstrap_rounds=0)["metrics"].value
    assert found["values"]["r2"]["value"] > 0.25, found["values"]
    assert check_parity(model)["largest_difference"] <= 1e-4


def test_a_caller_is_told_what_is_missing_and_a_damaged_model_is_not_served(run: Any, step: Any, told: pd.DataFrame) -> None:
    table = Table.from_pandas(told[["message", "package"]])
    model = run("train_linear", {"train": table}, target="package")["model"]
    served = LoadedModel(model.file(), "told@1")
    with pytest.raises(InputRefused) as refused:
        served.check([{}, {"massage": "hello"}])
    assert refused.value.problems[0]["expected"] == "did you mean “message”?"
    with pytest.raises(InputRefused) as refused:
        served.check([{}, {"message": ["a", "package"]}])
    assert [(p["field"], p["message"]) for p in refused.value.problems] == [
        ("instances.0.message", "is missing"), ("instances.1.message", "is a list"),
    ]  # fmt: skip
    manifest = json.loads((model.file() / "manifest.json").read_text())
    kept = (model.file() / "texts.safetensors").read_bytes()
    (model.file() / "texts.safetensors").write_bytes(kept[:1000])
    with pytest.raises(ValueError, match=r"texts\.safetensors"):
        LoadedModel(model.file(), "told@1")
    manifest["input"]["columns"][0]["text"] = "headrace-text/9"
    (model.file() / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match=r"headrace-text/9.*this version of the studio reads headrace-text/1"):
        LoadedModel(model.file(), "told@1")


def test_the_form_names_what_cannot_be_read_as_text(run: Any, step: Any, told: pd.DataFrame) -> None:
    table = Table.from_pandas(told[["message", "asks", "package"]])
    for chosen, why in ((["massage"], "no column “massage”"), (["package"], "it is to be predicted"), (["asks"], "it is left out too")):
        with pytest.raises(StepError, match=why) as refused:
            run("prepare_features", {"train": table}, target="package", texts=chosen, leave_out=["asks"])
        assert refused.value.field == "texts"
    made = run("prepare_features", {"train": table}, target="package", use_texts=False)["recipe"].json()
    assert [c["name"] for c in made["columns"]] == ["asks"] and made["format"] == "headrace-recipe/1"
