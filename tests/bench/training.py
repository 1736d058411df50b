"""`python -m tests.bench.training`: pictures a second through the training loop, beside the same network, optimiser and precision in a bare
loop. On the GPU where there is one. Prints `tests.bench.main.Row`s."""

from __future__ import annotations

import contextlib
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from tests.bench.main import Row
from workers.sdk import context
from workers.training import loop
from workers.training.networks import Pictures, SmallConvolutions

ROUNDS = 3


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return Pictures(SmallConvolutions(1, 10, 28, 16, 0.2), [0.13], [0.31])


def bare(x: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], y: torch.Tensor, device: str, batch: int, epochs: int) -> float:
    """Seconds of forward, backward, clip and step, and nothing else."""
    model = network().to(device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, fused=device == "cuda")
    pictures, targets = torch.from_numpy(x).to(device), y.to(device)
    precision = torch.autocast("cuda", dtype=torch.bfloat16) if device == "cuda" else contextlib.nullcontext()
    begun = time.perf_counter()
    for _ in range(epochs):
        order = torch.randperm(len(y), device=device)
        for start in range(0, len(y), batch):
            rows = order[start : start + batch]
            with precision:
                loss = torch.nn.functional.cross_entropy(model(pictures[rows]).float(), targets[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - begun


def ours(x: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], y: torch.Tensor, device: str, batch: int, epochs: int) -> float:
    plan = loop.Plan(epochs=epochs, batch_size=batch, learning_rate=0.01)
    with tempfile.TemporaryDirectory() as folder, context.local(Path(folder), device=device):
        begun = time.perf_counter()
        loop.fit(network(), loop.Examples(x=x, y=y), None, plan, loss_of=loop.classify_loss(), quality_of=loop.classify_quality)
        return time.perf_counter() - begun


def main() -> None:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    count, epochs = (60_000, 5) if device == "cuda" else (2_000, 1)
    x = np.random.default_rng(0).integers(0, 256, (count, 28, 28, 1), dtype=np.uint8)
    y = torch.from_numpy(np.random.default_rng(1).integers(0, 10, count))
    for batch in (64, 512) if device == "cuda" else (64,):
        bare(x, y, device, batch, 1), ours(x, y, device, batch, 1)
        times = [(bare(x, y, device, batch, epochs), ours(x, y, device, batch, epochs)) for _ in range(ROUNDS)]
        floor, own = (count * epochs / statistics.median(t[i] for t in times) for i in (0, 1))
        name = f"28 × 28 pictures, batches of {batch}, {device}"
        print(
            Row(
                part="training", name=name, ours=round(own), floor=round(floor), unit="images/s",
                floor_is="a bare torch loop",
            ).line(),
            flush=True,
        )  # fmt: skip


if __name__ == "__main__":
    main()
