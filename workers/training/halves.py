"""Half precision on a GPU, where it helps: the arithmetic of a network in 16 bits, its weights and their updates in 32.

Source: Micikevicius et al., "Mixed Precision Training", 2018. bfloat16 has the range of float32; float16 has not, and small gradients
would become zero: the loss is multiplied before they are computed, and they are divided again before they are used.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch


def kind(device: torch.device) -> torch.dtype | None:
    """The 16 bits that `device` computes quicker in than in 32; None where there are none.

    From compute capability 8.0 bfloat16, from 7.0 float16 (bfloat16 would be imitated there, slower than float32).
    """
    if device.type != "cuda":
        return None
    capability = torch.cuda.get_device_capability(device)
    return torch.bfloat16 if capability >= (8, 0) else torch.float16 if capability >= (7, 0) else None


class Halves:
    """How one training computes: `with halves.precision:` around the network, `halves.step(…)` in place of backward, clip and step."""

    def __init__(self, device: torch.device) -> None:
        self.dtype = kind(device)
        self.precision: AbstractContextManager[Any] = nullcontext() if self.dtype is None else torch.autocast(device.type, self.dtype)
        self._scaler = torch.amp.GradScaler(device.type, enabled=self.dtype is torch.float16)

    def step(self, loss: torch.Tensor, model: torch.nn.Module, optimizer: torch.optim.Optimizer, clip: float) -> None:
        """The gradients of `loss` (a scalar), shortened together to the norm `clip`, and the optimizer's step. A step whose gradients
        have left float16's range is left out, and the next ones are multiplied by less."""
        optimizer.zero_grad(set_to_none=True)
        self._scaler.scale(loss).backward()
        self._scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        self._scaler.step(optimizer)
        self._scaler.update()

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps: by how much the loss is multiplied now. Empty without float16."""
        return self._scaler.state_dict()

    def restore(self, state: dict[str, Any]) -> None:
        """Go on with what `state` gave; nothing where either side has none (another card than before)."""
        if state and self._scaler.is_enabled():
            self._scaler.load_state_dict(state)
