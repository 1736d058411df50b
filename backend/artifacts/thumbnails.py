"""Small pictures of images, made when first asked for and kept by the digest of the image."""

from __future__ import annotations

import io
import uuid
from pathlib import Path

from django.conf import settings

from backend.artifacts.errors import NoPreview
from backend.artifacts.storage import store

SIDE = 256
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")  # what an upload accepts; no other decoder is ever tried
MAX_PIXELS = 100_000_000


def thumbnail(digest: str) -> bytes:
    """A WebP of at most SIDE × SIDE, turned as the camera meant it."""
    folder: Path = settings.DATA_DIR / "cache" / "thumbnails" / digest[:2]
    kept = folder / f"{digest}.webp"
    try:
        return kept.read_bytes()
    except FileNotFoundError:
        data = _made(store().read(digest))
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{uuid.uuid4().hex}"
    try:
        temporary.write_bytes(data)
        temporary.replace(kept)
    finally:
        temporary.unlink(missing_ok=True)
    return data


def _made(data: bytes) -> bytes:
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise NoPreview(kind="image", reason=f"it has {image.width} × {image.height} pixels")
            image.draft("RGB", (SIDE * 2, SIDE * 2))  # JPEG: decode at a fraction of the size
            small = ImageOps.exif_transpose(image)
            small = small.convert("RGBA" if small.has_transparency_data else "RGB")
            small.thumbnail((SIDE, SIDE))
            out = io.BytesIO()
            small.save(out, "WEBP", quality=80, method=2)
            return out.getvalue()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as exc:
        raise NoPreview(kind="image", reason="its bytes cannot be decoded") from exc
