"""Shapes and colours without a model: histograms of oriented gradients on two grids, and the mean colours and spread of each part.

Dalal and Triggs, “Histograms of oriented gradients for human detection” (2005), with the square root of Arandjelović and Zisserman
(“Three things everyone should know”, 2012) in place of block normalisation, then the principal components of a sample.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from workers.embedding.errors import CannotEmbed
from workers.embedding.pictures import squares
from workers.embedding.shape import Floats, Input, principal, unit
from workers.sdk.embedders import EMBEDDERS
from workers.sdk.store import Store

SIDE, BINS = 48, 9
CELLS = (6, 12)
"""Pixels of a cell's side on the finer and the coarser grid: 8 × 8 and 4 × 4 cells."""
COLOUR = 0.35
"""How much colours count beside shapes: by kNN accuracy, more hurts where colour means nothing."""


class Embedding:
    def __init__(self, store: Store, parameters: dict[str, Any]) -> None:
        self._store = store
        self.arrays: dict[str, npt.NDArray[Any]] = {}
        self.told: dict[str, Any] = {}

    def fit(self, inputs: list[Input]) -> None:
        _, pictures = squares(self._store, [one["image"] for one in inputs], SIDE)
        if len(pictures) < 2:
            raise CannotEmbed("At least two pictures that can be read are needed.")
        self.arrays["mean"], self.arrays["components"] = principal(described(pictures))

    def embed(self, inputs: list[Input]) -> list[Floats | None]:
        places, pictures = squares(self._store, [one["image"] for one in inputs], SIDE)
        found: list[Floats | None] = [None] * len(inputs)
        if places:
            rows = unit((described(pictures) - self.arrays["mean"]) @ self.arrays["components"].T)
            for place, row in zip(places, rows, strict=True):
                found[place] = row
        return found

    def query(self, text: str) -> Floats:
        raise CannotEmbed(EMBEDDERS["picture_shapes"].why_no_text)


def described(pictures: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """`[n, side, side, 3]` to one row each."""
    grey = pictures @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    down = np.zeros_like(grey)
    across = np.zeros_like(grey)
    down[:, 1:-1] = grey[:, 2:] - grey[:, :-2]
    across[:, :, 1:-1] = grey[:, :, 2:] - grey[:, :, :-2]
    strength = np.hypot(down, across)
    # The direction without its sign, shared between the two bins beside it.
    angle = (np.arctan2(down, across) % np.pi) / np.pi * BINS
    low = np.floor(angle).astype(np.int64)
    part = angle - low
    planes = np.zeros((*grey.shape, BINS), dtype=np.float32)
    np.put_along_axis(planes, (low % BINS)[..., None], (strength * (1 - part))[..., None], axis=3)
    upper = np.zeros_like(planes)
    np.put_along_axis(upper, ((low + 1) % BINS)[..., None], (strength * part)[..., None], axis=3)
    planes += upper
    parts = [_rooted(_pooled(planes, cell)) for cell in CELLS]
    coarse = CELLS[-1]
    mean = _pooled(pictures, coarse)
    spread = np.sqrt(np.maximum(_pooled(pictures**2, coarse) - mean**2, 0))
    colours = np.concatenate([mean.reshape(len(pictures), -1), spread.reshape(len(pictures), -1)], axis=1)
    return np.concatenate([*parts, COLOUR * colours / np.sqrt(colours.shape[1])], axis=1).astype(np.float32)


def _pooled(planes: npt.NDArray[np.float32], cell: int) -> npt.NDArray[np.float32]:
    n, side, _, channels = planes.shape
    found: npt.NDArray[np.float32] = planes.reshape(n, side // cell, cell, side // cell, cell, channels).mean(axis=(2, 4))
    return found


def _rooted(histograms: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    flat = histograms.reshape(len(histograms), -1)
    total = flat.sum(axis=1, keepdims=True)
    found: npt.NDArray[np.float32] = np.sqrt(flat / np.where(total < 1e-9, 1, total))
    return found
