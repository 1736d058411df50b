"""What only a GPU shows: training in half precision, going on after a kill, running out of its memory. Skipped where there is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pyarrow as pa
import pytest
import torch

from tests import scenes
from tests.workers.components.trainers import check_model_folder
from workers import catalog
from workers.engine import perform
from workers.sdk import context
from workers.sdk.kinds import Images, Metrics, Model
from workers.training import loop
from workers.training.networks import dense

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")


def numbers(rows: int = 4000) -> loop.Examples:
    random = np.random.default_rng(0)
    x = random.normal(size=(rows, 6)).astype(np.float32)
    return loop.Examples(x=x, y=torch.from_numpy((x[:, 0] * x[:, 1] > 0).astype(np.int64)))


def train(model: torch.nn.Module) -> loop.Outcome:
    plan = loop.Plan(epochs=6, batch_size=128, learning_rate=0.01)
    return loop.fit(model, numbers(), numbers(500), plan, loss_of=loop.classify_loss(), quality_of=loop.classify_quality)


def test_boxes_are_learned_on_the_gpu(tmp_path: Path) -> None:
    with context.local(tmp_path, device="cuda"):
        train, test = (scenes.images(n, seed, kinds=(0, 1), size=(96, 128), most=3) for n, seed in ((100, 0), (30, 1)))
        settings = {"epochs": 24, "width": 8, "learning_rate": 0.006, "patience": 0}
        made = catalog.load().components["train_object_detector"].call({"train": train}, settings)
        assert isinstance(made["model"], Model)
        check_model_folder(made["model"], "headrace-model/3")
        evaluated = catalog.load().components["evaluate_objects"].call({"model": made["model"], "test": test}, {})
    assert isinstance(evaluated["metrics"], Metrics)
    assert evaluated["metrics"].value["values"]["map_50"]["value"] >= 0.7


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return dense(6, [32], 2, 0.2)


def test_pictures_are_learned_on_the_gpu_and_published_for_any_machine(tmp_path: Path, digits: Images) -> None:
    folder, table = tmp_path / "store", digits.arrow()
    halves: list[torch.dtype] = []
    watch = torch.nn.modules.module.register_module_forward_hook(
        lambda module, given, made: halves.append(made.dtype) if isinstance(module, torch.nn.Linear) and made.is_cuda else None
    )
    try:
        with context.local(folder.parent, device="cuda"):
            splits = table["split"].to_pylist()
            parts = {name: Images.from_arrow(table.filter(pa.array([s == name for s in splits]))) for name in ("train", "test")}
            made = catalog.load().components["train_image_classifier"].call(
                {"train": parts["train"]}, {"epochs": 30, "augment": "none", "learning_rate": 0.02, "patience": 0}
            )  # fmt: skip
            assert isinstance(made["model"], Model)
            check_model_folder(made["model"])
            evaluated = catalog.load().components["evaluate_images"].call({"model": made["model"], "test": parts["test"]}, {})
    finally:
        watch.remove()
    assert isinstance(evaluated["metrics"], Metrics)
    assert evaluated["metrics"].value["values"]["accuracy"]["value"] >= 0.85
    assert halves and (set(halves) == {torch.bfloat16} or not torch.cuda.is_bf16_supported()), "trained in single precision"
    session = ort.InferenceSession(str(made["model"].file() / "model.onnx"), providers=["CPUExecutionProvider"])
    assert session.run(["probabilities"], {"image": np.zeros((2, 8, 8, 1), np.uint8)})[0].shape == (2, 10)


def test_a_killed_attempt_goes_on_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_EVERY_S", 0.0)

    class Dies(context.Recorder):
        def cancelled(self) -> bool:
            if len([p for p in self.points if p[0] == "validation loss"]) == 3:
                raise MemoryError("killed")
            return False

    with context.local(tmp_path, device="cuda") as step:
        step.report = Dies()
        with pytest.raises(MemoryError):
            train(network())
        step.report = context.Recorder()
        outcome = train(network())
        assert any("Going on after step" in line for line in step.report.lines)
        assert len([p for p in step.report.points if p[0] == "validation loss"]) == 3
    assert outcome.metrics["accuracy"] > 0.9


def test_out_of_its_memory_is_told_as_such(tmp_path: Path) -> None:
    free = torch.cuda.mem_get_info()[0]
    with context.local(tmp_path, device="cuda"), pytest.raises(torch.OutOfMemoryError) as caught:
        torch.empty(free + (1 << 30), dtype=torch.uint8, device="cuda")
    outcome, error, retry = perform.error_of(caught.value)
    assert (outcome, error["code"], retry) == ("failed", "out_of_memory", True)
