"""One training on several devices: every process runs the whole component, and they meet here (data parallel, `torch.distributed`).

The engine starts them (`workers.engine.ranks`) and says in the context who is who. In an ordinary step all of this does nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from workers.sdk import context
from workers.sdk.errors import Followed

if TYPE_CHECKING:
    import torch


def wrap(model: torch.nn.Module) -> torch.nn.Module:
    """`model` as it is called while training: its gradients are the mean over all processes."""
    step = context.current()
    if step.world == 1:
        return model
    import torch

    devices = [torch.device(step.device).index] if step.device.startswith("cuda") else None
    return torch.nn.parallel.DistributedDataParallel(model, device_ids=devices, find_unused_parameters=True)


def share(rows: torch.Tensor) -> torch.Tensor:
    """This process's part of a batch; all of it where the parts would be too small for statistics over a batch."""
    step = context.current()
    return rows if len(rows) < 2 * step.world else rows[step.rank :: step.world]


def agree(stop: bool) -> bool:
    """What the first process decided; the others wait for it."""
    step = context.current()
    if step.world == 1:
        return stop
    import torch
    import torch.distributed as dist

    word = torch.tensor([int(stop)], device=step.device)
    dist.broadcast(word, 0)
    return bool(word.item())


@contextlib.contextmanager
def first() -> Iterator[None]:
    """The first process does what is inside, then the others (who find what it left in the scratch folder)."""
    step = context.current()
    if step.world == 1:
        yield
        return
    import torch.distributed as dist

    if step.rank > 0:
        dist.barrier()
    yield
    if step.rank == 0:
        dist.barrier()


def part() -> None:
    """The training is over. The first process goes on alone; in the others this raises Followed."""
    step = context.current()
    if step.world > 1:
        import torch.distributed as dist

        dist.barrier()
        dist.destroy_process_group()
        if step.rank > 0:
            raise Followed
        step.world = 1
