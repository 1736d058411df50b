"""The training loop of every torch model. It reads from top to bottom.

Equal seeds give equal models on the processor, also when an attempt was killed in between: the order of the data and all chance depend
on the seed and the step's number alone, never on what ran before.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from typing import Any

import torch

from workers.sdk import context
from workers.sdk.errors import StepError
from workers.training import checkpoint, spread
from workers.training.halves import Halves

CHECKPOINT_EVERY_S = 20.0
TELL_EVERY_S = 0.5
LEAST_HELD = 10
"""By fewer examples than these no epoch is chosen: of three pictures one epoch that doubts them less than later ones is soon the best,
and now and then one that has learned little."""
# Data up to this size is put on the device once instead of batch by batch.
RESIDENT_BYTES = 4 * 1024**3

Loss = Callable[[torch.Tensor, torch.Tensor, torch.Tensor | None], torch.Tensor]
Quality = Callable[[torch.Tensor, torch.Tensor], dict[str, float]]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How to train. `patience`: stop after so many epochs without a better validation loss; 0 for never."""

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float = 0.01
    warmup: float = 0.1
    patience: int = 0
    seed: int = 0


@dataclass(kw_only=True)
class Examples:
    """Inputs (an array or memory map, first axis the examples), targets, and perhaps a weight for each."""

    x: Any
    y: torch.Tensor
    weights: torch.Tensor | None = None

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """`best` is the epoch whose weights the model has now; `epochs` were trained."""

    epochs: int
    best: int
    metrics: dict[str, float]


def fit(
    model: torch.nn.Module,
    training: Examples,
    validation: Examples | None,
    plan: Plan,
    *,
    loss_of: Loss,
    quality_of: Quality,
    augment: Callable[[torch.Tensor, torch.Generator], torch.Tensor] | None = None,
    vary: Callable[[torch.Tensor, torch.Tensor, torch.Generator], tuple[torch.Tensor, torch.Tensor]] | None = None,
    judged_by: str = "",
    choose: bool = True,
    share: tuple[float, float] = (0.0, 0.9),
) -> Outcome:
    """Train `model` in place. `augment` changes inputs a little each time, `vary` inputs and targets together. The best epoch is the one
    with the lowest validation loss, or the highest quality `judged_by`; without `choose` the last one is kept, and nothing stops early:
    a handful of examples would choose by chance. `share` is the part of the step's progress bar that this takes."""
    step = context.current()

    # 1. Where it runs.
    device = torch.device(step.device)
    torch.set_num_threads(step.threads)
    on_gpu = device.type == "cuda"
    halves = Halves(device)
    torch.manual_seed(plan.seed)
    model.to(device)
    learner = spread.wrap(model)
    feed, feed_validation = _Feed(training, device), _Feed(validation, device) if validation is not None and len(validation) else None

    # 2. How it learns.
    learned = [p for p in model.parameters() if p.requires_grad]
    # On a GPU all parameters in one kernel: a small network's step is mostly the starting of kernels.
    optimizer = torch.optim.AdamW(learned, lr=plan.learning_rate, weight_decay=plan.weight_decay, fused=on_gpu)
    batches = max(1, math.ceil(len(training) / plan.batch_size))
    total = plan.epochs * batches
    warmup = max(1, int(total * plan.warmup))

    # 3. Where an earlier attempt stopped.
    path = step.scratch / "checkpoint.safetensors"
    first, best_loss, best_epoch, best_metrics = 0, math.inf, 0, dict[str, float]()
    best_weights: dict[str, torch.Tensor] = {}
    if (found := checkpoint.load(path)) is not None and found[0]["plan"] == asdict(plan) and found[0]["examples"] == len(training):
        state, tensors = found
        model.load_state_dict(tensors["model"])
        checkpoint.restore_optimizer(optimizer, tensors.get("optimizer", {}))
        first, best_loss, best_epoch, best_metrics = (
            state["next"],
            state["best_loss"] or math.inf,
            state["best_epoch"],
            state["best_metrics"],
        )
        best_weights = tensors.get("best", {})
        halves.restore(state.get("halves", {}))
        step.log(f"Going on after step {first:,} of {total:,}.")

    def keep(following: int) -> None:
        if step.rank:
            return
        state = {
            "plan": asdict(plan),
            "examples": len(training),
            "next": following,
            "best_loss": best_loss if best_loss < math.inf else None,
            "best_epoch": best_epoch,
            "best_metrics": best_metrics,
            "halves": halves.state(),
        }
        checkpoint.save(path, state, model=model.state_dict(), optimizer=checkpoint.optimizer_tensors(optimizer), best=best_weights)

    # 4. The loop.
    started, told, kept = time.monotonic(), 0.0, time.monotonic()
    running, epoch, number = 0.0, 0, first
    for number in range(first, total):
        step.check_cancelled()
        epoch, batch = divmod(number, batches)
        if batch == 0 or number == first:
            order = torch.randperm(len(training), generator=torch.Generator().manual_seed(plan.seed * 1_000_003 + epoch))
            running, seen = 0.0, 0
            model.train()
        torch.manual_seed(plan.seed + 7919 * number + 15_485_863 * step.rank)  # dropout

        rate = plan.learning_rate * _pace(number, total, warmup)
        for group in optimizer.param_groups:
            group["lr"] = rate
        rows = order[batch * plan.batch_size : (batch + 1) * plan.batch_size]
        if len(rows) < 2 and batches > 1:
            continue  # batch normalisation has nothing to compare a single example with
        mine = spread.share(rows)
        x, y, weights = feed.take(mine)
        if augment is not None:
            x = augment(x, torch.Generator().manual_seed(plan.seed + 104_729 * number + 15_485_863 * step.rank))
        if vary is not None:
            x, y = vary(x, y, torch.Generator().manual_seed(plan.seed + 104_729 * number + 15_485_863 * step.rank))
        with halves.precision:
            loss = loss_of(learner(x), y, weights)
        if len(mine) < len(rows):
            loss = loss * (len(mine) * step.world / len(rows))  # the mean over processes is then the mean over the batch
        halves.step(loss, model, optimizer, clip=1.0)

        now = time.monotonic()
        if now - told > TELL_EVERY_S or batch == batches - 1:
            value = float(loss.detach())
            if not math.isfinite(value):
                raise StepError("The training loss is not a number any more.", hint="Use a smaller learning rate.", field="learning_rate")
            running, seen, told = running + value, seen + 1, now
            at = (number + 1) / batches
            step.metric("training loss", value, at)
            step.metric("learning rate", rate, at)
            left = (now - started) / (number - first + 1) * (total - number - 1)
            done = (number + 1) / total
            step.progress(
                share[0] + (share[1] - share[0]) * done,
                f"Epoch {epoch + 1} of {plan.epochs}, loss {value:.3g}, about {duration(left)} left",
            )

        # 5. After each epoch: look, remember the best, stop early.
        if batch == batches - 1:
            enough = False
            if step.rank:
                pass  # the first process looks for all
            elif feed_validation is not None:
                validation_loss, measured = evaluate(model, feed_validation, plan.batch_size, loss_of, quality_of, halves.precision)
                step.metric("validation loss", validation_loss, epoch + 1)
                for name, value in measured.items():
                    step.metric(f"validation {name}", value, epoch + 1)
                words = ", ".join(f"{n} {v:.4g}" for n, v in measured.items())
                step.log(f"Epoch {epoch + 1}: training loss {running / max(1, seen):.4g}, validation loss {validation_loss:.4g}, {words}")
                judged = -measured[judged_by] if judged_by else validation_loss
                if not choose:
                    best_epoch, best_metrics = epoch + 1, measured
                elif judged < best_loss:
                    best_loss, best_epoch, best_metrics = judged, epoch + 1, measured
                    best_weights = {k: v.detach().cpu().clone() for k, v in model.state_dict().items()}
                elif plan.patience and epoch + 1 - best_epoch >= plan.patience:
                    by = judged_by or "loss"
                    step.log(f"No better validation {by} for {plan.patience} epochs: stopping, with the weights of epoch {best_epoch}.")
                    enough = True
            else:
                best_epoch = epoch + 1
                step.log(f"Epoch {epoch + 1}: training loss {running / max(1, seen):.4g}")
            if spread.agree(enough):
                break
        if time.monotonic() - kept > CHECKPOINT_EVERY_S or (batch == batches - 1 and time.monotonic() - kept > 2):
            keep(number + 1)
            kept = time.monotonic()

    # 6. The best weights, back on the processor.
    spread.part()
    if best_weights:
        model.load_state_dict(best_weights)
    keep(total)
    model.to("cpu").eval()
    return Outcome(epochs=epoch + 1, best=best_epoch or epoch + 1, metrics=best_metrics)


def evaluate(
    model: torch.nn.Module, feed: _Feed, batch_size: int, loss_of: Loss, quality_of: Quality, precision: Any = None
) -> tuple[float, dict[str, float]]:
    """Loss and quality over all examples."""
    step = context.current()
    model.eval()
    outputs, total = [], 0.0
    with torch.inference_mode(), precision or nullcontext():
        for start in range(0, len(feed), 2 * batch_size):
            step.check_cancelled()
            x, y, weights = feed.take(torch.arange(start, min(start + 2 * batch_size, len(feed))))
            answered = model(x).float()
            total += float(loss_of(answered, y, weights)) * len(y)
            outputs.append(answered.cpu())
    return total / max(1, len(feed)), quality_of(torch.cat(outputs), feed.examples.y)


class _Feed:
    """Batches on the device: from a copy there where it fits, else from memory (or a memory map) as they are needed."""

    def __init__(self, examples: Examples, device: torch.device) -> None:
        self.examples, self.device = examples, device
        self._x = None
        if device.type == "cuda" and examples.x.nbytes <= RESIDENT_BYTES:
            self._x = torch.from_numpy(examples.x[:]).to(device)
        self._y = examples.y.to(device)
        self._weights = examples.weights.to(device) if examples.weights is not None else None

    def __len__(self) -> int:
        return len(self.examples)

    def take(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        if self._x is not None:
            x = self._x[rows.to(self.device)]
        else:
            # rows in rising order read a memory map forwards; a batch has no order of its own
            rows = rows.sort().values
            x = torch.from_numpy(self.examples.x[rows.numpy()])
            x = x.pin_memory().to(self.device, non_blocking=True) if self.device.type == "cuda" else x
        at = rows.to(self.device)
        return x, self._y[at], self._weights[at] if self._weights is not None else None


def _pace(number: int, total: int, warmup: int) -> float:
    """Share of the learning rate: a short rise, then half a cosine down."""
    if number < warmup:
        return (number + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (number - warmup) / max(1, total - warmup)))


def duration(seconds: float) -> str:
    """A rough time for people."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def classify_loss(class_weights: torch.Tensor | None = None, smoothing: float = 0.0) -> Loss:
    """Cross entropy; `class_weights` count rare classes more."""

    def loss(outputs: torch.Tensor, y: torch.Tensor, weights: torch.Tensor | None) -> torch.Tensor:
        weight = class_weights.to(outputs.device) if class_weights is not None else None
        if weights is None:
            return torch.nn.functional.cross_entropy(outputs.float(), y, weight=weight, label_smoothing=smoothing)
        each = torch.nn.functional.cross_entropy(outputs.float(), y, weight=weight, label_smoothing=smoothing, reduction="none")
        return (each * weights).sum() / weights.sum()

    return loss


def classify_quality(outputs: torch.Tensor, y: torch.Tensor) -> dict[str, float]:
    """Share of right answers."""
    return {"accuracy": float((outputs.argmax(1) == y).float().mean())}


def value_loss(outputs: torch.Tensor, y: torch.Tensor, weights: torch.Tensor | None) -> torch.Tensor:
    """Mean squared error."""
    return torch.nn.functional.mse_loss(outputs.float().squeeze(1), y)
