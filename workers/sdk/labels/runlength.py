"""COCO's run-length masks: `{"size": [height, width], "counts": […]}`, lengths of runs of 0 and 1 in turn, down one column after the other;
or `counts` as the text into which `pycocotools` packs them."""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import Any

from workers.sdk.labels.brush import MOST_BYTES, MOST_PIXELS, Mask, transposed
from workers.sdk.labels.results import Misfit

Json = dict[str, Any]
FIELD = "segmentation"


def packed(mask: Mask) -> Json:
    columns = transposed(mask).edges
    ends = (0, *columns, mask.width * mask.height)
    counts = [b - a for a, b in pairwise(ends)]
    return {"size": [mask.height, mask.width], "counts": counts if counts[-1] else counts[:-1]}


def unpacked(found: Json, size: tuple[int, int]) -> Mask:
    """`size`: (width, height) of the picture. Raises Misfit; no pixels are laid out for a mask of another size."""
    width, height = size
    if found.get("size") != [height, width] or width * height > MOST_PIXELS:
        raise Misfit(FIELD, f"The mask has the size {str(found.get('size'))[:40]}.", f"[{height}, {width}], its picture's height and width")
    counts = found.get("counts")
    if isinstance(counts, str):
        counts = _read(counts)
    if not isinstance(counts, list) or len(counts) > MOST_BYTES or any(type(n) is not int or n < 0 for n in counts):
        raise Misfit(FIELD, "The counts of the mask are no lengths of runs.", f"at most {MOST_BYTES:,} whole numbers, or their packed text")
    ends = list(accumulate(counts))
    if not ends or ends[-1] != width * height:
        raise Misfit(FIELD, f"The runs of the mask are {ends[-1] if ends else 0:,} pixels long.", f"{width * height:,}")
    edges: list[int] = []
    # An empty run joins those beside it.
    for end in ends[:-1] if len(ends) % 2 else ends:
        if edges and edges[-1] == end:
            edges.pop()
        else:
            edges.append(end)
    return transposed(Mask(height, width, tuple(edges)))


def _read(text: str) -> list[int]:
    """`rleFrString` of pycocotools: five bits a character from “0” on, the sixth says that more follow; from the fourth count on each is
    the difference to the last but one."""
    counts: list[int] = []
    value = shift = 0
    for letter in text[: 4 * MOST_BYTES]:
        bits = ord(letter) - 48
        if not 0 <= bits < 64 or shift > 35:
            raise Misfit(FIELD, "The packed counts of the mask cannot be read.", "as pycocotools packs them")
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            if bits & 16:
                value -= 1 << shift
            counts.append(value + (counts[-2] if len(counts) > 2 else 0))
            value = shift = 0
    if shift:
        raise Misfit(FIELD, "The packed counts of the mask end in the middle.", "as pycocotools packs them")
    return counts
