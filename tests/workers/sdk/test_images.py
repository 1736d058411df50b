"""How a picture file becomes a model's input."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from workers.sdk.images import LARGEST, ImageRefused, decode_image


def file(size: tuple[int, int], kind: str, mode: str = "L", shade: int = 200) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, shade if mode == "L" else (shade, 10, 10)).save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize(("size", "kind"), [((12_000, 9_000), "JPEG"), ((10_000, 7_000), "PNG")])
def test_a_camera_of_a_hundred_megapixels_is_trained_on_and_asked_about(size: tuple[int, int], kind: str) -> None:
    data = file(size, kind)
    with ThreadPoolExecutor(3) as several:  # a server decodes several at a time, but large ones one by one
        for picture in several.map(lambda _: decode_image(data, 32, 24, 1), range(3)):
            assert picture.shape == (32, 24, 1) and np.abs(picture.astype(int) - 200).max() <= 2


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: file((16_001, 10_001), "PNG"), f"at most {LARGEST:,}"),
        (lambda: b"no picture", "not an image in a known format"),
        (lambda: cut(file((300, 300), "JPEG", "RGB")), "damaged"),
        (lambda: b"", "not an image"),
    ],
    ids=["too large", "no picture", "cut off", "empty"],
)
def test_what_cannot_be_used_says_why(make: Callable[[], bytes], why: str) -> None:
    with pytest.raises(ImageRefused, match=why):
        decode_image(make(), 32, 32, 3)
