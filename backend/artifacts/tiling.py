"""A large picture as tiles, from all its pixels down to one tile that shows it whole; done in a hand, which holds the picture decoded.

A pyramid is one file: the length of its head (four bytes), the head (JSON), where each tile begins and the last ends (eight bytes each),
the tiles, finest level first, row by row. Level 0 has the picture's own pixels, each further one half of them (rounded up). Tiles of a
JPEG are JPEG (quality 95, colours not thinned out), of all else lossless WebP: every pixel is as it was.
"""

from __future__ import annotations

import io
import json
import struct
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from django.conf import settings

from backend.artifacts import kept
from backend.artifacts.errors import NoPreview
from backend.artifacts.hand import progress
from backend.artifacts.storage import store
from backend.artifacts.thumbnails import FORMATS, eight_bits
from workers.sdk.images import LARGEST

if TYPE_CHECKING:
    from PIL.Image import Image

TILE = 512
BAND = 1024
"""Rows of the picture that are halved at once: what is made beside it stays small."""
PROFILE = 8192
"""Bytes of a colour profile that each tile may carry."""
KEPT = 20 * 1024**3
"""Bytes of all pyramids together: one is about as large as its picture's file, of a JPEG up to three times that."""
ORIENTATION = 0x0112
TURNED = (5, 6, 7, 8)
"""Orientations (EXIF) in which width and height change places."""
DECODED = 0.3
"""Of the whole work, about."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """What a pyramid says of itself: the picture's size in pixels, upright, and what its tiles are."""

    width: int
    height: int
    media_type: str
    tile: int = TILE

    @property
    def levels(self) -> list[tuple[int, int]]:
        """The size of each, finest first; the last fits one tile."""
        found = [(self.width, self.height)]
        while max(found[-1]) > self.tile:
            found.append((-(-found[-1][0] // 2), -(-found[-1][1] // 2)))
        return found

    def grid(self, level: int) -> tuple[int, int]:
        """(Columns, rows) of a level."""
        width, height = self.levels[level]
        return -(-width // self.tile), -(-height // self.tile)

    def number(self, level: int, column: int, row: int) -> int | None:
        """A tile's place in the file; None where there is none."""
        if not 0 <= level < len(self.levels):
            return None
        columns, rows = self.grid(level)
        if not (0 <= column < columns and 0 <= row < rows):
            return None
        before = sum(c * r for c, r in map(self.grid, range(level)))
        return before + row * columns + column

    @property
    def tiles(self) -> int:
        return sum(c * r for c, r in map(self.grid, range(len(self.levels))))


def path_of(digest: str) -> Path:
    folder: Path = settings.DATA_DIR / "cache" / "pyramids"
    return folder / f"{digest}.tiles"


def size(*, digest: str) -> list[int]:
    """[Width, height] of a picture as it is shown, by its header alone. Raises NoPreview."""
    with store().open(digest) as source:
        image, _ = _opened(source)
        width, height = image.size
        return [height, width] if _turned(image) in TURNED else [width, height]


def make(*, digest: str) -> None:
    """Make the pyramid unless it is there. Of several who try at once one makes it and the others wait. Raises NoPreview."""
    path = path_of(digest)
    with kept.alone(path):
        if not path.exists():
            with store().open(digest) as source, kept.written(path) as temporary, temporary.open("wb") as out:
                _write(source, out)
    kept.evict(path.parent, (".tiles",), KEPT, {path})


def head_of(file: BinaryIO) -> tuple[Head, int]:
    """(The head, where the places of the tiles begin)."""
    (length,) = struct.unpack(">I", file.read(4))
    return Head(**json.loads(file.read(length))), 4 + length


def _opened(source: BinaryIO) -> tuple[Image, bool]:
    """(The picture, not decoded yet, and whether it is a JPEG)."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own about size: our bound is below
            image = Image.open(source, formats=FORMATS)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as exc:
        raise NoPreview(kind="image", reason="its bytes cannot be decoded") from exc
    if image.width * image.height > LARGEST:
        raise NoPreview(kind="image", reason=f"it has {image.width} × {image.height} pixels")
    return image, image.format == "JPEG"


def _turned(image: Image) -> int:
    """The orientation, as far as it stands before the pixels: to look behind those of a PNG they would have to be decoded."""
    if image.format == "PNG" and "exif" not in image.info:
        return 1
    return int(image.getexif().get(ORIENTATION, 1))


def _write(source: BinaryIO, out: BinaryIO) -> None:
    image, jpeg = _opened(source)
    try:
        image.load()
    except (OSError, ValueError, SyntaxError, MemoryError) as exc:
        raise NoPreview(kind="image", reason="its bytes cannot be decoded") from exc
    progress(DECODED)
    turned = _turned(image)
    width, height = image.size[::-1] if turned in TURNED else image.size
    head = Head(width=width, height=height, media_type="image/jpeg" if jpeg else "image/webp")
    told = json.dumps(asdict(head)).encode()
    out.write(struct.pack(">I", len(told)) + told)
    table = out.tell()
    places = [table + 8 * (head.tiles + 1)]
    out.seek(places[0])
    profile = image.info.get("icc_profile") if image.mode in ("L", "RGB", "RGBA") else None
    saved: dict[str, Any] = {"icc_profile": profile} if profile and len(profile) <= PROFILE else {}
    for level, tile in _tiles(image, turned, head):
        data = io.BytesIO()
        if jpeg:
            tile.save(data, "JPEG", quality=85 if level else 95, subsampling=0, **saved)
        else:
            tile.save(data, "WEBP", lossless=True, exact=True, quality=0, method=0, **saved)  # twice as quick as PNG, and no larger
        places.append(places[-1] + out.write(data.getbuffer()))
        progress(DECODED + (1 - DECODED) * (len(places) - 1) / head.tiles)
    out.seek(table)
    out.write(struct.pack(f">{len(places)}Q", *places))


def _tiles(image: Image, turned: int, head: Head) -> Iterator[tuple[int, Image]]:
    """(Level, tile), in the order of the file. The picture itself is never turned or converted as a whole."""
    way = _way(turned)
    for box in _boxes(head, 0):
        tile = eight_bits(image.crop(_before(box, turned, image.size)))
        yield 0, tile if way is None else tile.transpose(way)
    if len(head.levels) == 1:
        return
    smaller = _halved(image)
    if way is not None:
        smaller = smaller.transpose(way)
    image.close()
    for level in range(1, len(head.levels)):
        if level > 1:
            smaller = smaller.reduce(2)
        for box in _boxes(head, level):
            yield level, smaller.crop(box)


def _boxes(head: Head, level: int) -> Iterator[tuple[int, int, int, int]]:
    width, height = head.levels[level]
    for top in range(0, height, head.tile):
        for left in range(0, width, head.tile):
            yield left, top, min(left + head.tile, width), min(top + head.tile, height)


def _halved(image: Image) -> Image:
    from PIL import Image

    width, height = image.size
    found = None
    for top in range(0, height, BAND):
        part = eight_bits(image.crop((0, top, width, min(top + BAND, height)))).reduce(2)
        if found is None:
            found = Image.new(part.mode, (-(-width // 2), -(-height // 2)))
        found.paste(part, (0, top // 2))
    assert found is not None
    return found


def _way(turned: int) -> Any:
    """How a picture of this orientation is made upright."""
    from PIL.Image import Transpose as T

    return {
        2: T.FLIP_LEFT_RIGHT,
        3: T.ROTATE_180,
        4: T.FLIP_TOP_BOTTOM,
        5: T.TRANSPOSE,
        6: T.ROTATE_270,
        7: T.TRANSVERSE,
        8: T.ROTATE_90,
    }.get(turned)


def _before(box: tuple[int, int, int, int], turned: int, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Where a box of the upright picture lies in the picture as it is kept, which has this size."""
    left, top, right, bottom = box
    if turned in TURNED:
        left, top, right, bottom = top, left, bottom, right
    width, height = size
    if turned in (2, 3, 7, 8):
        left, right = width - right, width - left
    if turned in (3, 4, 6, 7):
        top, bottom = height - bottom, height - top
    return left, top, right, bottom
