"""Pictures too large for one piece: what they are cut into is what they are, for those who may see the item, and never twice."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from backend.artifacts import pyramids, tiling
from backend.artifacts.errors import NoPreview
from backend.artifacts.storage import store
from backend.core.models import Project
from tests.backend.datasets.conftest import zipped
from tests.backend.datasets.test_hostile import png_of
from tests.backend.labeling.conftest import Labs, take
from tests.backend.people import Person, person

ACROSS, DOWN = 1500, 1101


def drawn(mode: str = "RGB") -> Image.Image:
    """Every pixel differs from its neighbours, no two corners are alike."""
    down, across = np.mgrid[:DOWN, :ACROSS]
    colours = np.stack([across % 251, down % 241, (across // 8 + down // 8) % 256, np.where(across > 700, 255, 90)], -1).astype(np.uint8)
    return Image.fromarray(colours, "RGBA").convert(mode)


def saved(image: Image.Image, form: str, **more: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **more)
    return out.getvalue()


def whole(digest: str, level: int = 0) -> Image.Image:
    """All tiles of a level, laid beside each other."""
    wanted = pyramids.look(digest, 30)
    assert wanted.progress == 1
    head = tiling.Head(width=wanted.width, height=wanted.height, media_type="")
    found = None
    for row in range(head.grid(level)[1]):
        for column in range(head.grid(level)[0]):
            part = Image.open(io.BytesIO(pyramids.tile(digest, level, column, row)[0]))
            found = found or Image.new(part.mode, head.levels[level])
            found.paste(part, (column * head.tile, row * head.tile))
    assert found is not None
    return found


def kept(data: bytes) -> str:
    return str(store().put_bytes(data, "image/png").digest)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "1"])
def test_tiles_of_what_is_kept_without_loss_are_its_pixels(mode: str) -> None:
    image = drawn().quantize(64) if mode == "P" else drawn(mode)
    found = whole(kept(saved(image, "PNG" if mode != "L" else "TIFF")))
    assert np.array_equal(np.asarray(found.convert("RGBA")), np.asarray(image.convert("RGBA")))


def test_sixteen_bits_are_shown_by_their_upper_eight() -> None:
    deep = (np.arange(DOWN * ACROSS, dtype=np.uint32) % 65_536).astype(np.uint16).reshape(DOWN, ACROSS)
    assert np.array_equal(np.asarray(whole(kept(saved(Image.fromarray(deep), "TIFF"))).convert("L")), (deep >> 8).astype(np.uint8))


@pytest.mark.parametrize("turned", range(1, 9))
def test_a_camera_held_otherwise_gives_an_upright_picture(turned: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turned
    data = saved(drawn(), "PNG", exif=exif)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    found = whole(kept(data))
    assert found.size == upright.size and np.array_equal(np.asarray(found), np.asarray(upright))
    half = np.asarray(whole(kept(data), 1).resize((64, 64))).astype(int)
    assert abs(half - np.asarray(upright.resize((64, 64))).astype(int)).mean() < 3, "further levels lie the same way"


def test_a_photograph_stays_within_what_nobody_sees() -> None:
    """Of a JPEG each pixel is off by a few shades at most; further levels show the same smaller, down to one tile."""
    smooth = drawn().resize((300, 220)).resize((ACROSS, DOWN), Image.Resampling.BICUBIC)
    data = saved(smooth, "JPEG", quality=90)
    digest, decoded = kept(data), np.asarray(Image.open(io.BytesIO(data))).astype(int)
    off = abs(np.asarray(whole(digest)).astype(int) - decoded)
    assert off.max() <= 12 and off.mean() < 1
    levels = tiling.Head(width=ACROSS, height=DOWN, media_type="").levels
    assert levels == [(1500, 1101), (750, 551), (375, 276)]
    small = np.asarray(whole(digest, 2)).astype(int)
    assert abs(small - np.asarray(smooth.reduce(4)).astype(int)).mean() < 3


def test_many_who_ask_at_once_have_it_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    digest = kept(saved(drawn(), "PNG"))
    first = pyramids.look(digest, 0)
    assert first.progress < 1 and (first.width, first.height) == (ACROSS, DOWN), "its size is known before its tiles are"
    with ThreadPoolExecutor(8) as people:
        assert {one.progress for one in people.map(lambda _: pyramids.look(digest, 30), range(8))} == {1}
    made = tiling.path_of(digest).stat().st_ino
    assert pyramids.look(digest, 30).progress == 1 and tiling.path_of(digest).stat().st_ino == made
    other = kept(saved(drawn("L"), "PNG"))
    monkeypatch.setattr(tiling, "KEPT", 1)
    tiling.make(digest=other)
    assert not tiling.path_of(digest).exists() and tiling.path_of(other).exists(), "the longest unused goes when there are too many"
    with pytest.raises(Exception, match="no file"):
        pyramids.tile(digest, 0, 0, 0)
    assert pyramids.look(digest, 30).progress == 1, "and is made again for who asks"


@pytest.mark.parametrize(
    ("what", "data"),
    {
        "cut off": saved(drawn(), "PNG")[:4_000],
        "cut off in its header": saved(drawn(), "PNG")[:20],
        "larger than any camera's": png_of(60_000, 60_000),
        "no picture": b"hello " * 100,
        "a JPEG that is cut off": saved(drawn(), "JPEG")[:30_000],
    }.items(),
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_whole_picture_is_an_error_and_leaves_nothing(what: str, data: bytes) -> None:
    digest = kept(data)
    with pytest.raises(NoPreview):
        pyramids.look(digest, 30)
    folder = tiling.path_of(digest).parent
    assert [p for p in folder.glob("*") if p.suffix != ".lock"] == [], what


def test_an_item_is_shown_in_tiles_to_those_who_may_see_it(labs: Labs, ann: Person, project: Project) -> None:
    image = drawn()
    files = {"deep.tif": saved(image, "TIFF", compression="tiff_lzw"), "small.png": saved(image.resize((20, 10)), "PNG")}
    dataset = labs.upload.ready(zipped(files), "scans.zip", options={"freeze": True})["dataset"]
    schema = labs.schema(dataset)
    works = [take(ann, schema), None]
    works[1] = take(ann, schema, [works[0]["id"]])  # type: ignore[index]  # both are there
    by_name = {work["key"]: work for work in works if work}
    assert by_name["small.png"]["pyramids"] == {}, "what is small is shown in one piece"
    work = by_name["deep.tif"]
    at = work["pyramids"]["image"]
    told = ann.get(at["pyramid"].partition("/lab")[2] + "?wait=30")
    assert told == {"width": ACROSS, "height": DOWN, "tile": 512, "levels": 3, "progress": 1}
    tile = at["tiles"].partition("/lab")[2] + "/0/2/1"
    answer = ann.ask("GET", tile)
    shown = Image.open(io.BytesIO(answer.content))
    assert np.array_equal(np.asarray(shown), np.asarray(image.crop((1024, 512, 1500, 1024))))
    assert "immutable" in answer["Cache-Control"] and answer["Content-Type"] == "image/webp"
    assert ann.ask("GET", tile, **{"If-None-Match": answer["ETag"]}).status_code == 304
    overview = Image.open(io.BytesIO(ann.ask("GET", at["overview"].partition("/lab")[2]).content))
    assert overview.size == (ACROSS, DOWN) and overview.format == "WEBP"
    for beyond in ("/0/3/0", "/0/0/3", "/3/0/0", "/0/99999999999999999999/0"):
        assert ann.ask("GET", at["tiles"].partition("/lab")[2] + beyond).status_code == 404
    stranger = person(Project.objects.create(slug="other", name="Other"), "owner", "eve@other.example")
    for address in (at["pyramid"], at["overview"], at["tiles"] + "/0/0/0"):
        answer = stranger.http.get(address, headers={"Authorization": f"Bearer {stranger.secret}"})
        assert answer.status_code in (403, 404)
