"""A detector learns boxes from a few dozen pictures, goes on after a kill, and is published as ONNX that the predictor answers with."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests import scenes
from tests.workers.components.trainers import check_model_folder
from workers.sdk import context
from workers.sdk.errors import StepError
from workers.sdk.kinds import Images
from workers.serving.model import LoadedModel
from workers.training import loop
from workers.training.model_folder import check_parity

QUICK = {"epochs": 15, "width": 8, "learning_rate": 0.006, "patience": 0}


def test_it_finds_what_people_marked_and_the_predictor_answers_the_same(run: Any, step: Any) -> None:
    parts = run("split_images", {"images": scenes.images(110, kinds=(0, 1), size=(96, 128), most=3)})
    made = run("train_object_detector", {"train": parts["train"]}, **QUICK)
    manifest = check_model_folder(made["model"], "headrace-model/3")
    assert manifest["output"] == {
        "kind": "detection",
        "labels": ["0", "1"],
        "output": "places",
        "threshold": manifest["output"]["threshold"],
    }
    assert 0.05 < manifest["output"]["threshold"] < 0.95
    assert (manifest["input"]["width"], manifest["input"]["height"], manifest["input"]["channels"]) == (128, 96, 1)
    assert {"training loss", "validation loss", "validation mAP", "validation mAP@0.5"} <= {p[0] for p in step.report.points}
    assert check_parity(made["model"])["largest_difference"] <= 1e-4

    evaluation = run("evaluate_objects", {"model": made["model"], "test": parts["test"]})
    values = evaluation["metrics"].value["values"]
    assert values["map_50"]["value"] >= 0.75 and values["map"]["value"] >= 0.35, values
    model = LoadedModel(made["model"].file(), "digits@1")
    model.warm_up()
    table = evaluation["predictions"].pandas()
    first = parts["test"].arrow().to_pylist()
    columns, count = model.check([{"image": base64.b64encode(step.store.read(one["digest"])).decode()} for one in first])
    assert count == len(first)
    for one, answer in zip(first, model.answers(model.infer(columns)), strict=True):
        judged = table[(table["key"] == one["key"]) & (table["outcome"] != "missed")]
        assert [b["label"] for b in answer["boxes"]] == judged["label"].tolist(), "what is judged is what is answered"


def test_a_killed_attempt_goes_on_from_its_checkpoint(run: Any, step: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_EVERY_S", 0.0)
    few = scenes.images(24, kinds=(0,), size=(64, 64), most=2)

    class Dies(context.Recorder):
        def cancelled(self) -> bool:
            if len([p for p in self.points if p[0] == "validation loss"]) == 2:
                raise MemoryError("killed")
            return False

    step.report = Dies()
    with pytest.raises(MemoryError):
        run("train_object_detector", {"train": few}, **{**QUICK, "epochs": 4})
    step.report = context.Recorder()
    made = run("train_object_detector", {"train": few}, **{**QUICK, "epochs": 4})
    assert any("Going on after step" in line for line in step.report.lines)
    assert any("2 images to watch by are too few to choose an epoch" in line for line in step.report.lines)
    assert len([p for p in step.report.points if p[0] == "validation loss"]) == 2, "only what was left"
    assert made["model"].manifest()["output"]["labels"] == ["0"], "one label is enough for boxes"


def changed(images: Images, **columns: Any) -> Images:
    table = images.arrow()
    for name, values in columns.items():
        table = table.set_column(table.column_names.index(name), name, pa.array(values, table.schema.field(name).type))
    return Images.from_arrow(table)


def test_what_cannot_be_learned_is_named_and_the_rest_is_told(run: Any, step: Any, digits: Images, tmp_path: Path) -> None:
    train = "train_object_detector"
    with pytest.raises(StepError, match="no boxes") as caught:
        run(train, {"train": digits})
    assert "RectangleLabels" in caught.value.hint
    images = scenes.images(12, kinds=(0, 1), size=(64, 96), most=3)
    said = [json.loads(text) for text in images.arrow()["annotations"].to_pylist()]
    with pytest.raises(StepError, match="no boxes"):
        run(train, {"train": changed(images, annotations=[json.dumps({**one, "result": []}) for one in said])})
    with pytest.raises(StepError, match="no boxes"):
        run(train, {"train": images}, control="elsewhere")
    masks = [{**region, "type": "polygonlabels"} for one in said for region in one["result"]]
    with pytest.raises(StepError, match="there are polygonlabels"):
        run(train, {"train": changed(images, annotations=[json.dumps({"result": masks})] * 12)})
    with pytest.raises(StepError, match="one labelled image"):
        run(train, {"train": changed(images, annotations=[json.dumps(next(o for o in said if o["result"])), *[None] * 11])})

    said[0]["result"] = [{**r, "value": {**r["value"], "rotation": 10}} for r in said[0]["result"]]
    tiny = scenes.region({"label": "0", "x": 50, "y": 50, "width": 0.5, "height": 0.5}, 90)
    said[1]["result"].append(tiny)
    crowd = [scenes.region({"label": "1", "x": n % 20 * 5, "y": n // 20 * 5, "width": 4, "height": 4}, n) for n in range(301)]
    texts: list[str | None] = [json.dumps(one) for one in said]
    texts[2], texts[3] = json.dumps({"result": crowd}), None
    run(train, {"train": changed(images, annotations=texts)}, **{**QUICK, "epochs": 1})
    told = " ".join(step.report.lines)
    for words in ("1 images were not labelled by anybody", "more than 300 boxes", "less than 4 pixels wide", "Few boxes of"):
        assert words in told, told
    assert ("boxes are turned" in told) == bool(said[0]["result"])
