"""Brush masks, as Label Studio keeps them and as runs of pixels.

Label Studio packs a picture's RGBA bytes into bits (`@thi.ng/rle-pack`; `label_studio_sdk.converter.brush` is the same): 32 bits how many
values there are, 5 the bits of a value − 1, four times 4 the bits of a length − 1; then runs `1, which length (2), length − 1, value` and
lists `0, which length (2), length − 1, values`. A pixel is marked where its opacity is at least 128. `encode` gives what that SDK's
`mask2rle` gives of 0 and 255, byte for byte.

A mask is the runs of its pixels in reading order, so that comparing and joining two costs what their outlines are long, however large
the picture; nothing is unpacked to pixels before its size is known to be right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from workers.sdk.images import LARGEST

if TYPE_CHECKING:
    import numpy as np

Json = dict[str, Any]
BRUSHES = frozenset({"brushlabels", "brush", "magicwand"})
"""Types of regions that are masks."""
MOST_BYTES = 1_000_000
"""Of one mask: some 400,000 runs. More is noise, and would take seconds."""
MOST_PIXELS = LARGEST
OPAQUE = 128
SIZES = (3, 4, 8, 16)
"""Bits of a length, as Label Studio's SDK writes them."""


class BadMask(Exception):
    """A mask that cannot be read: what is wrong, what would be right."""

    def __init__(self, message: str, expected: str) -> None:
        self.message, self.expected = message, expected
        super().__init__(message)


@dataclass(frozen=True)
class Mask:
    """`edges`: where marked pixels begin and end, in turn, counted in reading order; it ascends and its length is even."""

    width: int
    height: int
    edges: tuple[int, ...]

    @property
    def area(self) -> int:
        return sum(self.edges[1::2]) - sum(self.edges[::2])

    @property
    def bounds(self) -> tuple[int, int, int, int]:
        """(Left, top, right, bottom) in pixels, the latter two exclusive; of no pixels (0, 0, 0, 0)."""
        if not self.edges:
            return 0, 0, 0, 0
        left, right = self.width, 0
        for begin, end in zip(self.edges[::2], self.edges[1::2], strict=True):
            whole = begin // self.width != (end - 1) // self.width
            left = 0 if whole else min(left, begin % self.width)
            right = self.width if whole else max(right, (end - 1) % self.width + 1)
        return left, self.edges[0] // self.width, right, (self.edges[-1] - 1) // self.width + 1


def decode(rle: Any, width: int, height: int) -> Mask:
    """Raises BadMask; takes memory for the runs, not for the pixels."""
    if width * height > MOST_PIXELS:
        raise BadMask(f"A picture of {width:,} × {height:,} pixels is too large for a mask.", f"at most {MOST_PIXELS:,} pixels")
    if not isinstance(rle, list) or not rle:
        raise BadMask("The mask is a list of bytes.", "[0, 0, …], as Label Studio packs it")
    if len(rle) > MOST_BYTES:
        raise BadMask(f"The mask has {len(rle):,} bytes.", f"at most {MOST_BYTES:,}; noise is no label")
    try:
        data = bytes(rle)
    except (ValueError, TypeError):
        raise BadMask("The mask is a list of bytes.", "whole numbers from 0 to 255") from None
    bits = 8 * len(data)
    data += bytes(8)
    head = int.from_bytes(data[:7], "big") >> 3
    count, word = head >> 21, (head >> 16 & 31) + 1
    sizes = tuple((head >> shift & 15) + 1 for shift in (12, 8, 4, 0))
    if bits < 53 or count != 4 * width * height:
        raise BadMask(f"The mask holds {count:,} values.", f"{4 * width * height:,}: four of each of {width:,} × {height:,} pixels")
    if word != 8:
        raise BadMask(f"The mask's values have {word} bits.", "8")
    edges, place = _edges(data, bits, count, sizes)
    if bits - place > 15:
        raise BadMask(f"{(bits - place) // 8:,} bytes follow the mask.", "none")
    return Mask(width, height, tuple(edges))


def _edges(data: bytes, bits: int, count: int, sizes: tuple[int, ...]) -> tuple[list[int], int]:
    """(Edges, the first bit that was not read)."""
    edges: list[int] = []
    on, place, at = False, 53, 0
    while at < count:
        if place + 19 > bits + 16:
            break
        window = int.from_bytes(data[place >> 3 : (place >> 3) + 8], "big") << (place & 7) & 0xFFFF_FFFF_FFFF_FFFF
        size = sizes[window >> 61 & 3]
        length = (window >> 61 - size & (1 << size) - 1) + 1
        end = at + length
        if end > count:
            raise BadMask("The mask goes on past its last pixel.", f"{count:,} values")
        if window >> 63:
            value = window >> 53 - size & 255
            place += 11 + size
            if end >> 2 > at >> 2 and (value >= OPAQUE) is not on:
                edges.append(at >> 2)
                on = not on
        else:
            first = place + 3 + size
            place = first + 8 * length
            if place > bits:
                break
            listed = int.from_bytes(data[first >> 3 : (place >> 3) + 1], "big") >> 8 - (place & 7)
            values = (listed & (1 << 8 * length) - 1).to_bytes(length, "big")
            for pixel, value in enumerate(values[3 - at & 3 :: 4], start=at >> 2):
                if (value >= OPAQUE) is not on:
                    edges.append(pixel)
                    on = not on
        at = end
    if at < count or place > bits:
        raise BadMask("The mask ends before its last pixel.", f"{count:,} values")
    if on:
        edges.append(count >> 2)
    return edges, place


def encode(mask: Mask) -> list[int]:
    """As Label Studio's SDK packs it."""
    parts = [f"{4 * mask.width * mask.height:032b}{7:05b}", *(f"{size - 1:04b}" for size in SIZES)]
    on = False
    for begin, end in pairwise((0, *mask.edges, mask.width * mask.height)):
        length, value = 4 * (end - begin), "11111111" if on else "00000000"
        on = not on
        if not length:
            continue
        which = next((n for n, size in enumerate(SIZES) if length <= 1 << size), 3)
        while length > 1 << 16:
            parts.append(f"111{'1' * 16}{value}")
            length -= 1 << 16
        parts.append(f"1{which:02b}{length - 1:0{SIZES[which]}b}{value}")
    packed = "".join(parts)
    packed += "0" * (8 - len(packed) % 8)
    return list(int(packed, 2).to_bytes(len(packed) // 8, "big"))


def mask_of(region: Json) -> Mask:
    """The mask of a region that was checked."""
    return decode(region["value"]["rle"], region["original_width"], region["original_height"])


def of_pixels(pixels: np.ndarray[Any, Any]) -> Mask:
    """From rows of true and false."""
    import numpy as np

    height, width = pixels.shape
    flat = np.zeros(width * height + 2, dtype=np.int8)
    flat[1:-1] = pixels.reshape(-1) != 0
    return Mask(width, height, tuple(np.flatnonzero(np.diff(flat)).tolist()))


def pixels_of(mask: Mask, size: tuple[int, int] | None = None) -> np.ndarray[Any, Any]:
    """Rows of true and false; of another size (width, height) by the nearest pixel."""
    import numpy as np

    turns = np.zeros(mask.width * mask.height + 1, dtype=np.bool_)
    turns[list(mask.edges)] = True
    found: np.ndarray[Any, Any] = np.logical_xor.accumulate(turns[:-1]).reshape(mask.height, mask.width)
    if size is None or size == (mask.width, mask.height):
        return found
    across = (np.arange(size[0]) + 0.5) * mask.width / size[0]
    down = (np.arange(size[1]) + 0.5) * mask.height / size[1]
    return found[down.astype(np.intp)][:, across.astype(np.intp)]


def fitting(mask: Mask, size: tuple[int, int]) -> Mask:
    """The mask for a picture of another size (width, height), by the nearest pixel."""
    return mask if size == (mask.width, mask.height) else of_pixels(pixels_of(mask, size))


def transposed(mask: Mask) -> Mask:
    """Rows and columns exchanged. Unpacks the pixels inside the bounds only."""
    import numpy as np

    left, top, right, bottom = mask.bounds
    if not mask.edges:
        return Mask(mask.height, mask.width, ())
    turns = np.zeros((bottom - top) * mask.width + 1, dtype=np.bool_)
    turns[np.array(mask.edges, dtype=np.int64) - top * mask.width] = True
    inside = np.logical_xor.accumulate(turns[:-1]).reshape(bottom - top, mask.width)[:, left:right].T
    # A line of nothing after each column, so that no run goes on into the next one before the pixels between them are counted.
    runs = np.array(of_pixels(np.pad(inside, ((0, 0), (0, 1)))).edges, dtype=np.int64)
    columns, rows = np.divmod(runs, bottom - top + 1)
    edges = (columns + left) * mask.height + rows + top
    joined = edges[1:-1:2] == edges[2::2]
    kept = np.repeat(~joined, 2)
    return Mask(mask.height, mask.width, (int(edges[0]), *edges[1:-1][kept].tolist(), int(edges[-1])))


def alike(a: Mask, b: Mask) -> float:
    """Intersection over union, 0 to 1; of masks of pictures of different sizes 0."""
    if (a.width, a.height) != (b.width, b.height):
        return 0.0
    both = voted([a, b], [1.0, 1.0], above=1.5).area
    either = a.area + b.area - both
    return both / either if either else 0.0


def voted(masks: Sequence[Mask], weights: Sequence[float], *, above: float, tied: Mask | None = None) -> Mask:
    """The pixels that masks of more weight than `above` mark, and, of exactly as much, those that `tied` marks."""
    import numpy as np

    places = np.concatenate([np.array(m.edges, dtype=np.int64) for m in masks])
    steps = np.concatenate([np.where(np.arange(len(m.edges)) % 2, -w, w) for m, w in zip(masks, weights, strict=True)])
    known, where = np.unique(places, return_inverse=True)
    weight = np.cumsum(np.bincount(where, steps, len(known))) if len(known) else np.zeros(0)
    on = weight > above + 1e-9
    if tied is not None:
        inside = np.searchsorted(np.array(tied.edges, dtype=np.int64), known, side="right") % 2 == 1
        on |= (np.abs(weight - above) <= 1e-9) & inside
    edges = known[np.flatnonzero(np.diff(on.astype(np.int8), prepend=0))]
    return Mask(masks[0].width, masks[0].height, tuple(edges.tolist()))
