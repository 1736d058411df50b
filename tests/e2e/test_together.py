"""Two people at one picture: each sees what the other draws while it is drawn, and whatever breaks, nothing is lost."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from infra.supervisor.studio import Studio
from tests.e2e.browser import Watch
from tests.e2e.conftest import Open
from tests.e2e.furnish import bring
from tests.e2e.labels import PICTURES, filled
from tests.e2e.material import shapes
from tests.e2e.stage import PASSWORD, join
from workers.sdk.client import Client


def kill_web(studio: Studio) -> None:
    """kill -9; returns once the supervisor has started another."""
    child = studio.now()["children"]["web"]
    os.kill(int(child["pid"]), signal.SIGKILL)
    until = time.monotonic() + 60
    while studio.now()["children"]["web"].get("pid") in (None, child["pid"]):
        assert time.monotonic() < until, "the web process was not started again"
        time.sleep(0.05)


def sign_in(page: Page, email: str) -> None:
    page.goto("/sign-in")
    page.get_by_label("E-mail").fill(email)
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda url: "sign-in" not in url)


def canvas(page: Page) -> Locator:
    return page.locator("[data-editor-canvas]")


def drag(page: Page, x: float, y: float, size: float = 0.05, *, let_go: bool = True) -> None:
    """A box from a place of the canvas, given as shares of it: the small pictures lie in its middle fifth."""
    box = canvas(page).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * (x + size), box["y"] + box["height"] * (y + size), steps=6)
    if let_go:
        page.mouse.up()


def regions(page: Page, count: int) -> None:
    words = "1 region" if count == 1 else f"{count} regions"
    expect(canvas(page)).to_have_attribute("aria-label", re.compile(rf"^Image, {words}\."), timeout=20_000)


def here(page: Page, name: str) -> Locator:
    return page.get_by_role("img", name=re.compile(f"^{name} is"))


def calm(watch: Watch) -> list[str]:
    """What the page complained about, without what a killed studio and a broken line make of any page."""
    expected = re.compile(r"WebSocket|ERR_CONNECTION|ERR_EMPTY|ERR_INTERNET_DISCONNECTED|status of 502")
    return [error for error in watch.errors if not expected.search(error)]


@pytest.mark.timeout(300)
def test_two_people_draw_in_one_picture_and_nothing_is_lost(open_page: Open, fresh_project: Client, studio: Studio, tmp_path: Path) -> None:
    client, project = fresh_project, str(fresh_project.project)
    data = bring(client, shapes(tmp_path / "quay.zip", each=2), "Quay")
    made = {"name": "Quay together", "dataset": data, "xml": PICTURES, "together": "shared"}
    slug = client.request("POST", f"/projects/{project}/label-schemas", json=made)["slug"]
    filled(client, slug)
    for short in ("ines", "otto"):
        join(client, project, f"{short}@example.org", f"{short.capitalize()} Falk", "annotator")
    one, ones = open_page(signed_in=False)
    two, twos = open_page(signed_in=False)
    sign_in(one, "ines@example.org")
    sign_in(two, "otto@example.org")

    # Ines has an item; Otto sees it in the list, and joins her there.
    one.goto(f"/p/{project}/labels/{slug}/label")
    item = str(one.locator("[data-item]").get_attribute("data-item"))
    regions(one, 0)
    two.goto(f"/p/{project}/labels/{slug}?tab=items")
    expect(here(two, "Ines Falk").first).to_be_visible()
    two.get_by_role("link", name="Join").click()
    expect(two.locator(f'[data-item="{item}"]')).to_be_visible()
    expect(here(one, "Otto Falk")).to_be_visible()
    leases = client.request("GET", f"/projects/{project}/label-schemas/{slug}/items")["items"]
    assert [i["leases"][0]["user"]["name"] for i in leases if str(i["id"]) == item] == ["Ines Falk"], "who joins takes no place"

    # Both draw at once: the stroke is seen while it is drawn, the boxes on both pages.
    one.keyboard.press("1")
    two.keyboard.press("2")
    drag(one, 0.42, 0.4, let_go=False)
    expect(two.locator('[data-drawing="Ines Falk"]')).to_be_visible()
    drag(two, 0.52, 0.5)
    expect(one.locator('[data-pointer="Otto Falk"]')).to_be_visible()
    one.mouse.up()
    for page in (one, two):
        regions(page, 2)

    # Undo is of one's own: Ines takes hers back, and has it again.
    one.keyboard.press("Control+z")
    regions(two, 1)
    one.keyboard.press("Control+Shift+z")
    regions(two, 2)

    # Otto's browser is closed in the middle; Ines draws on while the web process is killed, and he comes back.
    drag(two, 0.42, 0.55)
    regions(one, 3)
    two.close()
    expect(here(one, "Otto Falk")).to_have_count(0)
    kill_web(studio)
    drag(one, 0.52, 0.4)
    regions(one, 4)
    again = two.context.new_page()
    others = Watch(again)
    again.goto(f"/p/{project}/labels/{slug}/label?item={item}")
    regions(again, 4)
    expect(here(one, "Otto Falk")).to_be_visible(timeout=30_000)

    # Without a line Otto draws on; it is there when the line is.
    again.context.set_offline(True)
    again.keyboard.press("2")
    drag(again, 0.47, 0.46)
    regions(again, 5)
    again.context.set_offline(False)
    regions(one, 5)

    # One submits; the other is told, and moves on to another item.
    again.get_by_role("group").get_by_role("button", name="clear").click()
    expect(one.get_by_role("group").get_by_role("button", name="clear")).to_have_attribute("aria-pressed", "true")
    one.keyboard.press("Control+Enter")
    expect(one.locator(f'[data-item="{item}"]')).to_have_count(0)
    expect(again.get_by_text("Ines Falk has submitted this")).to_be_visible()
    again.get_by_role("button", name="Next item").click()
    expect(again.locator(f'[data-item="{item}"]')).to_have_count(0)
    (said,) = client.request("GET", f"/projects/{project}/label-schemas/{slug}/items/{item}/annotations")
    assert sorted(person["name"] for person in said["authors"]) == ["Ines Falk", "Otto Falk"]
    assert len([entry for entry in said["result"] if entry["type"] == "rectanglelabels"]) == 5
    assert [calm(ones), calm(twos), calm(others)] == [[], [], []]
