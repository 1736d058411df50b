"""Large pictures for a screen that shows a part of them: an overview at once, tiles of every level as soon as a hand has made them.

Made once on a machine, when first asked for, kept by the digest of the image. Nothing is decoded here: a tile is a few bytes of a file.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import Any

from backend.artifacts import aside, kept, making
from backend.artifacts.errors import NoSuchFile
from backend.artifacts.tiling import Head, head_of, path_of

LARGE = 32_000_000
"""Pixels from which a picture is shown in tiles. What usual cameras and phones make is below it, and quicker in one piece."""
UNSEEN = ("image/tiff",)
"""What no browser shows, however small."""
ABANDONED_S = 60.0
"""A picture is made ready for whoever comes to it next, and they may take a while."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The size of a picture that is shown in tiles. `progress`: from 0 to 1 while they are being made, 1 when they are there."""

    width: int
    height: int
    tile: int
    levels: int
    progress: float

    def as_json(self) -> dict[str, Any]:
        return {"width": self.width, "height": self.height, "tile": self.tile, "levels": self.levels, "progress": self.progress}


def in_tiles(media_type: str, width: int | None, height: int | None) -> bool:
    """Whether a picture is too large to be shown in one piece, or is nothing that a browser shows."""
    return media_type in UNSEEN or (media_type.startswith("image/") and (width or 0) * (height or 0) >= LARGE)


def screen_url(url: str, media_type: str | None, width: int | None, height: int | None) -> str:
    """Where a page finds what it shows of a file: of one that is shown in tiles the overview."""
    return f"{url}?overview=true" if in_tiles(media_type or "", width, height) else url


def look(digest: str, wait: float) -> Wanted:
    """Has the tiles made where they are not there yet, waiting up to `wait` seconds for them. Raises NoPreview."""
    head = _head(digest)
    if head is None:
        begun = making.joined(path_of(digest), "tile", "backend.artifacts.tiling:make", {"digest": digest}, ABANDONED_S)
        if not begun.ready(min(wait, making.LONGEST_WAIT_S)) or (head := _head(digest)) is None:
            width, height = aside.ask("read", "backend.artifacts.tiling:size", digest=digest)
            head = Head(width=width, height=height, media_type="")
            return Wanted(width=width, height=height, tile=head.tile, levels=len(head.levels), progress=min(begun.progress, 0.99))
    return Wanted(width=head.width, height=head.height, tile=head.tile, levels=len(head.levels), progress=1)


def tile(digest: str, level: int, column: int, row: int) -> tuple[bytes, str]:
    """(Bytes, media type) of a tile; raises NoSuchFile where there is none, or none yet."""
    try:
        with path_of(digest).open("rb") as file:
            head, table = head_of(file)
            number = head.number(level, column, row)
            if number is None:
                raise NoSuchFile(name=f"{level}/{column}/{row}")
            start, end = struct.unpack(">2Q", os.pread(file.fileno(), 16, table + 8 * number))
            return os.pread(file.fileno(), end - start, start), head.media_type
    except FileNotFoundError as exc:
        raise NoSuchFile(name=f"{level}/{column}/{row}", hint="Its tiles are not made yet: ask for the pyramid first.") from exc


def _head(digest: str) -> Head | None:
    path = path_of(digest)
    try:
        with path.open("rb") as file:
            kept.used(path)
            return head_of(file)[0]
    except FileNotFoundError:
        return None
