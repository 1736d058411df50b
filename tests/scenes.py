"""Pictures with boxes whose truth is known: scikit-learn's scanned digits laid out on larger, noisy scenes."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from workers.sdk import context
from workers.sdk.kinds import Images

Json = dict[str, Any]


def scene(random: np.random.Generator, kinds: tuple[int, ...], height: int, width: int, most: int) -> tuple[bytes, list[Json]]:
    """A PNG, and its boxes `{label, x, y, width, height}` in percent."""
    bundle = load_digits()
    ground = random.normal(40, 12, (height, width))
    boxes: list[tuple[str, int, int, int]] = []
    for _ in range(int(random.integers(0, most + 1))):
        kind = int(random.choice(kinds))
        side = int(random.integers(20, 41))
        left, top = int(random.integers(0, width - side)), int(random.integers(0, height - side))
        if any(left < x + s and x < left + side and top < y + s and y < top + side for _, x, y, s in boxes):
            continue
        digit = bundle.images[random.choice(np.flatnonzero(bundle.target == kind))] * (random.uniform(9, 15))
        grown = np.asarray(Image.fromarray(digit.astype(np.uint8)).resize((side, side), Image.Resampling.BILINEAR))
        ground[top : top + side, left : left + side] += grown
        boxes.append((str(kind), left, top, side))
    file = io.BytesIO()
    Image.fromarray(ground.clip(0, 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue(), [
        {"label": label, "x": 100 * x / width, "y": 100 * y / height, "width": 100 * s / width, "height": 100 * s / height}
        for label, x, y, s in boxes
    ]


def region(box: Json, n: int = 0, name: str = "box", to: str = "image") -> Json:
    value = {k: box[k] for k in ("x", "y", "width", "height")}
    return {
        "id": f"r{n}",
        "from_name": name,
        "to_name": to,
        "type": "rectanglelabels",
        "value": {**value, "rotation": 0, "rectanglelabels": [box["label"]]},
    }


def images(count: int, seed: int = 0, kinds: tuple[int, ...] = (0, 1, 4), size: tuple[int, int] = (128, 160), most: int = 4) -> Images:
    """As a frozen data set version of labelled pictures arrives."""
    import pyarrow as pa

    random, step = np.random.default_rng(seed), context.current()
    rows = []
    for n in range(count):
        data, boxes = scene(random, kinds, *size, most)
        said = {"label_schema": "digits", "version": 1, "result": [region(b, i) for i, b in enumerate(boxes)], "by": "Ann"}
        rows.append((f"{n}.png", step.store.put_bytes(data).digest, size[1], size[0], None, None, json.dumps(said)))
    names = ["key", "digest", "width", "height", "label", "split", "annotations"]
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    return Images.from_arrow(
        pa.table({k: pa.array(v, pa.int32() if k in ("width", "height") else pa.string()) for k, v in columns.items()})
    )
