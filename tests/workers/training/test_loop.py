"""A training that is killed goes on where it was; one that is cancelled stops at once; equal seeds give equal models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from workers.sdk import context
from workers.sdk.errors import Cancelled, StepError
from workers.training import loop
from workers.training.networks import dense


def examples(rows: int = 500) -> loop.Examples:
    random = np.random.default_rng(0)
    x = random.normal(size=(rows, 6)).astype(np.float32)
    return loop.Examples(x=x, y=torch.from_numpy((x[:, 0] * x[:, 1] > 0).astype(np.int64)))


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return dense(6, [16], 2, 0.2)


def train(model: torch.nn.Module, **plan: float) -> loop.Outcome:
    settings = loop.Plan(**{"epochs": 6, "batch_size": 32, "learning_rate": 0.01, **plan})  # type: ignore[arg-type]
    return loop.fit(model, examples(), examples(100), settings, loss_of=loop.classify_loss(), quality_of=loop.classify_quality)


def test_a_killed_attempt_goes_on_and_ends_with_the_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    with context.local(tmp_path / "whole"):
        whole = network()
        train(whole)
    monkeypatch.setattr(loop, "CHECKPOINT_EVERY_S", 0.0)

    class Dies(context.Recorder):
        def cancelled(self) -> bool:
            if len([p for p in self.points if p[0] == "validation loss"]) == 3:
                raise MemoryError("killed")
            return False

    with context.local(tmp_path / "killed") as step:
        step.report = Dies()
        with pytest.raises(MemoryError):
            train(network())
        step.report = context.Recorder()
        again = network()
        train(again)
        assert any("Going on after step" in line for line in step.report.lines)
        assert len([p for p in step.report.points if p[0] == "validation loss"]) == 3  # only what was left
    for (name, a), b in zip(whole.state_dict().items(), again.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0, msg=name)


def test_a_damaged_checkpoint_means_starting_again(tmp_path: Path) -> None:
    with context.local(tmp_path) as step:
        (step.scratch / "checkpoint.safetensors").write_bytes(b"torn")
        assert train(network()).epochs == 6


def test_it_stops_early_with_the_best_weights_and_tells_how_it_goes(tmp_path: Path) -> None:
    with context.local(tmp_path) as step:
        outcome = train(network(), epochs=200, patience=3, learning_rate=0.05)
        assert outcome.best == outcome.epochs - 3 and outcome.metrics["accuracy"] > 0.7
        names = {p[0] for p in step.report.points}  # type: ignore[attr-defined]
        assert names == {"training loss", "learning rate", "validation loss", "validation accuracy"}
        assert any(" left" in message for _, message in step.report.fractions)  # type: ignore[attr-defined]


def test_cancelling_stops_within_a_batch(tmp_path: Path) -> None:
    with context.local(tmp_path) as step:
        step.report.stop = True  # type: ignore[attr-defined]
        with pytest.raises(Cancelled):
            train(network())


def test_a_learning_rate_that_blows_up_is_the_users_to_mend(tmp_path: Path) -> None:
    with context.local(tmp_path):
        bad = examples()
        bad.x[:] = np.inf
        with pytest.raises(StepError, match="not a number"):
            loop.fit(
                network(),
                bad,
                None,
                loop.Plan(epochs=1, batch_size=32, learning_rate=0.1),
                loss_of=loop.classify_loss(),
                quality_of=loop.classify_quality,
            )
