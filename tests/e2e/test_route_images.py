"""The route with pictures: a zip with a folder a class, a template, a network trained under the user's eyes, a picture classified."""

from __future__ import annotations

import base64
import random
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.canvas import Canvas, go
from tests.e2e.conftest import Open
from tests.e2e.material import shape, shapes
from workers.sdk.client import Client


@pytest.mark.timeout(240)
def test_pictures_in_a_zip_become_an_endpoint_that_tells_them_apart(open_page: Open, fresh_project: Client, tmp_path: Path) -> None:
    page, watch = open_page()
    page.goto(f"/p/{fresh_project.project}/datasets")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose files").click()
    chooser.value.set_files(shapes(tmp_path / "shapes.zip"))
    page.get_by_role("region", name="Uploads").get_by_role("link", name="Look at it").click(timeout=30_000)
    expect(page.get_by_text("120 images").first).to_be_visible()
    expect(page.locator("main img").first).to_be_visible()
    drawn = page.get_by_role("listbox", name="Images").get_by_role("option").count()
    assert drawn < 120, f"the gallery draws {drawn} of 120 pictures: with 100,000 the page would stand still"
    page.get_by_role("button", name="Freeze", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Freeze version 1").click()
    page.get_by_role("link", name="Use in a pipeline").click(timeout=30_000)

    card = page.get_by_role("article", name="Image classification – quick start")
    card.get_by_role("button", name=re.compile("Use")).click()
    dialog = page.get_by_role("dialog")
    if dialog.get_by_role("combobox", name="Data set").input_value() == "":
        dialog.get_by_role("combobox", name="Data set").click()
        page.get_by_role("option", name="shapes").click()
    dialog.get_by_role("button", name="Create the pipeline").click()
    page.wait_for_url(re.compile(r"/pipelines/[^?]+"))
    canvas = Canvas(page)
    details = canvas.choose("Train an image classifier")
    details.get_by_role("textbox", name="Epochs").fill("25")
    details.get_by_role("textbox", name="Batch size").fill("16")
    expect(page.get_by_role("button", name="0 problems")).to_be_visible()
    page.locator("header").get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url("**/runs/*")

    # While it trains: a chart that grows.
    expect(page.get_by_role("tab", name="Charts")).to_have_attribute("aria-selected", "true")
    expect(page.locator("main .js-plotly-plot").first).to_be_visible(timeout=60_000)
    expect(page.get_by_role("button", name=re.compile("^Register a model: succeeded"))).to_be_visible(timeout=90_000)
    page.get_by_role("tab", name="Results").click()
    expect(page.get_by_text("Accuracy").first).to_be_visible()

    go(page, "Models")
    page.get_by_role("link", name="My image classifier").first.click()
    page.get_by_role("button", name="Deploy version 1").click()
    page.wait_for_url("**/endpoints/*", timeout=10_000)
    expect(page.locator('main [data-status="live"]').first).to_be_visible(timeout=5_000)
    rng = random.Random(99)
    for kind in ("ring", "cross"):
        picture = base64.b64encode(shape(kind, rng)).decode()
        transfer = page.evaluate_handle(
            """data => { const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0)); const t = new DataTransfer()
                 t.items.add(new File([bytes], 'unseen.png', { type: 'image/png' })); return t }""",
            picture,
        )
        drop = page.get_by_text("Drop an image here")
        for name in ("dragenter", "dragover", "drop"):
            drop.dispatch_event(name, {"dataTransfer": transfer})
        expect(page.get_by_test_id("answer").get_by_text(kind, exact=True).first).to_be_visible()
        expect(page.get_by_test_id("answer").locator("p").nth(1)).to_have_text(kind)

    # What is no image is refused in words, and the page goes on.
    with page.expect_file_chooser() as chooser:
        page.locator("main .mantine-Dropzone-root").click()
    chooser.value.set_files({"name": "broken.png", "mimeType": "image/png", "buffer": b"not a picture at all"})
    expect(page.get_by_role("region", name="Try it").get_by_role("alert")).to_be_visible()
    assert watch.errors == [], "The browser's console has errors"
