"""Scenes with boxes: real handwritten digits of the UCI repository, which scikit-learn brings along, laid out at random on noisy grounds.
The digits are real, the scenes are made; so where each digit lies is known. Nothing is fetched."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from pathlib import Path

from backend.datasets.samples.fetch import Sample

SIDE = 8
WIDTH, HEIGHT = 160, 128
KINDS = 5
"""Digits 0 to 4: so many boxes of each that a minute or two on two cores is enough to learn from."""
FEWEST, MOST = 2, 8
PARTS = (("train", 200, 0.0, 0.7), ("validation", 30, 0.7, 0.8), ("test", 60, 0.8, 1.0))
"""Name, scenes, and the share of the digits that they are made of, from and to: no digit is in two parts."""


def build(archive: Path, target: Path) -> None:
    """A zip of PNG files and a manifest with the boxes on each. Every digit is brought to 20 to 40 pixels; none lie over each other."""
    import numpy as np
    from PIL import Image

    with gzip.open(archive, "rt", encoding="ascii") as text:
        rows = np.array([[float(cell) for cell in row] for row in csv.reader(text)])
    rows = rows[rows[:, -1] < KINDS]
    digits, labels = rows[:, :-1].reshape(-1, SIDE, SIDE), rows[:, -1].astype(int)
    random = np.random.default_rng(0)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as scenes:
        lines = []
        for part, count, first, last in PARTS:
            for number in range(count):
                ground = random.normal(random.uniform(30, 90), random.uniform(5, 15), (HEIGHT, WIDTH))
                placed: list[tuple[int, int, int, str]] = []
                for _ in range(int(random.integers(FEWEST, MOST + 1))):
                    side = int(random.integers(20, 41))
                    x, y = int(random.integers(0, WIDTH - side)), int(random.integers(0, HEIGHT - side))
                    if any(x < left + size and left < x + side and y < top + size and top < y + side for left, top, size, _ in placed):
                        continue
                    which = int(random.integers(int(first * len(rows)), int(last * len(rows))))
                    strokes = Image.fromarray((digits[which] * random.uniform(7, 10)).astype(np.uint8))
                    ground[y : y + side, x : x + side] += np.asarray(strokes.resize((side, side), Image.Resampling.BILINEAR))
                    placed.append((x, y, side, str(labels[which])))
                buffer = io.BytesIO()
                Image.fromarray(ground.clip(0, 255).astype(np.uint8)).save(buffer, "PNG")
                path = f"{part}/{number:04d}.png"
                _add(scenes, path, buffer.getvalue())
                boxes = [
                    {
                        "label": label,
                        "x": 100 * x / WIDTH,
                        "y": 100 * y / HEIGHT,
                        "width": 100 * side / WIDTH,
                        "height": 100 * side / HEIGHT,
                    }
                    for x, y, side, label in placed
                ]
                lines.append(json.dumps({"path": path, "split": part, "boxes": boxes}))
        _add(scenes, "manifest.jsonl", "\n".join(lines).encode())


def _add(scenes: zipfile.ZipFile, name: str, data: bytes) -> None:
    # A fixed date, so that the same data give the same zip.
    scenes.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)


SAMPLE = Sample(
    slug="scenes",
    name="Digits on scenes",
    description="290 made scenes of 160 × 128 pixels on which real handwritten digits lie at random, each with its box; labels 0 to 4.",
    licence="Optical Recognition of Handwritten Digits by E. Alpaydin and C. Kaynak (UCI, CC BY 4.0); packaged under the BSD licence",
    source="scikit-learn, sklearn/datasets/data/digits.csv.gz, laid out on scenes",
    client="installed",
    package="scikit-learn:sklearn/datasets/data/digits.csv.gz",
    algorithm="sha256",
    digest="09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22",
    filename="scenes.zip",
    build=build,
)
