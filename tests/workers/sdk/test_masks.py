"""Brush masks: packed as Label Studio packs them, compared and joined pixel by pixel, and the same after every format that holds them."""

from __future__ import annotations

import io
import json
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_studio_sdk.converter.brush import decode_rle, encode_rle, mask2rle
from PIL import Image

from infra.bootstrap.base import ROOT
from tests.workers.sdk.test_label_formats import HEIGHT, WIDTH, back, control, found, one, picture, plain, written
from workers.sdk.labels import brush, raster, runlength
from workers.sdk.labels.agreement import agreement
from workers.sdk.labels.config import LabelConfig, LabelObject
from workers.sdk.labels.consensus import Voice, fuse
from workers.sdk.labels.results import Misfit, check
from workers.sdk.labels.travel import Target

Json = dict[str, Any]
CONFIG = LabelConfig(
    objects=(LabelObject(name="image", tag="Image", value="picture"),),
    controls=(control("BrushLabels", "brushlabels", "Sky", "Sea"), control("PolygonLabels", "polygonlabels", "Road")),
)


@st.composite
def pixels(draw: Any, most: int = 12) -> np.ndarray[Any, Any]:
    height, width = draw(st.integers(1, most)), draw(st.integers(1, most))
    bits = draw(st.integers(0, 2 ** (width * height) - 1))
    return np.array([[bits >> (y * width + x) & 1 for x in range(width)] for y in range(height)], dtype=np.uint8)


def disc(x: float, y: float, radius: float) -> np.ndarray[Any, Any]:
    down, across = np.mgrid[:HEIGHT, :WIDTH]
    return (across + 0.5 - x) ** 2 + (down + 0.5 - y) ** 2 < radius**2


def region(marked: np.ndarray[Any, Any], label: str = "Sky", id_: str = "m1") -> Json:
    value = {"format": "rle", "rle": mask2rle(marked.astype(np.uint8) * 255), "brushlabels": [label]}
    return {**one("brushlabels", value, id_), "original_width": marked.shape[1], "original_height": marked.shape[0]}


@settings(max_examples=200, deadline=None)
@given(pixels())
def test_a_mask_is_packed_byte_for_byte_as_label_studio_packs_it(marked: np.ndarray[Any, Any]) -> None:
    theirs = mask2rle(marked * 255)
    mask = brush.decode(theirs, marked.shape[1], marked.shape[0])
    assert mask == brush.of_pixels(marked) and np.array_equal(brush.pixels_of(mask), marked)
    assert brush.encode(mask) == theirs
    assert brush.transposed(mask) == brush.of_pixels(marked.T)
    told = runlength.packed(mask)
    assert runlength.unpacked(told, (mask.width, mask.height)) == mask
    assert runlength.unpacked({**told, "counts": _pycocotools(told["counts"])}, (mask.width, mask.height)) == mask


def test_what_the_browser_is_tested_with_is_what_label_studio_packs() -> None:
    vectors = json.loads((ROOT / "frontend/src/features/labeling/editor/mask/vectors.json").read_text())
    for told in vectors:
        mask = brush.Mask(told["width"], told["height"], tuple(told["edges"]))
        assert mask2rle(brush.pixels_of(mask).astype(np.uint8) * 255) == told["rle"]


def test_long_runs_are_packed_as_label_studio_packs_them() -> None:
    marked = np.zeros((700, 900), dtype=np.uint8)
    marked[100:650] = 1
    theirs = mask2rle(marked * 255)
    assert brush.encode(brush.of_pixels(marked)) == theirs
    assert np.array_equal(decode_rle(theirs).reshape(700, 900, 4)[:, :, 3] > 0, brush.pixels_of(brush.decode(theirs, 900, 700)))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 255), min_size=4, max_size=60).map(lambda v: v[: len(v) // 4 * 4]), st.integers(1, 9))
def test_lists_of_values_and_soft_edges_are_read_by_their_opacity(values: list[int], length: int) -> None:
    """Label Studio's browser packs single values into lists, with edges half transparent; its SDK writes runs only."""
    bits = f"{len(values):032b}{7:05b}" + "".join(f"{size - 1:04b}" for size in (3, 4, 8, 16))
    at = 0
    while at < len(values):
        some = values[at : at + length]
        bits += f"001{len(some) - 1:04b}" + "".join(f"{v:08b}" for v in some)
        at += length
    packed = [int(bits[n : n + 8].ljust(8, "0"), 2) for n in range(0, len(bits), 8)]
    assert np.array_equal(brush.pixels_of(brush.decode(packed, len(values) // 4, 1))[0], np.array(values[3::4]) >= 128)


def _pycocotools(counts: list[int]) -> str:
    """`rleToString` of pycocotools."""
    text = ""
    for n, count in enumerate(counts):
        value, more = count - (counts[n - 2] if n > 2 else 0), True
        while more:
            bits = value & 31
            value >>= 5
            more = value != -1 if bits & 16 else value != 0
            text += chr((bits | 32 if more else bits) + 48)
    return text


GOOD = region(disc(20, 20, 9))


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"rle": GOOD["value"]["rle"][:-9]}, "value.rle", "ends before its last pixel"),
        ({"rle": GOOD["value"]["rle"][:5]}, "value.rle", "values"),
        ({"rle": [*GOOD["value"]["rle"], 1, 2, 3]}, "value.rle", "bytes follow"),
        ({"rle": mask2rle(np.ones((9, 9), dtype=np.uint8))}, "value.rle", "324 values"),
        ({"rle": mask2rle(np.zeros((HEIGHT, WIDTH), dtype=np.uint8))}, "value.rle", "no pixel"),
        ({"rle": [0] * 1_000_001}, "value.rle", "1,000,001 bytes"),
        ({"rle": [256, 1]}, "value.rle", "list of bytes"),
        ({"rle": [1.5]}, "value.rle", "list of bytes"),
        ({"rle": "AAAA"}, "value.rle", "list of bytes"),
        ({"rle": None}, "value.rle", "list of bytes"),
        ({"format": "png"}, "value.format", "png"),
        ({"brushlabels": ["Moon"]}, "value.brushlabels", "Moon"),
        ({"original_width": None}, "original_width", "size of its image"),
        ({"original_width": 999_999, "original_height": 999_999}, "value.rle", "too large"),
    ],
)
def test_a_broken_mask_is_refused_with_its_field(change: Json, field: str, message: str) -> None:
    outside = {k: v for k, v in change.items() if k.startswith("original")}
    broken = {**GOOD, **outside, "value": {**GOOD["value"], **{k: v for k, v in change.items() if k not in outside}}}
    _, problems = check(CONFIG, [broken], {})
    assert [(p["field"], message in p["message"]) for p in problems] == [(f"result.0.{field}", True)], problems
    assert check(CONFIG, [GOOD], {}) == ([GOOD], [])


def test_a_small_file_cannot_ask_for_much_memory() -> None:
    """Of a picture of 100 million pixels, 400 million values in a few thousand bytes."""
    rle = brush.encode(brush.Mask(10_000, 10_000, (0, 100_000_000)))
    tracemalloc.start()
    assert brush.decode(rle, 10_000, 10_000).area == 100_000_000
    assert tracemalloc.get_traced_memory()[1] < 4_000_000
    tracemalloc.stop()


def test_masks_agree_by_their_pixels() -> None:
    left, right = disc(20, 20, 10), disc(24, 20, 10)
    both = (left & right).sum() / (left | right).sum()
    assert brush.alike(brush.of_pixels(left), brush.of_pixels(right)) == pytest.approx(both)
    assert agreement(CONFIG, [region(left)], [region(right)]) == 1.0, "more than half overlaps: the same thing"
    assert agreement(CONFIG, [region(left)], [region(disc(32, 20, 10))]) == 0.0
    assert agreement(CONFIG, [region(left)], [region(right, "Sea")]) == 0.0


def test_the_pixels_that_most_of_the_weight_marks_are_the_consensus() -> None:
    people = [disc(20, 20, 10), disc(22, 20, 10), disc(24, 22, 10)]
    fused = fuse(CONFIG, [Voice(result=[region(p, id_=f"m{n}")]) for n, p in enumerate(people)])
    (only,) = fused.result
    assert np.array_equal(brush.pixels_of(brush.mask_of(only)), sum(p.astype(int) for p in people) >= 2)
    assert check(CONFIG, [only], {})[1] == []
    heavy = fuse(CONFIG, [Voice(result=[region(p)], weights={"brushlabels": w}) for p, w in zip(people, (5, 1, 1), strict=True)])
    assert np.array_equal(brush.pixels_of(brush.mask_of(heavy.result[0])), people[0]), "who is trusted more than all others decides"


@pytest.mark.parametrize("name", ["labelstudio", "jsonl", "csv", "coco", "masks"])
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_masks_are_the_same_after_every_format_that_holds_them(name: str, data: st.DataObject) -> None:
    x, y = data.draw(st.integers(4, 60)), data.draw(st.integers(4, 44))
    sky = disc(x, y, data.draw(st.integers(1, 12)))
    sea = disc(60 - x, 40 - y, 9) & ~disc(60 - x, 40 - y, 4) & ~sky
    sea[47, 63] = not sky[47, 63]
    result = [region(sky), region(sea, "Sea", "m2")]
    again = back(name, picture(result), CONFIG)
    assert plain(again) == plain(result), "pixels, holes and all"
    assert {(r["original_width"], r["original_height"]) for r in again} == {(WIDTH, HEIGHT)} or name == "csv"


def test_what_cannot_hold_masks_says_so_and_what_has_no_brush_takes_them_as_polygons() -> None:
    item = picture([region(disc(20, 20, 9))])
    for name in ("yolo", "voc"):
        _, writing = written(name, [item], CONFIG)
        assert any("“brushlabels” (masks)" in sentence for sentence in writing.lost), name
    files, writing = written("coco", [item], CONFIG)
    assert not writing.lost
    told = json.loads(files["labels.json"])["annotations"][0]
    assert told["iscrowd"] == 0 and told["segmentation"]["size"] == [HEIGHT, WIDTH] and told["area"] == disc(20, 20, 9).sum()
    assert told["bbox"] == [11, 11, 18, 18]
    drawn = LabelConfig(objects=CONFIG.objects, controls=(control("PolygonLabels", "polygonlabels", "Sky", "Sea"),))
    (polygon,) = back_as("coco", files, drawn)
    painted = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    raster.fill(painted, [(x * WIDTH / 100, y * HEIGHT / 100) for x, y in polygon["value"]["points"]], 1)
    assert np.array_equal(painted, disc(20, 20, 9))
    outlined = one("polygonlabels", {"points": [[10, 10], [50, 10], [50, 50]], "closed": True, "polygonlabels": ["Sky"]})
    (mask,) = back_as("coco", written("coco", [picture([outlined])], drawn)[0], CONFIG)
    assert mask["type"] == "brushlabels" and brush.mask_of(mask).area > 100, "polygons of a label that is brushed are filled"


def back_as(name: str, files: dict[str, bytes], config: LabelConfig) -> list[Json]:
    (only,) = found(name, files, config)
    kept, problems = check(config, only.result(Target(width=WIDTH, height=HEIGHT)), {})
    assert not problems
    return kept


def test_a_mask_made_for_another_size_of_the_picture_goes_out_in_the_pictures_size() -> None:
    small = region(disc(20, 20, 9)[::2, ::2])
    files, _ = written("masks", [picture([small])], CONFIG)
    painted = raster.pixels(files["masks/a/b c.one.png"], WIDTH, HEIGHT)
    assert np.array_equal(painted[::2, ::2] > 0, disc(20, 20, 9)[::2, ::2])
    Image.open(io.BytesIO(files["masks/a/b c.one.png"])).verify()


@pytest.mark.parametrize(
    ("segmentation", "message"),
    [
        ({"size": [9, 9], "counts": [81]}, "has the size"),
        ({"size": [10**9, 10**9], "counts": [10**18]}, "has the size"),
        ({"size": [HEIGHT, WIDTH], "counts": [5, 5]}, "10 pixels long"),
        ({"size": [HEIGHT, WIDTH], "counts": [-5, WIDTH * HEIGHT + 5]}, "no lengths"),
        ({"size": [HEIGHT, WIDTH], "counts": "~~~~"}, "cannot be read"),
        ({"size": [HEIGHT, WIDTH], "counts": "o" * 99}, "cannot be read"),
        ({"size": [HEIGHT, WIDTH], "counts": "Q"}, "end in the middle"),
        ({"size": [HEIGHT, WIDTH], "counts": [WIDTH * HEIGHT]}, "no pixel"),
    ],
)
def test_a_broken_mask_of_coco_is_told_by_its_line(segmentation: Json, message: str) -> None:
    file = {
        "images": [{"id": 1, "file_name": "a", "width": WIDTH, "height": HEIGHT}],
        "categories": [{"id": 1, "name": "Sky"}],
        "annotations": [{"image_id": 1, "category_id": 1, "segmentation": segmentation}],
    }
    (only,) = found("coco", {"a.json": json.dumps(file).encode()}, CONFIG)
    with pytest.raises(Misfit) as refused:
        only.result(Target(width=WIDTH, height=HEIGHT))
    assert refused.value.field == "a.json, line 1, segmentation" and message in refused.value.message


def test_values_of_every_kind_are_read_as_the_sdk_reads_them() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (40, 50, 4))
    packed = encode_rle(noise.ravel())
    assert np.array_equal(brush.pixels_of(brush.decode(packed, 50, 40)), decode_rle(packed).reshape(40, 50, 4)[:, :, 3] >= 128)
