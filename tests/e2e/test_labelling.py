"""Labelling as a team does it: a question is asked, pictures and texts are labelled with the keyboard alone over crashes and lost lines, a
reviewer mends and sends back, and the labels become a version of the data."""

from __future__ import annotations

import random
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from infra.supervisor.studio import Studio
from tests.e2e.conftest import Open
from tests.e2e.furnish import bring
from tests.e2e.material import shape
from tests.e2e.stage import PASSWORD, join
from workers.sdk.client import Client

PICTURES = 22


def pictures(path: Path) -> Path:
    """Rings and crosses, without a word on which is which."""
    rng = random.Random(5)
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(PICTURES):
            archive.writestr(f"{number:02d}.png", shape("ring" if number % 2 else "cross", rng))
    return path


def until(ask: Callable[[], dict[str, int]], wanted: dict[str, int], seconds: float = 20) -> None:
    """The last annotations are still on their way when the page shows the next item."""
    end = time.monotonic() + seconds
    while not wanted.items() <= (found := ask()).items():
        assert time.monotonic() < end, f"{found}, not {wanted}"
        time.sleep(0.2)


def item(page: Page) -> str:
    """Which item is on screen."""
    return str(page.locator("[data-item]").get_attribute("data-item"))


def chosen(page: Page, label: str) -> None:
    expect(page.get_by_role("group").get_by_role("button", name=label)).to_have_attribute("aria-pressed", "true")


def test_pictures_are_labelled_by_keys_alone_reviewed_and_become_data(
    open_page: Open, fresh_project: Client, studio: Studio, tmp_path: Path
) -> None:
    client, project = fresh_project, fresh_project.project
    bring(client, pictures(tmp_path / "quay.zip"), "Quay")
    page, watch = open_page()
    keys = page.keyboard

    # The question, by a form; the preview shows it on the first picture.
    page.goto(f"/p/{project}/labels")
    page.get_by_role("link", name="New label schema").click()
    page.get_by_role("combobox", name="Data set").click()
    page.get_by_role("option", name="Quay").click()
    page.get_by_role("combobox", name="Classes").click()
    for label in ("ring", "cross"):
        keys.type(label)
        keys.press("Enter")
    expect(page.get_by_role("group").get_by_role("button", name="cross")).to_be_visible()
    page.get_by_label("Guidelines").fill("A **ring** is round.")
    page.get_by_role("button", name="Begin to label").click()
    page.wait_for_url("**/labels/quay")
    expect(page.get_by_text(f"of {PICTURES}").first).to_be_visible()

    # Twenty pictures with the keyboard alone.
    page.get_by_role("link", name="Label", exact=True).focus()
    keys.press("Enter")
    expect(page.locator("[data-item]")).to_be_visible()
    seen = []
    for number in range(20):
        here = item(page)
        seen.append(here)
        label, key = (("cross", "2"), ("ring", "1"))[number % 2]
        if number == 3:  # nothing chosen: told what is missing, nothing sent
            keys.press("Control+Enter")
            expect(page.get_by_role("alert").get_by_text("Not submitted yet")).to_be_visible()
        keys.press(key)
        chosen(page, label)
        if number == 5:  # the page crashes: what was chosen is there again
            page.reload()
            expect(page.locator(f'[data-item="{here}"]')).to_be_visible()
            chosen(page, label)
        if number == 9:  # the line breaks: work goes on, and is sent when it is back
            page.context.set_offline(True)
        keys.press("Control+Enter")
        if number == 9:
            expect(page.locator(f'[data-item="{here}"]')).to_have_count(0)
            page.context.set_offline(False)
        expect(page.locator(f'[data-item="{here}"]')).to_have_count(0)
        expect(page.locator("[data-item]")).to_be_visible()
    assert len(set(seen)) == 20, "no picture came twice"
    schema = f"/projects/{project}/label-schemas/quay"
    expect(page.get_by_text(f"of {PICTURES} done, 15 by you now")).to_be_visible()
    until(lambda: client.request("GET", schema)["progress"], {"done": 20, "to_review": 20})

    # Back to the last one, which was wrong.
    keys.press("Control+ArrowLeft")
    expect(page.locator(f'[data-item="{seen[-1]}"]')).to_be_visible()
    chosen(page, "ring")
    keys.press("2")
    keys.press("Control+Enter")
    expect(page.locator(f'[data-item="{seen[-1]}"]')).to_have_count(0)

    # Somebody else reviews: accepts, mends, sends back.
    join(client, str(project), "rosa@example.org", "Rosa Lind", "reviewer")
    other, others_watch = open_page(signed_in=False)
    other.goto("/sign-in")
    other.get_by_label("E-mail").fill("rosa@example.org")
    other.get_by_role("textbox", name="Password").fill(PASSWORD)
    other.get_by_role("button", name="Sign in", exact=True).click()
    other.wait_for_url(lambda url: "sign-in" not in url)
    other.goto(f"/p/{project}/labels/quay/review")
    first = other.locator("[data-annotation]")
    expect(first).to_be_visible()
    one = str(first.get_attribute("data-annotation"))
    other.keyboard.press("Control+Enter")
    expect(other.locator(f'[data-annotation="{one}"]')).to_have_count(0)
    two = str(first.get_attribute("data-annotation"))
    other.keyboard.press("2")
    expect(other.get_by_role("button", name="Accept with changes")).to_be_visible()
    other.keyboard.press("Control+Enter")
    expect(other.locator(f'[data-annotation="{two}"]')).to_have_count(0)
    other.get_by_role("button", name="Send back").click()
    other.get_by_label("What is wrong").fill("Look at its edge.")
    other.get_by_role("dialog").get_by_role("button", name="Send back").click()
    expect(other.get_by_role("dialog")).to_have_count(0)
    assert others_watch.errors == []

    # What was sent back comes first; then the labels become a version to train on.
    page.reload()
    expect(page.get_by_text("Look at its edge.")).to_be_visible()
    page.goto(f"/p/{project}/labels/quay")
    page.get_by_role("button", name="Freeze the labels").click()
    expect(page.get_by_role("link", name="quay@2")).to_be_visible(timeout=60_000)
    labels = {i["key"]: i["label"] for i in client.request("GET", f"/projects/{project}/datasets/quay/versions/2/items")["items"]}
    assert sorted(v for v in labels.values() if v) == ["cross", "cross"], "the accepted and the mended one"
    assert [e for e in watch.errors if "ERR_INTERNET_DISCONNECTED" not in e] == []
