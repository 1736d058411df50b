"""Two versions of labelled pictures side by side, as a person looks at them."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.browser import until
from tests.e2e.conftest import Open
from tests.e2e.versions import furnish_versions
from workers.sdk.client import Client


def test_what_changed_between_two_versions_is_seen_item_by_item_and_box_by_box(fresh_project: Client, open_page: Open) -> None:
    slug = furnish_versions(fresh_project)
    page, watch = open_page()
    page.goto(f"/p/{fresh_project.project}/datasets/{slug}")
    page.get_by_role("link", name="Compare versions").click()
    told = page.get_by_role("status").filter(has_text="changed")
    expect(told).to_have_text("0 added, 0 removed, 3 changed; 3 images the same.")
    moved = page.get_by_role("article").filter(has_text="Ring moved, covers")
    expect(moved).to_have_count(1)
    expect(moved.get_by_text("2 regions and answers the same")).to_be_visible()
    expect(page.get_by_role("article").filter(has_text="clear → blurred")).to_contain_text("Ring → Cross relabelled")
    anew = page.get_by_role("article").filter(has_text="Cross new")
    expect(anew).to_contain_text("Ring gone")
    until(page, "[...document.querySelectorAll('article img')].every((image) => image.naturalWidth > 0)")
    assert anew.locator("svg [data-what=removed] polygon[data-dashed]").count() == 1, "what is gone is drawn dashed"
    anew.get_by_role("button", name="Enlarge").click()
    expect(page.get_by_role("dialog").locator("svg [data-what=added] polygon")).to_have_count(1)
    page.keyboard.press("Escape")
    page.get_by_label("From", exact=True).first.click()
    page.get_by_role("option", name="Version 1").click()
    expect(page.get_by_role("article").first).to_contain_text("rings-at-the-moorings@1 by Mira")
    page.get_by_role("button", name="Swap").click()
    expect(page.get_by_role("article").filter(has_text="Ring gone").first).to_be_visible()
    assert watch.errors == []
