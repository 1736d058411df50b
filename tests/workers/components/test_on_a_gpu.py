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
from workers.training import loop, spread
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
    assert halves and (set(halves) == {torch.bfloat16} or torch.cuda.get_device_capability() < (8, 0)), "trained in single precision"
    session = ort.InferenceSession(str(made["model"].file() / "model.onnx"), providers=["CPUExecutionProvider"])
    assert session.run(["probabilities"], {"image": np.zeros((2, 8, 8, 1), np.uint8)})[0].shape == (2, 10)


def as_before_ampere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device=None: (7, 5))


@pytest.mark.parametrize("older", [False, True], ids=["bfloat16", "float16"])
def test_a_killed_attempt_goes_on_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, older: bool) -> None:
    """Also in float16, where the checkpoint keeps by how much the loss is multiplied."""
    monkeypatch.setattr(loop, "CHECKPOINT_EVERY_S", 0.0)
    if older:
        as_before_ampere(monkeypatch)

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


def test_an_older_card_computes_in_float16_and_survives_gradients_out_of_its_range(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_before_ampere(monkeypatch)
    seen: list[torch.dtype] = []
    model = network()
    model.register_forward_hook(lambda module, given, made: seen.append(made.dtype))
    scaler = torch.amp.GradScaler

    def too_much(device: str, enabled: bool) -> torch.amp.GradScaler:
        return scaler(device, enabled=enabled, init_scale=2.0**40)  # every gradient is infinite at first

    monkeypatch.setattr(torch.amp, "GradScaler", too_much)
    with context.local(tmp_path, device="cuda"):
        outcome = train(model)
    assert torch.float16 in seen and torch.bfloat16 not in seen
    assert outcome.metrics["accuracy"] > 0.9


def test_processes_meet_through_nccl(tmp_path: Path) -> None:
    """With one GPU there is one to meet: every call of a spread training goes through NCCL all the same. (Two ranks on one GPU are
    refused by it; `tests/workers/engine/test_real_gpu.py` trains on two where there are two.)"""
    import torch.distributed as dist

    torch.cuda.set_device(0)
    dist.init_process_group("nccl", init_method=f"file://{tmp_path}/meet", rank=0, world_size=1)
    with context.local(tmp_path, device="cuda:0") as step:
        step.world = 2  # half of each batch is ours; the other half has nobody
        assert isinstance(spread.wrap(network().to("cuda:0")), torch.nn.parallel.DistributedDataParallel)
        with spread.first():
            (tmp_path / "once").touch()
        assert spread.agree(True) is True and spread.agree(False) is False
        outcome = train(network())
        assert step.world == 1 and not dist.is_initialized(), "the training is over: the first goes on alone"
    assert outcome.metrics["accuracy"] > 0.9


def test_out_of_its_memory_is_told_as_such(tmp_path: Path) -> None:
    free = torch.cuda.mem_get_info()[0]
    with context.local(tmp_path, device="cuda"), pytest.raises(torch.OutOfMemoryError) as caught:
        torch.empty(free + (1 << 30), dtype=torch.uint8, device="cuda")
    outcome, error, retry = perform.error_of(caught.value)
    assert (outcome, error["code"], retry) == ("failed", "out_of_memory", True)
