"""Masks painted in a hand (`aside`): no models here."""

from __future__ import annotations

from typing import Any

from workers.sdk.labels import raster


def painted(width: int, height: int, shapes: list[Any], colors: list[str]) -> bytes:
    """A mask as PNG; see `raster.png`."""
    return raster.png(width, height, shapes, colors)
