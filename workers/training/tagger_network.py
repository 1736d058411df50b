"""The network that tags tokens: an embedding for each of a token's numbers, summed, then convolutions over the neighbours, each looking
twice as far as the one before (Strubell and others, “Fast and Accurate Entity Recognition with Iterated Dilated Convolutions”, 2017).

It looks `REACH` tokens to both sides and no further, so a long text may be read in pieces that show as much around themselves.
"""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from workers.sdk import tags
from workers.sdk.spans import FIRST, SLOTS

DILATIONS = (1, 2, 4, 1)
REACH = sum(DILATIONS)
EMBEDDING = 64
FORGET = 0.1
"""Share of a token's numbers that are taken for unknown while training, so that the network learns to do without each."""
FORGET_WORD = 0.25
"""The same of words: most words of a new text were never seen, their shape and endings were."""


class Tagger(nn.Module):
    """Numbers `[texts, tokens, SLOTS]` (0 where there is no token) to scores `[texts, tokens, tags of all layers]`. `rows`: numbers that
    there are; `layers`: the labels of each."""

    def __init__(self, rows: int, layers: Sequence[int], width: int, dropout: float) -> None:
        super().__init__()
        self.widths = [tags.width(labels) for labels in layers]
        self.table = nn.Embedding(rows, EMBEDDING, padding_idx=0)
        nn.init.normal_(self.table.weight, std=0.3)
        with torch.no_grad():
            self.table.weight[0] = 0
        self.first = nn.Sequential(nn.LayerNorm(EMBEDDING), nn.Dropout(dropout), nn.Linear(EMBEDDING, width))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in DILATIONS)
        self.looks = nn.ModuleList(nn.Conv1d(width, width, 3, padding=d, dilation=d) for d in DILATIONS)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, sum(self.widths)))

    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
        there = (numbers[:, :, :1] != 0).to(self.table.weight.dtype)
        x = self.first(self.table(numbers).sum(dim=2)) * there
        for norm, look in zip(self.norms, self.looks, strict=True):
            # What lies past the end of a text is nothing at each depth, as it is past the end of a piece.
            around = look((norm(x) * there).transpose(1, 2)).transpose(1, 2)
            x = (x + nn.functional.relu(around)) * there
        scores: torch.Tensor = self.head(self.dropout(x))
        return scores

    def layers(self, scores: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return torch.split(scores, self.widths, dim=-1)


class Published(nn.Module):
    """What goes into ONNX: numbers in, chances out."""

    def __init__(self, tagger: Tagger) -> None:
        super().__init__()
        self.tagger = tagger

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return torch.cat([torch.softmax(one, dim=-1) for one in self.tagger.layers(self.tagger(tokens))], dim=-1)


def forget(numbers: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Some of the numbers taken for unknown: the augmentation of the training loop."""
    drawn = torch.rand(numbers.shape, generator=chance).to(numbers.device)
    rates = torch.full((SLOTS,), FORGET, device=numbers.device)
    rates[0] = FORGET_WORD
    unknown = torch.arange(1, FIRST, device=numbers.device, dtype=numbers.dtype).expand_as(numbers)
    return torch.where((drawn < rates) & (numbers != 0), unknown, numbers)


def to_onnx(tagger: Tagger) -> bytes:
    """The ONNX model as bytes, weights inside: `tokens` `[pieces, tokens, SLOTS]` int64, `chances` `[pieces, tokens, tags]`."""
    example = torch.ones((2, 24, SLOTS), dtype=torch.int64)
    for name in ("torch.onnx", "onnxscript", "onnx_ir"):
        logging.getLogger(name).setLevel(logging.ERROR)
    shape = {0: torch.export.Dim("pieces"), 1: torch.export.Dim("length")}
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), torch.no_grad():
        warnings.simplefilter("ignore")
        program: Any = torch.onnx.export(
            Published(tagger).eval(), (example,), input_names=["tokens"], output_names=["chances"], dynamic_shapes={"tokens": shape},
            dynamo=True, verbose=False,
        )  # fmt: skip
    assert program is not None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        program.save(str(path), external_data=False)
        return path.read_bytes()
