"""How much an upload may ask of the machine. Chosen to let real data through and to stop what only claims to be data."""

from __future__ import annotations

from dataclasses import dataclass

from workers.sdk.images import LARGEST


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds on hostile input."""

    columns: int = 4_096
    rows: int = 1_000_000_000
    cell_bytes: int = 16 * 1024**2
    members: int = 2_000_000
    tables: int = 500  # in one archive: each is opened before the first is read
    unpacked_bytes: int = 256 * 1024**3
    ratio: int = 200  # unpacked to packed; real pictures and tables stay below 50
    ratio_from: int = 100 * 1024**2  # below this a high ratio harms nobody (a blank BMP)
    sheet_bytes: int = 2 * 1024**3  # unpacked XML of a workbook
    shared_strings: int = 512 * 1024**2  # openpyxl holds these in memory
    image_bytes: int = 256 * 1024**2
    image_pixels: int = LARGEST
    media_bytes: int = 16 * 1024**3  # a sound, a video, a PDF: kept as a stream, only the header is read
    text_bytes: int = 16 * 1024**2


LIMITS = Limits()
