"""The networks that are trained from nothing: dense layers for rows, convolutions for images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn


def dense(features: int, layers: Sequence[int], outputs: int, dropout: float) -> nn.Sequential:
    """Dense layers with batch normalisation, ReLU and dropout between them."""
    parts: list[nn.Module] = []
    width = features
    for size in layers:
        parts += [nn.Linear(width, size), nn.BatchNorm1d(size), nn.ReLU(), nn.Dropout(dropout)]
        width = size
    return nn.Sequential(*parts, nn.Linear(width, outputs))


def folded(network: nn.Sequential) -> list[tuple[Any, Any]]:
    """The trained layers as (weights `[in, out]`, bias), batch normalisation folded in: what ONNX gets."""
    layers: list[tuple[Any, Any]] = []
    for part in network:
        if isinstance(part, nn.Linear):
            layers.append((part.weight.detach().double().T.numpy(), part.bias.detach().double().numpy()))
        elif isinstance(part, nn.BatchNorm1d):
            assert part.running_mean is not None and part.running_var is not None
            factor = (part.weight / torch.sqrt(part.running_var + part.eps)).detach().double().numpy()
            weights, bias = layers[-1]
            shifted = (bias - part.running_mean.double().numpy()) * factor + part.bias.detach().double().numpy()
            layers[-1] = (weights * factor, shifted)
    return layers


class SmallConvolutions(nn.Module):
    """Convolutions in stages, each halving the picture and widening the channels, then an average over what is left."""

    def __init__(self, channels: int, classes: int, side: int, width: int = 24, dropout: float = 0.2) -> None:
        super().__init__()
        stages = 2 if side <= 40 else 3 if side <= 80 else 4 if side <= 160 else 5
        parts: list[nn.Module] = []
        before, now = channels, width
        for stage in range(stages + 1):
            parts += [nn.Conv2d(before, now, 3, padding=1, bias=False), nn.BatchNorm2d(now), nn.ReLU()]
            if stage < stages:
                parts.append(nn.MaxPool2d(2))
            before, now = now, min(now * 2, 256)
        self.body = nn.Sequential(*parts)
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout(dropout), nn.Linear(4 * before, classes))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answered: torch.Tensor = self.head(self.body(x))
        return answered


class Pictures(nn.Module):
    """Takes uint8 pictures `[batch, height, width, channels]` and scales them for the network inside."""

    mean: torch.Tensor
    spread: torch.Tensor

    def __init__(self, network: nn.Module, mean: Sequence[float], spread: Sequence[float], logits: bool = False) -> None:
        super().__init__()
        self.network, self.logits = network, logits
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1))
        self.register_buffer("spread", torch.tensor(spread).view(1, -1, 1, 1))

    def scaled(self, image: torch.Tensor) -> torch.Tensor:
        """To numbers around 0, channels first."""
        numbers: torch.Tensor = (image.permute(0, 3, 1, 2).float() / 255.0 - self.mean) / self.spread
        return numbers

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        if image.dtype == torch.uint8:
            image = self.scaled(image)
        answered = self.network(image)
        scores: torch.Tensor = answered.logits if self.logits else answered
        return scores


class Published(nn.Module):
    """What goes into ONNX: pictures in, probabilities out."""

    def __init__(self, pictures: Pictures) -> None:
        super().__init__()
        self.pictures = pictures

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return torch.softmax(self.pictures(image), dim=1)


def augmentation(kind: str) -> Any:
    """A function (scaled pictures, generator) → pictures, or None. light: turned, shifted and sized a little. mirror: also flipped."""
    if kind == "none":
        return None

    def change(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
        count = len(x)
        draw = lambda: torch.rand(count, generator=chance) * 2 - 1  # noqa: E731
        angle, size, across, down = draw() * 0.2, 1 + draw() * 0.1, draw() * 0.12, draw() * 0.12
        flip = torch.where(torch.rand(count, generator=chance) < 0.5, -1.0, 1.0) if kind == "light and mirror" else torch.ones(count)
        cos, sin = torch.cos(angle) * size, torch.sin(angle) * size
        turn = torch.stack([torch.stack([cos * flip, -sin, across], 1), torch.stack([sin * flip, cos, down], 1)], 1).to(x.device)
        grid = nn.functional.affine_grid(turn, list(x.shape), align_corners=False)
        # what lies outside is like the edge, not black: a picture's ground may be any colour
        return nn.functional.grid_sample(x, grid.to(x.dtype), padding_mode="border", align_corners=False)

    return change
