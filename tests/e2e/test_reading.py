"""A file from a European spreadsheet: seen, corrected, read again, frozen, with the right numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import DESK, PHONE, RESULTS, sideways
from tests.e2e.conftest import Open
from tests.e2e.test_accessible import serious, settle
from workers.sdk.client import Client

PLACES = (
    "Ort;Fläche;Preis;Stand\n"
    "Zürich;87,88;1.234,56;31.12.2025\n"
    "Köln;405,02;-99,50;01.02.2025\n"
    "k. A.;1,5;12.000,00;15.03.2025\n"
).encode("latin-1")  # fmt: skip


@pytest.mark.timeout(600)
def test_a_file_with_decimal_commas_is_corrected_and_frozen(open_page: Open, fresh_project: Client, tmp_path: Path) -> None:
    (tmp_path / "orte.csv").write_bytes(PLACES)
    page, watch = open_page()
    page.goto(f"/p/{fresh_project.project}/datasets")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose files").click()
    chooser.value.set_files(tmp_path / "orte.csv")
    page.get_by_role("link", name="Look at it").click(timeout=60_000)

    panel = page.get_by_role("region", name="How the file is read")
    expect(panel).to_contain_text("semicolon · Latin-1 · names in the first row · numbers as 1.234,56")
    page.get_by_role("button", name="Clear").click()
    panel.get_by_role("button", name="How the file is read").click()
    preview = panel.get_by_role("region", name="Preview of the first rows")
    expect(preview.get_by_role("row").nth(1)).to_contain_text("1234.56", timeout=60_000)
    expect(preview).to_contain_text("day.month.year")
    expect(preview.get_by_role("row").nth(3)).to_contain_text("k. A.")

    # Under another option the preview changes and nothing else does.
    panel.get_by_role("combobox", name="Decimal mark").click()
    page.get_by_role("option", name="Point").click()
    expect(preview.get_by_role("row").nth(1)).to_contain_text("87,88")
    panel.get_by_role("button", name="Undo changes").click()
    expect(preview.get_by_role("row").nth(1)).to_contain_text("87.88")

    panel.get_by_role("combobox", name="Read as missing").fill("k. A.")
    page.keyboard.press("Enter")
    expect(preview.get_by_role("row").nth(3)).to_contain_text("missing")
    for size, name in ((DESK, "desk"), (PHONE, "phone")):
        page.set_viewport_size(size)  # type: ignore[arg-type]  # the two numbers of ViewportSize
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # light or dark
            settle(page)
            RESULTS.mkdir(exist_ok=True)
            panel.screenshot(path=RESULTS / f"reading-{name}-{scheme}.png")
            page.screenshot(path=RESULTS / f"reading-page-{name}-{scheme}.png")
            assert serious(page) == [] and sideways(page) == 0
    page.set_viewport_size(DESK)  # type: ignore[arg-type]  # as above
    panel.get_by_role("button", name="Read the file again").click()
    expect(page.get_by_text("The file was read again.")).to_be_visible(timeout=60_000)

    page.get_by_role("button", name="Freeze").click()
    page.get_by_role("button", name="Freeze version 1").click()
    expect(page.locator('[data-status="frozen"]')).to_be_visible(timeout=60_000)
    rows = fresh_project.request("GET", f"/projects/{fresh_project.project}/datasets/orte/versions/1/rows")["rows"]
    assert rows[0][:3] == ["Zürich", 87.88, 1234.56] and rows[1][2] == -99.5 and rows[2][:3] == [None, 1.5, 12000.0]
    assert watch.errors == []
