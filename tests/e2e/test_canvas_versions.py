"""Versions of a pipeline on the canvas: looked at, compared, published, restored. Only the graphs that are looked at are read."""

from __future__ import annotations

import pytest
from playwright.sync_api import Request, expect

from tests.e2e.canvas import Canvas
from tests.e2e.conftest import Open
from workers.sdk.client import Client

pytestmark = pytest.mark.timeout(300)


def graph(name: str) -> dict[str, object]:
    return {"steps": {"read": {"component": "read_table", "name": name, "inputs": {}, "position": {"x": 0, "y": 0}}}}


def test_a_version_is_looked_at_compared_and_restored(open_page: Open, fresh_project: Client) -> None:
    here = f"/projects/{fresh_project.project}/pipelines"
    slug = fresh_project.create_pipeline("Versions", graph=graph("First"))["slug"]
    for name in ("First", "Second", "Third"):
        base = fresh_project.request("GET", f"{here}/{slug}/draft")["base"]
        fresh_project.request("PUT", f"{here}/{slug}/draft", json={"base": base, "graph": graph(name)})
        fresh_project.request("POST", f"{here}/{slug}/publish", json={"note": name})
    page, watch = open_page()
    read: list[str] = []

    def seen(request: Request) -> None:
        if "/versions" in request.url:
            read.append(request.url.rpartition("/")[2])

    page.on("request", seen)
    page.goto(f"/p/{fresh_project.project}/pipelines/{slug}")
    canvas = Canvas(page)
    expect(canvas.step("Third")).to_be_visible()
    page.get_by_role("button", name="Version 3").click()
    expect(page.get_by_text("The same as version 3")).to_be_visible()
    assert set(read) == {"versions", "3"}, "the graphs of versions that nobody looks at were read"

    page.get_by_role("menuitem", name="Version 1").click()
    expect(page.get_by_role("status").filter(has_text="Version 1, published")).to_be_visible()
    expect(canvas.step("First")).to_be_visible()
    page.get_by_role("button", name="Compare").click()
    dialog = page.get_by_role("dialog", name="Compare")
    expect(dialog.get_by_text("The two are equal.")).to_be_visible()  # version 3 and the draft
    dialog.get_by_role("combobox", name="From").click()
    page.get_by_role("option", name="Version 2").click()
    expect(dialog.get_by_text("Second")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()

    page.get_by_role("button", name="Restore as draft").click()
    expect(canvas.step("First")).to_be_visible()
    page.get_by_role("button", name="Publish", exact=True).click()
    dialog = page.get_by_role("dialog", name="Publish a version")
    expect(dialog.get_by_text("since version 3")).to_be_visible()
    dialog.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Published as version 1.").first).to_be_visible()  # the same graph is the same version
    draft = fresh_project.request("GET", f"{here}/{slug}/draft")["graph"]
    assert draft["steps"]["read"]["name"] == "First"
    assert watch.errors == [], watch.errors
