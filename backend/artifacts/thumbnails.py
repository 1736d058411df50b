"""Small pictures of images, made when first asked for and kept by the digest of the image: one for a list, one for a screen."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from django.conf import settings

from backend.artifacts import aside, kept
from backend.artifacts.errors import NoPreview
from backend.artifacts.storage import store
from workers.sdk.images import LARGEST

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 256
SCREEN = 2048
"""What a picture is shown at before, or without, all its pixels: as wide as a screen."""
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")  # what an upload accepts; no other decoder is ever tried


def thumbnail(digest: str, side: int = SIDE) -> bytes:
    """A WebP of at most `side` × `side`, turned as the camera meant it. Made in a hand: a picture of 100 million pixels takes 400 MB."""
    try:
        return _kept(digest, side).read_bytes()
    except FileNotFoundError:
        aside.ask("draw", "backend.artifacts.thumbnails:make", digest=digest, side=side)
        return _kept(digest, side).read_bytes()


def _kept(digest: str, side: int) -> Path:
    folder: Path = settings.DATA_DIR / "cache" / "thumbnails" / digest[:2]
    return folder / (f"{digest}.webp" if side == SIDE else f"{digest}.{side}.webp")


def make(digest: str, side: int) -> None:
    """Called in a hand. Of many who asked at once only the first finds it missing."""
    path = _kept(digest, side)
    if not path.exists():
        with store().open(digest) as source:
            data = _made(source, side)
        with kept.written(path) as temporary:
            temporary.write_bytes(data)


def _made(source: BinaryIO, side: int) -> bytes:
    from PIL import Image, ImageOps

    room = min(2 * side, side + 512)  # more than is wanted, so that the last step is a fine one
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(source, formats=FORMATS) as image:  # Pillow's own bound is below ours
            if image.width * image.height > LARGEST:
                raise NoPreview(kind="image", reason=f"it has {image.width} × {image.height} pixels")
            image.draft("RGB", (room, room))  # JPEG: decode at a fraction of the size
            if image.mode in ("RGB", "RGBA", "L"):
                image.thumbnail((room, room))  # before anything copies it
            small = ImageOps.exif_transpose(image)
            small = eight_bits(small)
            small.thumbnail((side, side))
            out = io.BytesIO()
            small.save(out, "WEBP", quality=80, method=2)
            return out.getvalue()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as exc:
        raise NoPreview(kind="image", reason="its bytes cannot be decoded") from exc


def eight_bits(image: Image) -> Image:
    """Grey, RGB or RGBA as a screen shows it; of sixteen bits the upper eight, as browsers do."""
    from PIL import Image

    if image.mode.startswith("I;16"):
        return Image.frombytes("L", image.size, image.tobytes()[0 if image.mode == "I;16B" else 1 :: 2])
    if image.mode in ("L", "RGB", "RGBA"):
        return image
    return image.convert("RGBA" if image.has_transparency_data else "L" if image.mode == "1" else "RGB")
