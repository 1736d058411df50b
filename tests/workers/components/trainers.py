"""What every trainer on rows must do, checked the same way for each."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import onnxruntime as ort

from workers.sdk.kinds import Model, Table


def check_model_folder(model: Model, kind: str = "headrace-model/1") -> dict[str, Any]:
    """The folder is complete, and its ONNX takes raw columns and answers as the original did."""
    folder = model.file()
    manifest = model.manifest()
    assert {p.name for p in folder.iterdir()} >= {"manifest.json", "model.onnx", "parity.json", "parity_answers.safetensors", "card.md"}
    assert manifest["format"] == kind and manifest["parity"]["largest_difference"] <= 1e-4 and manifest["parity"]["rows"] > 20
    assert json.loads((folder / "parity.json").read_text())["tolerance"] == 1e-4
    card = (folder / "card.md").read_text()
    called = card.partition("## Parameters")[2].partition("\n## ")[0]
    assert "| Seed | " in called and "_" not in "".join(row.split("|")[1] for row in called.splitlines() if row.startswith("| "))
    assert "## Intended use" in card and "## Limits" in card and f"**{manifest['target']}**" in card
    return manifest


def ask(model: Model, **changes: Any) -> Any:
    """One raw row of the manifest's examples, changed, through ONNX Runtime as the predictor does it."""
    manifest = model.manifest()
    session = ort.InferenceSession(str(model.file() / "model.onnx"))
    inputs = {}
    for column in manifest["input"]["columns"]:
        value = changes.get(column["name"], column["example"])
        if column["type"] in {"category", "text"}:
            inputs[column["name"]] = np.array([[value]], dtype=object)
        else:
            number = np.datetime64(value[:19]).astype("datetime64[s]").astype(float) if isinstance(value, str) else value
            inputs[column["name"]] = np.array([[number]], dtype=np.float32)
    assert set(inputs) == {i["name"] for i in manifest["onnx"]["inputs"]}
    return session.run(None, inputs)[0]


def train_and_judge(run: Any, component: str, table: Table, target: str, metric: str, **parameters: Any) -> tuple[Model, float]:
    """Split, train, evaluate on the rest; gives the model and one metric of the test part."""
    parts = run("split_rows", {"table": table}, seed=1)
    model = run(component, {"train": parts["train"]}, target=target, **parameters)["model"]
    manifest = check_model_folder(model)
    evaluation = run(f"evaluate_{manifest['task']}", {"model": model, "test": parts["test"]}, bootstrap_rounds=50)
    return model, evaluation["metrics"].value["values"][metric]["value"]
