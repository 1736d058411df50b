"""Documents as a team labels them: PDFs are brought, a question asked by a form, pages drawn on by keys over a reload, submitted."""

from __future__ import annotations

import zipfile
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Open
from tests.e2e.furnish import bring
from tests.e2e.labels import filled
from tests.e2e.papers import pdf
from workers.sdk.client import Client


def turned(page: Page, number: int) -> None:
    expect(page.get_by_role("textbox", name="Page, of 2")).to_have_value(str(number))
    expect(page.locator("img[data-ready]")).to_be_visible()


def test_documents_are_labelled_page_by_page_by_keys(open_page: Open, fresh_project: Client, tmp_path: Path) -> None:
    client, project = fresh_project, fresh_project.project
    with zipfile.ZipFile(tmp_path / "bills.zip", "w") as archive:
        for n in range(2):
            archive.writestr(f"bill-{n}.pdf", pdf(f"Bill {n}", "Terms"))
    bring(client, tmp_path / "bills.zip", "Bills")
    page, watch = open_page()
    page.goto(f"/p/{project}/labels/new?dataset=bills")
    page.get_by_role("combobox", name="What do people give?").click()
    page.get_by_role("option", name="Boxes").click()
    page.get_by_role("combobox", name="Labels").fill("Sum")
    page.keyboard.press("Enter")
    turned(page, 1)
    page.get_by_role("button", name="Begin to label").click()
    page.wait_for_url("**/labels/bills")
    filled(client, "bills")
    page.goto(f"/p/{project}/labels/bills/label")
    turned(page, 1)
    here = page.locator("[data-item]").get_attribute("data-item")
    page.keyboard.press("PageDown")
    turned(page, 2)
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 region here")).to_be_visible()
    page.reload()
    turned(page, 1)
    page.keyboard.press("PageDown")
    expect(page.get_by_text("1 region here")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.locator(f'[data-item="{here}"]')).to_have_count(0)
    turned(page, 1)
    found = page.request.get(f"/api/v1/projects/{project}/label-schemas/bills/export?format=labelstudio").json()
    assert [one["item_index"] for task in found for one in task["annotations"][0]["result"]] == [1]
    assert watch.errors == [], "the content security policy lets pdf.js draw"
