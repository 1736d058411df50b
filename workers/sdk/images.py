"""One way to turn an image file into a model's input, used by training, evaluation and serving alike, so that
what a model was trained on and what it is asked in production cannot differ."""

from __future__ import annotations

import io
import threading
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LARGEST = 160_000_000
"""Pixels of a picture that a data set may hold: the largest sensors of cameras (151 megapixels) pass; decoded it takes 640 MB."""
TOGETHER = 32_000_000
"""Of pictures that decode to more pixels than this one is decoded at a time: 32 megapixels are 96 MB as RGB."""
_alone = threading.Lock()


class ImageRefused(ValueError):
    """The bytes are not an image that can be used; the text says why."""


def decode_image(data: bytes, height: int, width: int, channels: int) -> NDArray[np.uint8]:
    """Decode one image file to `[height, width, channels]` uint8, stretched to exactly that size (bilinear).

    `channels` is 1 (grey) or 3 (RGB); transparency is laid over black; the EXIF orientation is applied.
    A JPEG is decoded no finer than it must be. Raises ImageRefused for bytes that are no image, are truncated, or have more than
    LARGEST pixels.
    """
    import numpy as np
    from PIL import Image, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = LARGEST  # above it there is no warning in a step's log but a refusal
    try:
        picture: Any = Image.open(io.BytesIO(data))
        if picture.width * picture.height > LARGEST:
            raise ImageRefused(f"the image has {picture.width} × {picture.height} pixels; at most {LARGEST:,} are accepted")
        picture.draft("L" if channels == 1 else "RGB", (width, height))
        with _alone if picture.width * picture.height > TOGETHER else nullcontext():
            array = np.asarray(_sized(picture, height, width, channels), dtype=np.uint8)
    except UnidentifiedImageError:
        raise ImageRefused("the bytes are not an image in a known format (PNG, JPEG, WebP, GIF, BMP, TIFF)") from None
    except Image.DecompressionBombError:
        raise ImageRefused(f"the image has too many pixels; at most {LARGEST:,} are accepted") from None
    except (OSError, SyntaxError, ValueError) as error:
        if isinstance(error, ImageRefused):
            raise
        raise ImageRefused(f"the image is damaged ({error})") from None
    return array[:, :, None] if array.ndim == 2 else array


def _sized(picture: Any, height: int, width: int, channels: int) -> Any:
    from PIL import Image, ImageOps

    picture = ImageOps.exif_transpose(picture)
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        ground = Image.new("RGBA", layer.size, (0, 0, 0, 255))
        ground.alpha_composite(layer)
        picture = ground
    picture = picture.convert("L" if channels == 1 else "RGB")
    return picture if picture.size == (width, height) else picture.resize((width, height), Image.Resampling.BILINEAR)
