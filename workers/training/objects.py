"""A compact detector: what it is, what it is taught, and how its loss is worked out. Plain torch.

One network looks at the whole picture in stages, each half as fine, and brings the coarse ones back to the fine (a feature pyramid; Lin and
others 2017). Every place of the finest level says for each label how likely a thing's middle lies there (a heat map with the
focal loss of CenterNet; Zhou and others, “Objects as Points”, 2019) and how far its four sides are, taught at the places around
the middle with the generalised intersection over union (TTFNet; Liu and others, “Training-Time-Friendly Network for Real-Time Object
Detection”, 2020; Rezatofighi and others 2019). No anchors, so nothing to tune to a data set's sizes but their mean.

Sides are shares of the picture, 0 to 1: left, top, right, bottom. What is taught of a picture are rows (sides, label), with label −1 where
there is none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from workers.training.networks import Pictures

COARSEST = 32
"""Pixels of the coarsest stage's places: a picture's sides are a multiple of it."""
MIDDLE = 0.54
"""Share of a box whose places are taught its sides (TTFNet's alpha)."""
SIDES_WEIGHT = 5.0
FURTHEST = 5.0
"""Sides are at most exp(5), 148 times, and at least 1/148 of the mean away."""
LIKELY_AT_FIRST = -2.19
"""Logit of a chance of 0.1, so that the many empty places do not drown everything in the first steps (focal loss; Lin and others 2017)."""


def finest(height: int, width: int) -> int:
    """Pixels of a place: 4, and 8 of large pictures, so that there are at most about 4,000 places."""
    return 4 if height * width <= 256 * 256 else 8


def _step(before: int, now: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, now, 3, stride, padding=1, bias=False), nn.BatchNorm2d(now), nn.ReLU(),
        nn.Conv2d(now, now, 3, padding=1, bias=False), nn.BatchNorm2d(now), nn.ReLU(),
    )  # fmt: skip


class Pyramid(nn.Module):
    """Scaled pictures `[batch, channels, height, width]` to places `[batch, places, 4 + labels]`: sides, and a logit for each label.
    `usual` is half the mean width and height of the boxes that are taught: what sides are measured in."""

    usual: torch.Tensor
    middles: torch.Tensor

    def __init__(self, channels: int, labels: int, height: int, width: int, *, first: int, usual: tuple[float, float]) -> None:
        super().__init__()
        self.stride = finest(height, width)
        self.rows, self.columns = height // self.stride, width // self.stride
        sizes = [first, 2 * first, 4 * first, min(8 * first, 256), min(8 * first, 256)]
        self.stages = nn.ModuleList(_step(before, now, 2) for before, now in zip([channels, *sizes], sizes, strict=False))
        level = 1 if self.stride == 4 else 2  # the finest stage that is used: 4 or 8 pixels a place
        wide = 2 * first
        self.across = nn.ModuleList(nn.Conv2d(size, wide, 1) for size in sizes[level:])
        self.level = level
        self.smooth = nn.Sequential(nn.Conv2d(wide, wide, 3, padding=1, bias=False), nn.BatchNorm2d(wide), nn.ReLU())
        self.likely = nn.Sequential(nn.Conv2d(wide, wide, 3, padding=1), nn.ReLU(), nn.Conv2d(wide, labels, 1))
        self.sides = nn.Sequential(nn.Conv2d(wide, wide, 3, padding=1), nn.ReLU(), nn.Conv2d(wide, 4, 1))
        nn.init.constant_(self.likely[-1].bias, LIKELY_AT_FIRST)  # type: ignore[arg-type]  # a Sequential's parts are typed as any module
        nn.init.zeros_(self.sides[-1].bias)  # type: ignore[arg-type]  # as above
        self.register_buffer("usual", torch.tensor([*usual, *usual], dtype=torch.float32))
        down = (torch.arange(self.rows) + 0.5) / self.rows
        right = (torch.arange(self.columns) + 0.5) / self.columns
        self.register_buffer("middles", torch.stack([right.repeat(self.rows), down.repeat_interleave(self.columns)], dim=1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        seen = []
        for stage in self.stages:
            x = stage(x)
            seen.append(x)
        levels = [bring(one) for bring, one in zip(self.across, seen[self.level :], strict=True)]
        x = levels[-1]
        for finer in reversed(levels[:-1]):
            x = finer + functional.interpolate(x, scale_factor=2.0, mode="nearest")
        x = self.smooth(x)
        # In full precision from here on: half of it would move sides by pixels.
        logits = self.likely(x).flatten(2).transpose(1, 2).float()
        away = torch.exp(self.sides(x).flatten(2).transpose(1, 2).float().clamp(-FURTHEST, FURTHEST)) * self.usual
        return torch.cat([self.middles - away[..., :2], self.middles + away[..., 2:], logits], dim=2)


class Places(nn.Module):
    """What goes into ONNX: pictures in, sides and scores of every place out."""

    def __init__(self, pictures: Pictures) -> None:
        super().__init__()
        self.pictures = pictures

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return scored(self.pictures(image))


def scored(places: torch.Tensor) -> torch.Tensor:
    """Logits as scores, sides within the picture: all 0 to 1."""
    return torch.cat([places[..., :4].clamp(0, 1), torch.sigmoid(places[..., 4:])], dim=-1)


def taught(truth: torch.Tensor, rows: int, columns: int, labels: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Of truth `[batch, boxes, 5]`: the heat `[batch, labels, places]`, 1 where a middle lies and falling off around it as the box is
    wide and high; the box `[batch, places]` whose sides a place is taught; and how much that counts, 1 in all for each box. Where boxes lie
    over each other a place belongs to the smaller one."""
    there = truth[..., 4] >= 0
    left, top, right, bottom = (truth[..., n] for n in range(4))
    grids = []
    for low, high, count in ((left, right, columns), (top, bottom, rows)):
        middle = ((low + high) / 2 * count).floor().clamp(0, count - 1)
        reach = (high - low) * count * MIDDLE / 2
        away = torch.arange(count, device=truth.device)[None, None, :] - middle[..., None]
        spread = ((2 * reach + 1) / 6)[..., None]
        grids.append(torch.where(away.abs() <= reach[..., None], torch.exp(-(away**2) / (2 * spread**2)), 0.0))
    near = (grids[1][..., :, None] * grids[0][..., None, :]).flatten(2) * there[..., None]
    heat = torch.zeros(len(truth), labels, rows * columns, device=truth.device)
    kinds = truth[..., 4].long().clamp(min=0)[..., None].expand_as(near)
    heat = heat.scatter_reduce(1, kinds, near, "amax")
    area = ((right - left) * (bottom - top))[..., None]
    owner = torch.where(near > 0, 2 - area, 0.0).argmax(dim=1)
    weight = near.gather(1, owner[:, None]).squeeze(1)
    whole = torch.zeros(truth.shape[:2], device=truth.device).scatter_add(1, owner, weight)
    return heat, owner, weight / whole.gather(1, owner).clamp(min=1e-9)


def loss_for(rows: int, columns: int, labels: int) -> Callable[[torch.Tensor, torch.Tensor, torch.Tensor | None], torch.Tensor]:
    """The loss of places `[batch, places, 4 + labels]` for truth `[batch, boxes, 5]`, for each box of the batch."""

    def loss_of(places: torch.Tensor, truth: torch.Tensor, weights: torch.Tensor | None) -> torch.Tensor:
        places, truth = places.float(), truth.float()
        heat, owner, share = taught(truth, rows, columns, labels)
        boxes = (truth[..., 4] >= 0).sum().clamp(min=1)
        logits = places[..., 4:].transpose(1, 2)
        likely = torch.sigmoid(logits)
        at_middle = -((1 - likely) ** 2) * functional.logsigmoid(logits)
        beside = -((1 - heat) ** 4) * likely**2 * functional.logsigmoid(-logits)
        heat_loss = torch.where(heat >= 1, at_middle, beside).sum() / boxes
        wanted = truth[..., :4].gather(1, owner[..., None].expand(-1, -1, 4))
        return heat_loss + SIDES_WEIGHT * ((1 - generalised(places[..., :4], wanted)) * share).sum() / boxes

    return loss_of


def generalised(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Generalised intersection over union of boxes `[..., 4]`, −1 to 1: less the share of the box around both that neither covers."""
    inner = (torch.minimum(one[..., 2:], other[..., 2:]) - torch.maximum(one[..., :2], other[..., :2])).clamp(min=0).prod(-1)
    areas = [(side[..., 2:] - side[..., :2]).clamp(min=0).prod(-1) for side in (one, other)]
    either = areas[0] + areas[1] - inner
    around = (torch.maximum(one[..., 2:], other[..., 2:]) - torch.minimum(one[..., :2], other[..., :2])).prod(-1)
    return inner / either.clamp(min=1e-9) - (around - either) / around.clamp(min=1e-9)


def varied(kind: str, scaled: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """A function (pictures, truth, generator) → (scaled pictures, truth), or None. light: shifted, sized, lighter or darker. mirror: also
    flipped. A box of which less than a third is left in the picture is not taught."""
    if kind == "none":
        return None

    def change(x: torch.Tensor, truth: torch.Tensor, chance: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        x, count = scaled(x), len(x)
        draw = lambda: torch.rand(count, generator=chance) * 2 - 1  # noqa: E731 - five uses in the next line
        size, across, down, light, contrast = torch.exp(draw() * 0.25), draw() * 0.2, draw() * 0.2, draw() * 0.2, 1 + draw() * 0.2
        flip = torch.where(torch.rand(count, generator=chance) < 0.5, -1.0, 1.0) if kind == "light and mirror" else torch.ones(count)
        zero = torch.zeros(count)
        turn = torch.stack([torch.stack([size * flip, zero, across], 1), torch.stack([zero, size, down], 1)], 1).to(x.device)
        grid = functional.affine_grid(turn, list(x.shape), align_corners=False)
        x = functional.grid_sample(x, grid.to(x.dtype), padding_mode="border", align_corners=False)
        x = x * contrast.to(x.device)[:, None, None, None] + light.to(x.device)[:, None, None, None]
        # The grid says where each new place comes from; boxes go the other way.
        scale = torch.stack([size * flip, size, size * flip, size], 1).to(truth.device)[:, None]
        shift = torch.stack([across, down, across, down], 1).to(truth.device)[:, None]
        moved = ((truth[..., :4] * 2 - 1 - shift) / scale + 1) / 2
        one, other = moved[..., :2], moved[..., 2:]
        whole = torch.cat([torch.minimum(one, other), torch.maximum(one, other)], dim=-1)
        cut = whole.clamp(0, 1)
        left = (cut[..., 2:] - cut[..., :2]).prod(-1) / (whole[..., 2:] - whole[..., :2]).prod(-1).clamp(min=1e-12)
        label = torch.where(left >= 1 / 3, truth[..., 4], -1.0)
        return x, torch.cat([cut, label[..., None]], dim=-1)

    return change
