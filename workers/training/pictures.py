"""Images for training and evaluation: decoded once to a uint8 array on disk, never again per epoch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from workers.sdk import context
from workers.sdk.errors import StepError
from workers.sdk.images import ImageRefused, decode_image
from workers.sdk.kinds import Images
from workers.training import spread

LOOK_AT = 60
CHUNK = 512
LARGEST_AUTOMATIC = 96


def look(images: Images, size: int, color: str, *, largest: int = LARGEST_AUTOMATIC, multiple: int = 4) -> tuple[int, int, int]:
    """Height, width and channels to train with: as asked, or as the pictures are, up to `largest` pixels, in steps of `multiple`."""
    import numpy as np
    import pyarrow.compute as pc

    table = images.arrow(["digest", "width", "height"])
    if not table.num_rows:
        raise StepError("There are no images.")
    if size:
        height = width = size
    else:
        sides = [pc.quantile(table[n], 0.5)[0].as_py() for n in ("height", "width")]
        scale = min(1.0, largest / max(sides))
        height, width = (max(8, multiple, round(s * scale / multiple) * multiple) for s in sides)
    if color != "automatic":
        return height, width, 1 if color == "grey" else 3
    store = context.current().store
    digests = table["digest"].to_pylist()
    for i in np.unique(np.linspace(0, len(digests) - 1, min(LOOK_AT, len(digests))).astype(int)):
        try:
            picture = decode_image(store.read(digests[i]), 32, 32, 3).astype(int)
        except ImageRefused:
            continue
        if np.abs(picture[..., 0] - picture[..., 1]).max() > 8 or np.abs(picture[..., 0] - picture[..., 2]).max() > 8:
            return height, width, 3
    return height, width, 1


def decode(
    images: Images,
    name: str,
    height: int,
    width: int,
    channels: int,
    rows: Sequence[int] | None = None,
    share: tuple[float, float] = (0, 0.1),
) -> Any:
    """All pictures (or those of `rows`) as a uint8 memory map `[images, height, width, channels]` in the scratch folder; kept for a next
    attempt. One that cannot be read stops the step with its name."""
    table = images.arrow(["key", "digest"])
    keys, digests = table["key"].to_pylist(), table["digest"].to_pylist()
    if rows is not None:
        keys, digests = [keys[i] for i in rows], [digests[i] for i in rows]
    with spread.first():
        return _decoded(keys, digests, name, (len(digests), height, width, channels), share)


def _decoded(keys: Sequence[str], digests: Sequence[str], name: str, shape: tuple[int, int, int, int], share: tuple[float, float]) -> Any:
    import numpy as np

    step = context.current()
    _, height, width, channels = shape
    path = step.scratch / f"{name}-{height}x{width}x{channels}.npy"
    if path.is_file() and (kept := np.load(path, mmap_mode="r", allow_pickle=False)).shape == shape:
        return kept
    temporary = path.with_suffix(".tmp")
    made = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.uint8, shape=shape)
    store = step.store

    def one(i: int) -> None:
        try:
            made[i] = decode_image(store.read(digests[i]), height, width, channels)
        except ImageRefused as error:
            raise StepError(f"The image “{keys[i]}” cannot be used: {error}.", hint="Remove it from the data set or replace it.") from None

    with ThreadPoolExecutor(max(1, step.threads)) as pool:
        for start in range(0, len(digests), CHUNK):
            step.check_cancelled()
            list(pool.map(one, range(start, min(start + CHUNK, len(digests)))))
            done = min(1.0, (start + CHUNK) / len(digests))
            step.progress(
                share[0] + (share[1] - share[0]) * done, f"Reading images: {min(start + CHUNK, len(digests)):,} of {len(digests):,}"
            )
    made.flush()
    Path(temporary).replace(path)
    return np.load(path, mmap_mode="r", allow_pickle=False)


def labels_of(images: Images) -> tuple[list[str], list[str | None]]:
    """The different labels, sorted, and each image's (None where it has none)."""
    each = images.arrow(["label"])["label"].to_pylist()
    counts = Counter(v for v in each if v)
    if len(counts) < 2:
        found = f"only one label, “{next(iter(counts))}”" if counts else "no labels"
        raise StepError(f"The images have {found}.", hint="A classifier needs images of at least two classes: one folder a class.")
    return sorted(counts), each
