"""From a figure that says people differ to the item on which they do."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.conftest import Open
from tests.e2e.furnish import bring
from tests.e2e.labels import furnish_crowd
from tests.e2e.material import shapes
from tests.e2e.stage import crowd
from tests.e2e.test_accessible import serious, settle
from workers.sdk.client import Client


def test_the_dashboard_opens_the_items_on_which_people_differ(open_page: Open, fresh_project: Client, tmp_path: Path) -> None:
    client, project = fresh_project, fresh_project.project
    slug = furnish_crowd(client, crowd(client), bring(client, shapes(tmp_path / "shore.zip", each=10), "Shore"))
    page, watch = open_page()
    page.goto(f"/p/{project}/labels/{slug}?tab=quality")
    expect(page.get_by_text("Agreement of two people")).to_be_visible()
    page.get_by_role("button", name="Annotations").click()
    settle(page)
    assert serious(page) == []
    confusion = page.get_by_role("region", name="Confusion")
    confusion.scroll_into_view_if_needed()
    expect(confusion.locator(".js-plotly-plot")).to_be_visible()
    confusion.get_by_role("button", name="As a table").click()
    confusion.get_by_role("button", name=re.compile("^Items: ")).first.click()
    listed = page.get_by_role("dialog").get_by_role("link")
    expect(listed.first).to_be_visible()
    listed.first.click()
    page.wait_for_url(re.compile(r"/items/\d+"))
    expect(page.get_by_text("Fused by skill")).to_be_visible()
    expect(page.get_by_text(re.compile(r"support \d+ %"))).to_be_visible()
    assert watch.errors == []
