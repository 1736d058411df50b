"""Texts by a pretrained encoder of transformers: the mean of its last layer over the words (Reimers and Gurevych, 2019)."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from workers.embedding.checkpoints import loaded
from workers.embedding.shape import Floats, Input, unit
from workers.embedding.texts import text_of
from workers.sdk.store import Store


class Embedding:
    def __init__(self, store: Store, parameters: dict[str, Any]) -> None:
        self._store, self._checkpoint = store, str(parameters["checkpoint"])
        self.arrays: dict[str, npt.NDArray[Any]] = {}
        self.told: dict[str, Any] = {}
        self._model: Any = None

    def fit(self, inputs: list[Input]) -> None:
        """Nothing is learned; the checkpoint is looked at."""
        self._loaded()

    def embed(self, inputs: list[Input]) -> list[Floats | None]:
        texts = [text_of(self._store, one) for one in inputs]
        found: list[Floats | None] = []
        for start in range(0, len(texts), 16):
            part = texts[start : start + 16]
            rows = self._placed([text or "" for text in part])
            found += [row if text is not None else None for text, row in zip(part, rows, strict=True)]
        return found

    def query(self, text: str) -> Floats:
        return self._placed([text])[0]

    def _placed(self, texts: list[str]) -> Floats:
        import torch

        tokenizer, model = self._loaded()
        tokens = tokenizer(texts, padding=True, truncation=True, max_length=256, return_tensors="pt")
        with torch.inference_mode():
            hidden = model(**tokens).last_hidden_state
        mask = tokens["attention_mask"].unsqueeze(-1)
        return unit(((hidden * mask).sum(1) / mask.sum(1).clamp(min=1)).float().numpy())

    def _loaded(self) -> Any:
        if self._model is None:
            from transformers import AutoModel, AutoTokenizer

            def load(source: str) -> Any:
                tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
                return tokenizer, AutoModel.from_pretrained(source, use_safetensors=True, trust_remote_code=False).eval()

            self._model = loaded(self._checkpoint, load)
        return self._model
