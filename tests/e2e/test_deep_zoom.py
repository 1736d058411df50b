"""Pictures too large for one piece, as an annotator meets them: whole at once, sharp to the pixel, every tool in the picture's places."""

from __future__ import annotations

import re
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from infra.supervisor.studio import Studio
from tests.e2e.conftest import Open
from tests.e2e.furnish import bring
from tests.e2e.labels import filled
from workers.sdk.client import Client
from workers.sdk.labels import brush

Json = dict[str, Any]
XML = """<View>
  <Image name="image" value="$image"/>
  <RectangleLabels name="box" toName="image"><Label value="Crack"/></RectangleLabels>
  <BrushLabels name="area" toName="image"><Label value="Plate"/></BrushLabels>
  <MagicWand name="wand" toName="image"/>
</View>"""
PLATE = (90, 70)
"""Width and height of the one khaki plate in the picture."""
MOST_MB = 40
"""By how much the web process may grow while a picture of 300 MB is shown."""


@dataclass(frozen=True)
class Scene:
    picture: Image.Image
    plate: tuple[int, int]
    """Its upper left corner."""


def scene(width: int, height: int) -> Scene:
    """Soft hills of dark colours, and far from the middle a khaki plate with a chessboard of single pixels beside it."""
    down, across = np.mgrid[: height // 50, : width // 50]
    hills = np.stack([across * 7 % 90, down * 5 % 90, (across + down) * 3 % 90], -1).astype(np.uint8)
    picture = Image.fromarray(hills).resize((width, height), Image.Resampling.BICUBIC)
    x, y = int(width * 0.83) // 8 * 8, int(height * 0.71) // 8 * 8
    picture.paste((240, 230, 140), (x, y, x + PLATE[0], y + PLATE[1]))
    board = (np.indices((16, 16)).sum(0) % 2 * 255).astype(np.uint8)
    picture.paste(Image.fromarray(board).convert("RGB"), (x + PLATE[0] + 20, y))
    return Scene(picture, (x, y))


class Desk:
    """The page at which the picture is labelled."""

    def __init__(self, page: Page, scene: Scene) -> None:
        self.page, self.scene = page, scene
        self.canvas = page.locator("[data-editor-canvas]")
        self.tiles = page.locator("canvas[data-tiles]")

    @property
    def placing(self) -> tuple[float, float, float]:
        """(Scale, x, y) of the picture on the page."""
        box = self.page.locator("img[data-ready]").bounding_box()
        assert box is not None
        return box["width"] / self.scene.picture.width, box["x"], box["y"]

    def at(self, x: float, y: float) -> tuple[float, float]:
        scale, left, top = self.placing
        return left + x * scale, top + y * scale

    def sharp(self, level: int | None = None) -> None:
        expect(self.tiles).to_have_attribute("data-tiles", "sharp", timeout=120_000)
        if level is not None:
            expect(self.tiles).to_have_attribute("data-level", str(level))

    def zoom_to(self, x: float, y: float, scale: float) -> None:
        """By the wheel over that place until so many pixels of the screen show one of the picture; then into the middle."""
        self.page.mouse.move(*self.at(x, y))
        while self.placing[0] < scale:
            self.page.mouse.wheel(0, -400)
            self.page.wait_for_timeout(40)
        box = self.canvas.bounding_box()
        assert box is not None
        middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self.page.mouse.down(button="middle")
        self.page.mouse.move(*middle, steps=8)
        self.page.mouse.up(button="middle")
        self.page.wait_for_timeout(200)

    def seen(self, x: int, y: int, across: int, down: int) -> np.ndarray[Any, Any]:
        """The colours on the screen in the middle of each pixel of a part of the picture."""
        shot = np.asarray(Image.open(BytesIO(self.page.screenshot())).convert("RGB"))
        middles = [[self.at(x + i + 0.5, y + j + 0.5) for i in range(across)] for j in range(down)]
        return np.array([[shot[int(top), int(left)] for left, top in row] for row in middles]).astype(int)


def brought(client: Client, folder: Path, data: bytes, name: str, open_page: Open) -> tuple[str, Page]:
    """The picture as an item to label; (the schema's slug, a page at which it is open)."""
    with zipfile.ZipFile(folder / "scan.zip", "w") as archive:
        archive.writestr(name, data)
    dataset = bring(client, folder / "scan.zip", "Scan")
    made = {"name": "Scan", "dataset": dataset, "xml": XML, "review_share": 0.0}
    slug = client.request("POST", f"/projects/{client.project}/label-schemas", json=made)["slug"]
    filled(client, slug)
    page, _ = open_page()
    page.goto(f"/p/{client.project}/labels/{slug}/label")
    return slug, page


def annotated(client: Client, slug: str, item: str) -> list[Json]:
    end = time.monotonic() + 20
    while not (said := client.request("GET", f"/projects/{client.project}/label-schemas/{slug}/items/{item}/annotations")):
        assert time.monotonic() < end, "the annotation did not arrive"
    found: list[Json] = said[0]["result"]
    return found


def label(open_page: Open, client: Client, folder: Path, shown: Scene, form: str, off: int, **save: Any) -> None:
    """Bring the picture, look at it, mark a crack by a box and the plate by the wand, submit. `off`: by how much colours may differ."""
    held = BytesIO()
    shown.picture.save(held, form, **save)
    slug, page = brought(client, folder, held.getvalue(), f"wall.{form.lower()}", open_page)
    desk, (x, y), (wide, high) = Desk(page, shown), shown.plate, PLATE

    # The whole of it at once, before its tiles are made; then pixels, each in its place.
    expect(page.locator("img[data-ready]")).to_be_visible(timeout=120_000)
    desk.sharp()
    item = str(page.locator("[data-item]").get_attribute("data-item"))
    desk.zoom_to(x + wide + 10, y + 8, 7)
    desk.sharp(level=0)
    part = (x + wide - 8, y - 2, 46, 18)
    wanted = np.asarray(shown.picture.crop((part[0], part[1], part[0] + part[2], part[1] + part[3]))).astype(int)
    different = abs(desk.seen(*part) - wanted).max(axis=2)
    assert (different <= off).mean() > 0.99, f"{(different > off).sum()} of {different.size} pixels are not shown as they are"

    # A box around the chessboard, to the pixel.
    page.keyboard.press("1")
    page.mouse.move(*desk.at(x + wide + 20, y))
    page.mouse.down()
    page.mouse.move(*desk.at(x + wide + 36, y + 16), steps=8)
    page.mouse.up()
    expect(desk.canvas).to_have_attribute("aria-label", re.compile("^Image, 1 region"))

    # The plate by the wand, from a place at its edge, though most of it is out of the window.
    page.keyboard.press("2")
    page.keyboard.press("w")
    page.mouse.click(*desk.at(x + wide - 4, y + 8))
    expect(desk.canvas).to_have_attribute("aria-label", re.compile("^Image, 2 regions"), timeout=60_000)
    page.keyboard.press("Control+Enter")
    expect(page.locator(f'[data-item="{item}"]')).to_have_count(0)

    box, area = sorted(annotated(client, slug, item), key=lambda one: one["type"] == "brushlabels")
    width, height = shown.picture.size
    assert (box["original_width"], box["original_height"]) == (width, height)
    place = [box["value"][k] / 100 * side for k, side in (("x", width), ("y", height), ("width", width), ("height", height))]
    assert place == [pytest.approx(wanted, abs=0.6) for wanted in (x + wide + 20, y, 16, 16)]
    mask = brush.mask_of(area)
    assert mask.bounds == pytest.approx((x, y, x + wide, y + high), abs=0 if off == 0 else 1)
    assert mask.area == pytest.approx(wide * high, rel=0 if off == 0 else 0.03)


def test_a_scan_of_33_megapixels_is_labelled_to_the_pixel(open_page: Open, fresh_project: Client, tmp_path: Path) -> None:
    """A TIFF, which no browser shows by itself."""
    label(open_page, fresh_project, tmp_path, scene(6600, 5000), "TIFF", 0, compression="tiff_lzw")


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("form", "off", "save"), [("JPEG", 40, {"quality": 97, "subsampling": 0}), ("PNG", 0, {"compress_level": 1})])
def test_a_photograph_of_108_megapixels_is_labelled_to_the_pixel(
    form: str, off: int, save: Json, open_page: Open, fresh_project: Client, studio: Studio, tmp_path: Path, web_mb: Callable[[], float]
) -> None:
    before = web_mb()
    label(open_page, fresh_project, tmp_path, scene(12_000, 9000), form, off, **save)
    assert web_mb() - before < MOST_MB, "no picture is decoded in the web process"


@pytest.fixture
def web_mb(studio: Studio) -> Callable[[], float]:
    """The most that the web process ever took, in megabytes."""

    def peak() -> float:
        status = Path(f"/proc/{studio.now()['children']['web']['pid']}/status")
        if not status.exists():
            pytest.skip("the kernel's count of a process's highest memory is read from /proc")
        return int(re.findall(r"VmHWM:\s+(\d+)", status.read_text())[0]) / 1024

    return peak
