"""One image: whether it is whole, how large, in which format; by Pillow with only the decoders of the accepted formats."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from backend.artifacts.thumbnails import FORMATS
from backend.datasets.reading.limits import LIMITS

ORIENTATION = 0x0112


@dataclass(frozen=True, kw_only=True)
class Picture:
    """What is known of an image (or of a text, without a size)."""

    media_type: str
    width: int | None
    height: int | None
    data: dict[str, Any] = field(default_factory=dict)


def look(data: bytes, complain: Callable[[str, str], None]) -> Picture | None:
    """What the image is, after decoding all of it (at reduced size where the format can); None after a complaint."""
    from PIL import Image, UnidentifiedImageError

    most = LIMITS.image_pixels
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own warnings about size and odd metadata: our bounds are below
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                width, height = image.size
                if width * height > most:
                    complain(f"The image has {width:,} × {height:,} pixels.", f"at most {most:,} pixels")
                    return None
                known: dict[str, Any] = {"format": image.format, "mode": image.mode}
                if (turned := image.getexif().get(ORIENTATION, 1)) not in (0, 1):
                    known["orientation"] = int(turned)
                if (frames := getattr(image, "n_frames", 1)) > 1:
                    known["frames"] = int(frames)
                image.draft(None, (max(width // 8, 1), max(height // 8, 1)))
                image.load()
                return Picture(media_type=Image.MIME[str(image.format)], width=width, height=height, data=known)
    except UnidentifiedImageError:
        complain("The image is damaged: its header cannot be read.", "a whole png, jpeg, webp, gif, bmp or tiff")
    except Image.DecompressionBombError:
        complain(f"The image has more than {most:,} pixels.", f"at most {most:,} pixels")
    except (OSError, ValueError, SyntaxError, EOFError, TypeError, struct.error, IndexError, KeyError, MemoryError) as exc:
        complain(f"The image is damaged or cut off: {exc}.", "a whole image; export it again")
    return None
