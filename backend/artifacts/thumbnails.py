"""Small pictures of images, made when first asked for and kept by the digest of the image."""

from __future__ import annotations

import io
import uuid
from pathlib import Path

from django.conf import settings

from backend.artifacts import aside
from backend.artifacts.errors import NoPreview
from backend.artifacts.storage import store

SIDE = 256
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")  # what an upload accepts; no other decoder is ever tried
MAX_PIXELS = 100_000_000


def thumbnail(digest: str) -> bytes:
    """A WebP of at most SIDE × SIDE, turned as the camera meant it. Made in a hand: a picture of 100 million pixels takes 400 MB."""
    try:
        return _kept(digest).read_bytes()
    except FileNotFoundError:
        aside.ask("draw", "backend.artifacts.thumbnails:make", digest=digest)
        return _kept(digest).read_bytes()


def _kept(digest: str) -> Path:
    folder: Path = settings.DATA_DIR / "cache" / "thumbnails" / digest[:2]
    return folder / f"{digest}.webp"


def make(digest: str) -> None:
    """Called in a hand. Of many who asked at once only the first finds it missing."""
    kept = _kept(digest)
    if kept.exists():
        return
    data = _made(store().read(digest))
    kept.parent.mkdir(parents=True, exist_ok=True)
    temporary = kept.with_name(f".{uuid.uuid4().hex}")
    try:
        temporary.write_bytes(data)
        temporary.replace(kept)
    finally:
        temporary.unlink(missing_ok=True)


def _made(data: bytes) -> bytes:
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise NoPreview(kind="image", reason=f"it has {image.width} × {image.height} pixels")
            image.draft("RGB", (SIDE * 2, SIDE * 2))  # JPEG: decode at a fraction of the size
            if image.mode in ("RGB", "RGBA", "L"):
                image.thumbnail((SIDE * 2, SIDE * 2))  # before anything copies it
            small = ImageOps.exif_transpose(image)
            small = small.convert("RGBA" if small.has_transparency_data else "RGB")
            small.thumbnail((SIDE, SIDE))
            out = io.BytesIO()
            small.save(out, "WEBP", quality=80, method=2)
            return out.getvalue()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as exc:
        raise NoPreview(kind="image", reason="its bytes cannot be decoded") from exc
