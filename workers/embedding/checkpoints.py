"""Pretrained checkpoints: a folder among the studio's, or a name on the hub. Weights are read as safetensors only, and no code that comes
with one is run."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workers.embedding.errors import CannotEmbed


def source_of(checkpoint: str) -> str:
    """Where it lies; raises CannotEmbed for a name that leads elsewhere."""
    shelf = Path(os.environ.get("HEADRACE_CHECKPOINTS") or Path(os.environ.get("HEADRACE_DATA_DIR", ".headrace")) / "checkpoints")
    parts = checkpoint.split("/")
    if checkpoint.startswith("/") or "" in parts or ".." in parts or "\\" in checkpoint or "\0" in checkpoint:
        raise CannotEmbed(f"“{checkpoint}” is not the name of a checkpoint: give a folder among the studio's checkpoints, or owner/name.")
    return str(shelf / checkpoint) if (shelf / checkpoint).is_dir() else checkpoint


def loaded(checkpoint: str, load: Callable[[str], Any]) -> Any:
    """What `load` makes of it; raises CannotEmbed with what to do."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # read at import
    try:
        return load(source_of(checkpoint))
    except (OSError, ValueError, ImportError, KeyError) as error:
        first = (str(error).strip().splitlines() or ["it cannot be read"])[0][:200]
        raise CannotEmbed(
            f"The checkpoint “{checkpoint}” cannot be used: {first} Is its name right, has it safetensors weights, and can this machine"
            " reach the hub? Or put its folder among the studio's checkpoints."
        ) from error
