"""A torch image model as ONNX: uint8 pictures in, probabilities (or a detector's places) out, any number of them at once."""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
import warnings
from pathlib import Path
from typing import Any

import torch

from workers.training.networks import Pictures, Published


def pictures_to_onnx(pictures: Pictures, height: int, width: int, channels: int) -> bytes:
    """The ONNX model as bytes, weights inside."""
    return to_onnx(Published(pictures), height, width, channels, "probabilities")


def to_onnx(published: torch.nn.Module, height: int, width: int, channels: int, output: str) -> bytes:
    """A module that takes uint8 pictures, with one output of this name."""
    published.eval()
    example = torch.zeros((2, height, width, channels), dtype=torch.uint8)
    for name in ("torch.onnx", "onnxscript", "onnx_ir"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), torch.no_grad():
        warnings.simplefilter("ignore")
        program: Any = torch.onnx.export(
            published,
            (example,),
            input_names=["image"],
            output_names=[output],
            dynamic_shapes={"image": {0: torch.export.Dim("batch")}},
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        program.save(str(path), external_data=False)
        return path.read_bytes()
