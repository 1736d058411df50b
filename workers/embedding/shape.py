"""What every embedder is, and the arrays that it keeps between processes. Nothing is ever pickled."""

from __future__ import annotations

import io
import json
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Input = dict[str, Any]
"""`{"image": digest}`, `{"file": digest}` (a text), `{"text": …}` or `{"row": {…}}`."""
DIMENSIONS = 128
"""Most components that are kept where an embedder is free to choose: HNSW stays quick, and distances lose little."""


class Shape(Protocol):
    """`fit` learns from a sample, `embed` gives unit vectors (None for what it cannot read), `query` places words in the same space or
    raises CannotEmbed. `arrays` is all that another process needs to go on; `told` is what is kept with it."""

    arrays: dict[str, npt.NDArray[Any]]
    told: dict[str, Any]

    def fit(self, inputs: list[Input]) -> None: ...
    def embed(self, inputs: list[Input]) -> list[Floats | None]: ...
    def query(self, text: str) -> Floats: ...


def pack(shape: Shape) -> bytes:
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {**shape.arrays, "told": np.frombuffer(json.dumps(shape.told).encode(), dtype=np.uint8)}
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def unpack(data: bytes, shape: Shape) -> None:
    with np.load(io.BytesIO(data), allow_pickle=False) as kept:
        shape.told = json.loads(kept["told"].tobytes())
        shape.arrays = {name: kept[name] for name in kept.files if name != "told"}


def unit(rows: npt.NDArray[Any]) -> Floats:
    """Each row with length 1; a row of zeros becomes the first axis, so that it has a distance to everything."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    empty = lengths[:, 0] < 1e-9
    found = (rows / np.where(lengths < 1e-9, 1, lengths)).astype(np.float32)
    found[empty] = 0
    found[empty, 0] = 1
    return found


def principal(rows: npt.NDArray[Any], most: int = DIMENSIONS) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """(mean, components) of a sample; fewer components than `most` where it has no more."""
    from sklearn.decomposition import PCA

    pca = PCA(n_components=min(most, *rows.shape), svd_solver="randomized" if min(rows.shape) > 500 else "full", random_state=0).fit(rows)
    return pca.mean_.astype(np.float32), pca.components_.astype(np.float32)
