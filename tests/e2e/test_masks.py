"""Masks by real mouse and keys: painted, erased, marked by colour, undone, and in the studio's hands pixel by pixel."""

from __future__ import annotations

import io
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import expect

from tests.e2e.browser import until
from tests.e2e.conftest import Open
from tests.e2e.editor_page.bench import Bench, control, schema
from tests.e2e.furnish import bring
from tests.e2e.labels import filled
from workers.sdk.client import Client
from workers.sdk.labels import brush

Json = dict[str, Any]
WIDTH, HEIGHT = 1000, 600
MASKS = schema("Image", control("area", "BrushLabels", ("Sky", "Sea"), wand=True, opacity=0.5))
KHAKI = (slice(150, 390), slice(200, 500))
"""Rows and columns of the one other colour of the bench's picture."""


def pixels(bench: Bench, index: int = 0) -> np.ndarray[Any, Any]:
    return brush.pixels_of(brush.mask_of(bench.result[index]))


def middle(bench: Bench, index: int = 0) -> tuple[float, float]:
    """Of a mask, in percent."""
    down, across = np.nonzero(pixels(bench, index))
    return across.mean() / WIDTH * 100, down.mean() / HEIGHT * 100


def start(bench: Bench, size: int = 60) -> None:
    bench.start(MASKS)
    bench.keys("m")
    bench.page.evaluate(f"editor.sizeBrush({size})")


def test_masks_are_painted_widened_erased_and_undone_stroke_by_stroke(bench: Bench) -> None:
    start(bench)
    bench.drag((60, 50), (80, 50))
    first = pixels(bench)
    assert bench.value()["brushlabels"] == ["Sky"]
    assert first.sum() == pytest.approx(200 * 60 + np.pi * 30**2, rel=0.02), "a way of 200 pixels with a brush of 60"
    assert middle(bench) == (pytest.approx(70, abs=0.5), pytest.approx(50, abs=0.5))
    bench.drag((70, 50), (70, 80))
    assert len(bench.result) == 1 and pixels(bench).sum() > first.sum(), "the next stroke widens it"
    bench.keys("e")
    bench.drag((60, 50), (80, 50))
    erased = pixels(bench)
    assert not (erased & first).any() and erased.any()
    bench.keys("Control+z", "Control+z")
    assert np.array_equal(pixels(bench), first)
    bench.keys("Control+Shift+z", "Control+Shift+z")
    assert np.array_equal(pixels(bench), erased)
    bench.keys("m")
    bench.page.keyboard.down("Alt")
    bench.drag((50, 90), (90, 90))
    bench.drag((70, 45), (70, 95))
    bench.page.keyboard.up("Alt")
    assert bench.result == [], "what is erased to its last pixel is gone"


def test_every_label_is_a_mask_of_its_own_and_escape_begins_another(bench: Bench) -> None:
    start(bench)
    bench.drag((20, 20), (30, 20))
    bench.keys("2")
    bench.drag((20, 50), (30, 50))
    bench.drag((30, 50), (40, 50))
    bench.keys("Escape")
    bench.drag((20, 80), (30, 80))
    assert [one["value"]["brushlabels"] for one in bench.result] == [["Sky"], ["Sea"], ["Sea"]]
    bench.page.keyboard.down("Control")
    bench.click((25, 20))
    bench.page.keyboard.up("Control")
    bench.drag((30, 20), (30, 30))
    assert len(bench.result) == 3 and middle(bench)[1] > 20.5, "a selected mask is the one that is widened"
    bench.keys("v", "Escape")
    bench.drag((25, 50), (35, 50))
    assert middle(bench, 1) == (pytest.approx(40, abs=0.5), pytest.approx(50, abs=0.5)), "with no tool a mask is moved"
    bench.keys("l")
    bench.keys("e")
    bench.drag((40, 50), (45, 50))
    assert pixels(bench, 1).sum() == pytest.approx(pixels(bench, 2).sum() + 100 * 60, rel=0.05), "what is locked is not erased"
    bench.keys("l", "Escape", "Escape", "v")
    bench.click((25, 80))
    bench.keys("h")
    bench.click((25, 80))
    assert bench.page.evaluate("editor.state.selected.size") == 0, "what is hidden cannot be clicked"


def test_the_brush_is_sized_by_keys_and_slider_and_shown(bench: Bench) -> None:
    start(bench, 100)
    bench.page.mouse.move(*bench.place((50, 50)))
    circle = "getComputedStyle(document.querySelector('[data-tool]'), '::before').width"
    scale = bench.page.evaluate("document.querySelector('img[data-ready]').getBoundingClientRect().width") / WIDTH
    assert float(bench.page.evaluate(circle).removesuffix("px")) == pytest.approx(100 * scale, abs=2)
    bench.keys("[", "[")
    assert bench.page.evaluate("editor.state.masks.size") == 64
    bench.keys("]")
    until(bench.page, f"Math.abs(parseFloat({circle}) - {80 * scale}) < 2")
    slider = bench.page.get_by_role("slider", name="Size of the brush")
    slider.focus()
    bench.keys("Home")
    assert bench.page.evaluate("editor.state.masks.size") == 1
    bench.drag((50, 50), (60, 50))
    assert 95 <= pixels(bench).sum() <= 105, "a line one pixel wide has no gap"


def test_the_wand_marks_a_colour_adds_and_takes_out(bench: Bench) -> None:
    start(bench)
    bench.drag((10, 10), (15, 10))
    painted = pixels(bench)
    bench.keys("w")
    bench.click((35, 45))
    until(bench.page, "!editor.state.masks.busy && editor.state.canUndo && editor.regions.length === 1")
    khaki = np.zeros((HEIGHT, WIDTH), dtype=bool)
    khaki[KHAKI] = True
    wanted = khaki | painted
    until(bench.page, f"editor.shape(editor.regions[0]).mask.area > {int(painted.sum())}")
    differing = int((pixels(bench) ^ wanted).sum())
    assert differing <= 2 * (240 + 300) * 2, "the field of one colour, give or take its soft edge"
    bench.page.keyboard.down("Alt")
    bench.click((35, 45))
    bench.page.keyboard.up("Alt")
    until(bench.page, f"editor.shape(editor.regions[0]).mask.area <= {int(painted.sum())}")
    assert np.array_equal(pixels(bench), painted & ~khaki)
    bench.keys("Control+z", "Escape")
    x, y = bench.place((80, 80))
    bench.page.mouse.move(x, y)
    bench.page.mouse.down()
    bench.page.mouse.move(x + 500, y - 500, steps=6)
    assert bench.page.evaluate("document.querySelector('[data-tool]').dataset.tolerance") == "252", "a drag takes more colours, and says so"
    bench.page.mouse.up()
    until(bench.page, "editor.regions.length === 2")
    assert pixels(bench, 1).all(), "every colour is alike"


def test_a_finger_paints_and_two_fingers_zoom(bench: Bench) -> None:
    start(bench)
    touch = """([kind, points]) => points.forEach(([id, x, y]) => document.querySelector('[data-editor-canvas]').dispatchEvent(
      new PointerEvent(kind, { pointerId: id, pointerType: 'touch', isPrimary: id === 1, bubbles: true, cancelable: true, clientX: x,
        clientY: y, button: kind === 'pointermove' ? -1 : 0, buttons: kind === 'pointerup' ? 0 : 1 })))"""
    bench.page.evaluate("Element.prototype.setPointerCapture = () => undefined")  # there is no finger to be captured

    def to(kind: str, *points: tuple[int, float, float]) -> None:
        bench.page.evaluate(touch, [kind, points])

    a, b = bench.place((30, 40)), bench.place((50, 40))
    to("pointerdown", (1, *a))
    to("pointermove", (1, *b))
    to("pointerup", (1, *b))
    assert middle(bench) == (pytest.approx(40, abs=0.5), pytest.approx(40, abs=0.5))
    before = pixels(bench)
    to("pointerdown", (1, *bench.place((30, 80))))
    to("pointermove", (1, *bench.place((40, 80))))
    to("pointerdown", (2, *bench.place((60, 80))))
    width = bench.page.evaluate("document.querySelector('img[data-ready]').getBoundingClientRect().width")
    to("pointermove", (2, *bench.place((80, 80))))
    to("pointerup", (1, *a), (2, *b))
    assert np.array_equal(pixels(bench), before), "a second finger means the view, not a stroke"
    assert bench.page.evaluate("document.querySelector('img[data-ready]').getBoundingClientRect().width") > width * 1.3


def test_a_mask_without_a_mouse(bench: Bench) -> None:
    start(bench)
    bench.page.get_by_role("application").focus()
    bench.keys("Enter")
    first = middle(bench)
    bench.keys("Shift+ArrowRight", "ArrowDown")
    assert middle(bench) == (pytest.approx(first[0] + 1), pytest.approx(first[1] + 100 / HEIGHT))
    bench.keys("Control+d")
    assert len(bench.result) == 2 and pixels(bench, 1).sum() == pixels(bench).sum()


def test_a_mask_is_painted_in_the_studio_and_comes_back_pixel_by_pixel(open_page: Open, fresh_project: Client, tmp_path: Path) -> None:
    picture = Image.new("RGB", (400, 300), "navy")
    ImageDraw.Draw(picture).rectangle((200, 100, 299, 199), fill="gold")
    held = io.BytesIO()
    picture.save(held, "PNG")
    with zipfile.ZipFile(tmp_path / "quay.zip", "w") as archive:
        archive.writestr("one.png", held.getvalue())
        archive.writestr("two.png", held.getvalue() + b"\0")
    client, project = fresh_project, fresh_project.project
    bring(client, tmp_path / "quay.zip", "Quay")
    page, _ = open_page()
    page.goto(f"/p/{project}/labels")
    page.get_by_role("link", name="New label schema").click()
    page.get_by_role("combobox", name="Data set").click()
    page.get_by_role("option", name="Quay").click()
    page.get_by_role("combobox", name="What do people give?").click()
    page.get_by_role("option", name="Masks").click()
    page.get_by_role("combobox", name="Labels").click()
    for label in ("gold", "sea"):
        page.keyboard.type(label)
        page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Magic wand: mark by colour")).to_be_visible()
    page.get_by_role("button", name="Begin to label").click()
    page.wait_for_url("**/labels/quay")
    filled(client, "quay")
    page.get_by_role("link", name="Label", exact=True).click()
    expect(page.locator("img[data-ready]")).to_be_visible()
    image = page.locator("img[data-ready]").bounding_box()
    assert image is not None

    def place(x: float, y: float) -> tuple[float, float]:
        assert image is not None
        return image["x"] + x / 400 * image["width"], image["y"] + y / 300 * image["height"]

    def regions(count: int) -> None:
        expect(page.get_by_role("region", name="Regions").get_by_text(f"Regions {count}")).to_be_visible()

    page.keyboard.press("w")
    page.mouse.click(*place(250, 150))
    regions(1)
    page.keyboard.press("2")
    page.keyboard.press("m")
    for y in (40, 250):
        page.mouse.move(*place(50, y))
        page.mouse.down()
        page.mouse.move(*place(150, y), steps=5)
        page.mouse.up()
    regions(2)
    page.keyboard.press("Control+z")
    page.keyboard.press("e")
    page.mouse.move(*place(100, 20))
    page.mouse.down()
    page.mouse.move(*place(100, 60), steps=5)
    page.mouse.up()
    first = page.locator("[data-item]").get_attribute("data-item")
    page.keyboard.press("Control+Enter")
    expect(page.locator(f'[data-item]:not([data-item="{first}"])')).to_be_visible()
    end = time.monotonic() + 20
    while not (said := client.request("GET", f"/projects/{project}/label-schemas/quay/items/{first}/annotations")):
        assert time.monotonic() < end, "the annotation did not arrive"
    (annotation,) = said
    gold, sea = annotation["result"]
    wanted = np.zeros((300, 400), dtype=bool)
    wanted[100:200, 200:300] = True
    assert np.array_equal(brush.pixels_of(brush.mask_of(gold)), wanted) and gold["value"]["brushlabels"] == ["gold"]
    painted = brush.pixels_of(brush.mask_of(sea))
    assert painted[40, 55] and painted[40, 145] and not painted[40, 100] and not painted[250].any()
