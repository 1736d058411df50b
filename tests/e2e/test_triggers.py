"""A schedule and a webhook made by mouse; one is fired by hand, the other by a signed request; both show the runs they started."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.e2e.conftest import Open
from tests.e2e.furnish import Project
from tests.e2e.happenings import post


def test_triggers_are_made_by_mouse_and_start_runs(open_page: Open, project: Project) -> None:
    page, watch = open_page()
    page.goto(f"/p/{project.slug}")
    page.get_by_role("navigation").get_by_role("link", name="Triggers").first.click()
    expect(page.get_by_text("Nothing starts by itself yet")).to_be_visible()

    # A schedule: its next times are told as it is typed, and what is wrong as well.
    page.get_by_role("button", name="New trigger").click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_role("radio", name="Schedule").click()
    drawer.get_by_label("Schedule", exact=True).fill("0 25 * * *")
    expect(drawer.get_by_text(re.compile("field is wrong: hour"))).to_be_visible()
    drawer.get_by_label("Schedule", exact=True).fill("0 6 * * 1-5")
    expect(drawer.get_by_label("The next times").get_by_role("listitem")).to_have_count(5)
    drawer.get_by_role("combobox", name="Pipeline to run").click()
    page.get_by_role("option", name="Churn", exact=True).click()
    drawer.get_by_role("button", name="Parameters").click()
    drawer.get_by_role("combobox", name="Step", exact=True).click()
    page.get_by_role("option", name="Evaluate").first.click()
    drawer.get_by_label("Threshold").first.fill("0.3")
    drawer.get_by_role("button", name="Create the trigger").click()
    expect(page.get_by_role("heading", name="Churn: schedule")).to_be_visible()
    expect(page.get_by_text("evaluate.threshold = 0.3")).to_be_visible()

    page.get_by_role("button", name="Fire now").click()
    page.get_by_role("dialog").get_by_role("button", name="Fire", exact=True).click()
    page.wait_for_url("**/runs/*")
    expect(page.get_by_text("by the trigger")).to_be_visible()
    page.get_by_role("link", name="Churn: schedule").click()
    expect(page.get_by_role("dialog").get_by_text("mira@example.org, by hand")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("table", name="Events").get_by_text("Started")).to_be_visible()

    # A webhook: the secret is shown once; a signed request arrives on the open page.
    page.goto(f"/p/{project.slug}/triggers")
    page.get_by_role("button", name="New trigger").click()
    drawer.get_by_role("radio", name="Webhook").click()
    drawer.get_by_role("combobox", name="Pipeline to run").click()
    page.get_by_role("option", name="Churn", exact=True).click()
    drawer.get_by_role("button", name="Create the trigger").click()
    expect(drawer.get_by_text("it is shown only once")).to_be_visible()
    address = drawer.get_by_role("region", name="Copy the address: code").inner_text()
    secret = drawer.get_by_role("region", name="Copy the secret: code").inner_text()
    drawer.get_by_role("button", name="I have copied it").click()
    expect(page.get_by_text("Nothing has happened yet")).to_be_visible()
    for _ in range(2):
        post(address, secret, b'{"version": 1}')
    events = page.get_by_role("table", name="Events")
    expect(events.get_by_text("Started")).to_be_visible()
    expect(events.get_by_role("row")).to_have_count(2)  # the head, and one event
    expect(events.get_by_text("Succeeded")).to_be_visible(timeout=60_000)

    # Again, and off.
    events.get_by_role("button").first.click()
    expect(page.get_by_role("dialog").get_by_text('"version": 1')).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="Replay this event").click()
    expect(page.get_by_role("dialog").get_by_text("an earlier event")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(events.get_by_role("row")).to_have_count(3)
    page.get_by_role("switch", name="On").focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("switch", name="Off")).to_be_visible()
    assert watch.errors == [], "The browser's console has errors"
