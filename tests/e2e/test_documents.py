"""Documents page by page on the editor's page: turned by keys, drawn on, each region on its page; what cannot be opened is told."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import PHONE, until
from tests.e2e.editor_page.bench import BOXES, Bench, control, schema
from tests.e2e.papers import pdf
from tests.e2e.test_accessible import serious

PAPER = schema("Pdf", BOXES, control("kind", "Choices", ("letter", "bill")))


def start(bench: Bench, document: bytes, result: list[dict[str, Any]] | None = None, **more: Any) -> None:
    address = "data:application/pdf;base64," + base64.b64encode(document).decode()
    options = {"config": PAPER, "item": {"data": {}, "urls": {"it": address}}, "result": result or [], **more}
    bench.page.evaluate("(options) => start(options)", options)


def ready(bench: Bench) -> None:
    expect(bench.page.locator("img[data-ready]")).to_be_visible()


def test_pages_are_turned_by_keys_and_every_region_lies_on_its_page(bench: Bench) -> None:
    start(bench, pdf("First", "Second", "Third"))
    ready(bench)
    expect(bench.page.get_by_text("of 3")).to_be_visible()
    bench.keys("1")
    bench.drag((10, 20), (60, 50))
    first = bench.result[0]
    assert (first["item_index"], first["type"]) == (0, "rectanglelabels")
    assert first["original_height"] / first["original_width"] == pytest.approx(420 / 298, abs=0.01), "in the page's proportions"
    bench.keys("PageDown")
    ready(bench)
    expect(bench.page.get_by_role("textbox", name="Page, of 3")).to_have_value("2")
    bench.keys("2")
    bench.drag((10, 20), (60, 50))
    assert [one["item_index"] for one in bench.result] == [0, 1]
    expect(bench.page.get_by_text("1 region here")).to_be_visible()
    bench.keys("Control+a", "Control+d")
    assert bench.result[-1]["item_index"] == 1
    bench.keys("Control+z", "3")
    assert bench.result[-1]["value"] == {"choices": ["letter"]} and "item_index" not in bench.result[-1], "an answer is of the whole"
    bench.keys("PageDown", "PageDown")
    expect(bench.page.get_by_role("textbox", name="Page, of 3")).to_have_value("3")
    bench.page.get_by_role("listitem").filter(has_text="box, page 1").get_by_role("button").first.click()
    expect(bench.page.get_by_role("textbox", name="Page, of 3")).to_have_value("1")
    ready(bench)
    assert serious(bench.page) == []
    bench.page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # the two numbers of ViewportSize
    until(bench.page, "document.documentElement.scrollWidth <= document.documentElement.clientWidth")  # once it is laid out anew


@pytest.mark.parametrize(
    ("document", "told"),
    [(pdf("Secret", locked=True), "locked by a password"), (b"%PDF-1.4 no more of it", "is damaged")],
    ids=["locked", "damaged"],
)
def test_a_document_that_does_not_open_is_told(bench: Bench, document: bytes, told: str) -> None:
    start(bench, document)
    expect(bench.page.get_by_role("alert")).to_contain_text(told)
