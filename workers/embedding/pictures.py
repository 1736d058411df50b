"""Pictures of the store as arrays."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from workers.sdk.images import LARGEST
from workers.sdk.store import Store, StoreError

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")  # what an upload accepts; no other decoder is ever tried


def opened(store: Store, digest: str) -> Image.Image | None:
    """Upright and in RGB, on white; None for what is no picture."""
    try:
        with Image.open(io.BytesIO(store.read(digest)), formats=FORMATS) as image:
            if image.width * image.height > LARGEST:
                return None
            image.draft("RGB", (512, 512))
            upright = ImageOps.exif_transpose(image)
            if upright.has_transparency_data:
                ground = Image.new("RGBA", upright.size, "white")
                ground.alpha_composite(upright.convert("RGBA"))
                upright = ground
            return upright.convert("RGB")
    except (OSError, ValueError, StoreError):
        return None


def squares(store: Store, digests: list[str], side: int) -> tuple[list[int], npt.NDArray[np.float32]]:
    """(places of those that could be read, their pictures as `[n, side, side, 3]` from 0 to 1)."""
    places, found = [], []
    for place, digest in enumerate(digests):
        if (image := opened(store, digest)) is not None:
            places.append(place)
            found.append(np.asarray(image.resize((side, side), Image.Resampling.BILINEAR), dtype=np.float32) / 255)
    return places, np.stack(found) if found else np.zeros((0, side, side, 3), dtype=np.float32)
