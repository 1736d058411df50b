"""Pictures by a pretrained checkpoint of transformers: those that read text too (CLIP, SigLIP) find pictures by words.

The pictures are scaled here, by what the checkpoint's `preprocessor_config.json` says: its own code would need torchvision.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workers.embedding.checkpoints import loaded
from workers.embedding.errors import CannotEmbed
from workers.embedding.pictures import squares
from workers.embedding.shape import Floats, Input, unit
from workers.sdk.embedders import EMBEDDERS
from workers.sdk.store import Store

MEAN, SPREAD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


class Embedding:
    def __init__(self, store: Store, parameters: dict[str, Any]) -> None:
        self._store, self._checkpoint = store, str(parameters["checkpoint"])
        self.arrays: dict[str, npt.NDArray[Any]] = {}
        self.told: dict[str, Any] = {}
        self._model: Any = None

    def fit(self, inputs: list[Input]) -> None:
        """Nothing is learned; what the checkpoint is like is found out."""
        model = self._loaded()
        self.told = {"takes_text": hasattr(model, "get_text_features")}

    def embed(self, inputs: list[Input]) -> list[Floats | None]:
        import torch

        model = self._loaded()
        side, mean, spread = _scaling(self._checkpoint, model)
        places, pictures = squares(self._store, [one["image"] for one in inputs], side)
        found: list[Floats | None] = [None] * len(inputs)
        if not places:
            return found
        pixels = torch.from_numpy(((pictures - np.array(mean, np.float32)) / np.array(spread, np.float32)).transpose(0, 3, 1, 2).copy())
        with torch.inference_mode():
            features = model.get_image_features(pixel_values=pixels) if hasattr(model, "get_image_features") else model(pixel_values=pixels)
        for place, row in zip(places, unit(_rows(features)), strict=True):
            found[place] = row
        return found

    def query(self, text: str) -> Floats:
        import torch
        from transformers import AutoTokenizer

        model = self._loaded()
        if not hasattr(model, "get_text_features"):
            raise CannotEmbed(EMBEDDERS["picture_checkpoint"].why_no_text)
        tokenizer = loaded(self._checkpoint, lambda source: AutoTokenizer.from_pretrained(source, trust_remote_code=False))
        tokens = tokenizer([text], padding=True, truncation=True, return_tensors="pt")
        known = {name: value for name, value in tokens.items() if name in ("input_ids", "attention_mask")}
        with torch.inference_mode():
            return unit(_rows(model.get_text_features(**known)))[0]

    def _loaded(self) -> Any:
        if self._model is None:
            from transformers import AutoModel

            self._model = loaded(
                self._checkpoint, lambda source: AutoModel.from_pretrained(source, use_safetensors=True, trust_remote_code=False)
            ).eval()
        return self._model


def _rows(features: Any) -> npt.NDArray[np.float32]:
    """A tensor, or what a model gives: its pooled output, else its first token."""
    pooled = features if hasattr(features, "detach") else getattr(features, "pooler_output", None)
    if pooled is None:
        pooled = features.last_hidden_state[:, 0]
    found: npt.NDArray[np.float32] = pooled.detach().float().reshape(len(pooled), -1).numpy()
    return found


def _scaling(checkpoint: str, model: Any) -> tuple[int, list[float], list[float]]:
    from transformers.utils import cached_file

    try:
        said = json.loads(Path(loaded(checkpoint, lambda source: cached_file(source, "preprocessor_config.json"))).read_text())
    except CannotEmbed:
        said = {}
    config = getattr(model.config, "vision_config", model.config)
    size = said.get("crop_size") or said.get("size") or getattr(config, "image_size", 224)
    if isinstance(size, dict):
        size = size.get("height") or size.get("shortest_edge") or 224
    return int(size), said.get("image_mean") or MEAN, said.get("image_std") or SPREAD
