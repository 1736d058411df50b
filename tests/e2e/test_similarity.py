"""By keyboard, on scanned digits with real workers: embed, find similar ones, label many at once, find a wrong label and mend it."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.e2e.conftest import Open
from tests.e2e.digits import DIGITS, asked, labelled, right
from tests.e2e.test_accessible import serious, settle
from workers.sdk.client import Client


def test_digits_are_embedded_looked_through_labelled_at_once_and_mended(open_page: Open, fresh_project: Client) -> None:
    client, project = fresh_project, fresh_project.project
    slug = asked(client)
    base = f"/projects/{project}/label-schemas/{slug}"
    wrong = labelled(client, slug)

    page, watch = open_page()
    page.goto(f"/p/{project}/labels/{slug}?tab=explore")
    compute = page.get_by_role("button", name="Compute")
    compute.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("img", name=re.compile(f"A map of {DIGITS} items"))).to_be_visible(timeout=120_000)
    settle(page)
    assert serious(page) == []

    # A cluster from the list, without a pointer; one label for all of it that is still open.
    clusters = page.get_by_role("group", name="Clusters").get_by_role("button")
    expect(clusters.first).to_be_visible()
    clusters.last.focus()
    page.keyboard.press("Enter")
    chosen = page.get_by_role("region", name="What is chosen")
    expect(chosen.get_by_role("status")).to_have_text(re.compile(r"\d+ items? chosen"))
    field = chosen.get_by_role("combobox", name="Label for all of them")
    field.focus()
    page.keyboard.type("7")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    before = client.request("GET", base)["progress"]["done"]
    chosen.get_by_role("button", name=re.compile(r"^Label \d+")).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(r"Labelled \d+ items? “7”"))).to_be_visible()
    assert client.request("GET", base)["progress"]["done"] > before
    page.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(r"\d+ labels? taken back"))).to_be_visible()
    assert client.request("GET", base)["progress"]["done"] == before

    # From one of them to what is like it.
    clusters.last.focus()
    page.keyboard.press("Enter")
    tiles = page.get_by_role("listbox", name="Chosen items")
    tiles.focus()
    page.keyboard.press("Enter")
    similar = page.get_by_role("listbox", name="Similar items")
    expect(similar.get_by_role("option").nth(20)).to_be_visible()
    similar.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press(" ")
    expect(similar.get_by_role("option", selected=True)).to_have_count(1)
    settle(page)
    assert serious(page) == []

    # The label that was wrong is shown first among those that are doubtful, and mended by a key.
    page.get_by_role("radio", name="Label errors").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Look for label errors").focus()
    page.keyboard.press("Enter")
    doubt = page.get_by_role("region", name="The label in doubt")
    expect(doubt).to_be_visible(timeout=60_000)
    found = [d["key"] for d in client.request("GET", f"{base}/doubts/list")]
    assert wrong in found[:3], found
    settle(page)
    assert serious(page) == []
    while doubt.get_by_role("link", name=wrong).count() == 0:
        was = doubt.get_by_role("link").inner_text()
        page.keyboard.press("k")
        expect(doubt.get_by_role("link", name=was)).to_have_count(0)
    page.locator("body").press("r")
    expect(doubt.get_by_role("link", name=wrong)).to_have_count(0)
    decided = client.request("GET", f"{base}/doubts/list", params={"decided": True})[0]
    assert (decided["key"], decided["decision"]) == (wrong, "relabelled")
    assert decided["label"] == right(wrong)

    page.get_by_role("radio", name="Duplicates").focus()
    page.keyboard.press("Space")
    expect(page.get_by_text(re.compile("No duplicates|would go if each kept one"))).to_be_visible()
    settle(page)
    assert serious(page) == []

    # In the gallery and at the desk a key leads to what is similar.
    page.goto(f"/p/{project}/datasets/scanned-digits")
    images = page.get_by_role("listbox", name="Images")
    expect(images.get_by_role("option").nth(5)).to_be_visible()
    images.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("s")  # a quick hand: the larger view is there, the focus not yet in it
    expect(page.get_by_role("listbox", name="Similar items").get_by_role("option").nth(5)).to_be_visible()
    page.goto(f"/p/{project}/labels/{slug}/label")
    expect(page.get_by_role("button", name="Similar items")).to_be_visible()
    page.keyboard.press("Control+l")
    expect(page.get_by_role("dialog").get_by_role("option").nth(5)).to_be_visible()
    assert watch.errors == []
