"""Image classifiers: from nothing, and fine-tuned from a checkpoint; published as ONNX that takes raw pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pyarrow as pa
import pytest

from tests.workers.components.trainers import check_model_folder
from workers.sdk.errors import StepError
from workers.sdk.images import decode_image
from workers.sdk.kinds import Images


def test_from_nothing(run: Any, step: Any, digits: Images) -> None:
    parts = run("split_images", {"images": digits})
    made = run("train_image_classifier", {"train": parts["train"]}, epochs=30, augment="none", learning_rate=0.02, patience=0)
    manifest = check_model_folder(made["model"])
    assert manifest["input"] == {
        "kind": "image",
        "onnx_input": "image",
        "dtype": "uint8",
        "layout": "NHWC",
        "height": 8,
        "width": 8,
        "channels": 1,
        "resize": "exact",
    }
    assert {p[0] for p in step.report.points} == {"training loss", "learning rate", "validation loss", "validation accuracy"}
    session = ort.InferenceSession(str(made["model"].file() / "model.onnx"))
    assert [(i.name, i.type, i.shape[1:]) for i in session.get_inputs()] == [("image", "tensor(uint8)", [8, 8, 1])]
    first = parts["test"].arrow().slice(0, 3)
    pictures = np.stack([decode_image(step.store.read(d), 8, 8, 1) for d in first["digest"].to_pylist()])
    for batch in (pictures[:1], pictures):  # any number at once
        assert session.run(["probabilities"], {"image": batch})[0].shape == (len(batch), 10)
    evaluation = run("evaluate_images", {"model": made["model"], "test": parts["test"]})
    assert evaluation["metrics"].value["values"]["accuracy"]["value"] >= 0.85


def test_of_a_few_pictures_a_model_is_learned_not_chosen(run: Any, step: Any, digits: Images) -> None:
    """As in the first round of labelling: by the three pictures that a tenth would be, no epoch can be chosen. (Of these 30 it was the
    seventh: right in 0.63 of all cases, where the last one is in 0.73.)"""
    parts = run("split_images", {"images": digits}, seed=7)
    rows = parts["train"].arrow()
    few = Images.from_arrow(rows.take(pa.array(np.random.default_rng(7).permutation(len(rows))[:30])), like=parts["train"])
    made = run("train_image_classifier", {"train": few}, epochs=40, batch_size=16, augment="none", patience=0)
    assert {p[0] for p in step.report.points} == {"training loss", "learning rate"}
    told = check_model_folder(made["model"])["training"]
    assert (told["parameters"]["best_epoch"], told["rows"]) == (40, 30)
    evaluation = run("evaluate_images", {"model": made["model"], "test": parts["test"]})
    assert evaluation["metrics"].value["values"]["accuracy"]["value"] > 0.5


@pytest.mark.slow
def test_from_a_local_checkpoint(run: Any, step: Any, digits: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

    shelf = tmp_path / "checkpoints"
    config = ViTConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, image_size=16, patch_size=4, num_labels=1000
    )
    ViTForImageClassification(config).save_pretrained(shelf / "tiny-vit", safe_serialization=True)
    ViTImageProcessor(size={"height": 16, "width": 16}, image_mean=[0.4, 0.4, 0.4], image_std=[0.3, 0.3, 0.3]).save_pretrained(
        shelf / "tiny-vit"
    )
    monkeypatch.setenv("HEADRACE_CHECKPOINTS", str(shelf))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    made = run("train_image_classifier", {"train": digits}, checkpoint="tiny-vit", epochs=2, learning_rate=0.001)
    manifest = check_model_folder(made["model"])
    assert (manifest["input"]["height"], manifest["input"]["channels"], len(manifest["output"]["labels"])) == (16, 3, 10)
    assert "tiny-vit, fine-tuned" in (made["model"].file() / "card.md").read_text()
    with pytest.raises(StepError, match="cannot be used") as caught:
        run("train_image_classifier", {"train": digits}, checkpoint="no/such-model")
    assert caught.value.field == "checkpoint"


def test_what_cannot_be_trained_on_is_named(run: Any, step: Any, digits: Images) -> None:
    table = digits.arrow()
    broken = step.store.put_bytes(b"not a picture").digest
    damaged = table.set_column(1, "digest", pa.array([broken, *table["digest"].to_pylist()[1:]]))
    with pytest.raises(StepError, match=r"0/0\.png"):
        run("train_image_classifier", {"train": Images.from_arrow(damaged)}, size=8, color="grey")
    single = Images.from_arrow(table.filter(pa.array([v == "3" for v in table["label"].to_pylist()])))
    with pytest.raises(StepError, match="only one label"):
        run("train_image_classifier", {"train": single})
