"""Training state on disk, so that a killed attempt goes on where it was. Tensors as safetensors, the rest as JSON: nothing is pickled.

Written beside and renamed: a checkpoint that exists is whole.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

STATE = "state"


def save(path: Path, state: Mapping[str, Any], **groups: Mapping[str, torch.Tensor]) -> None:
    """Keep `state` (JSON) and groups of named tensors."""
    tensors = {
        f"{group}:{name}": value.detach().cpu().contiguous().clone() for group, named in groups.items() for name, value in named.items()
    }
    temporary = path.with_suffix(".tmp")
    save_file(tensors, temporary, metadata={STATE: json.dumps(state)})
    temporary.replace(path)


def load(path: Path) -> tuple[dict[str, Any], dict[str, dict[str, torch.Tensor]]] | None:
    """`(state, groups)`, or None where there is no checkpoint, or none that can be read."""
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            state: dict[str, Any] = json.loads(file.metadata()[STATE])
            groups: dict[str, dict[str, torch.Tensor]] = {}
            for key in file.keys():  # noqa: SIM118 - safe_open is no dictionary
                group, _, name = key.partition(":")
                groups.setdefault(group, {})[name] = file.get_tensor(key)
    except Exception:  # a torn file is as good as none: training starts again
        return None
    return state, groups


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """The optimizer's memory as named tensors."""
    return {f"{i}.{name}": value for i, kept in optimizer.state_dict()["state"].items() for name, value in kept.items()}


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, torch.Tensor]) -> None:
    """Put the memory back."""
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        index, _, name = key.partition(".")
        state.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
