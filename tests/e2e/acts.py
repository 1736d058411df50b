"""What a person does on a page before its picture is taken."""

from __future__ import annotations

import base64
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
from playwright.sync_api import Page

from tests.e2e.canvas import Canvas
from tests.e2e.linked import link_of
from tests.e2e.material import churn
from tests.e2e.stage import BAD
from tests.scenes import scene

Act = Callable[[Page], None]


def press(name: str, role: Literal["button", "tab", "combobox"] = "button", *, part: bool = False) -> Act:
    def act(page: Page) -> None:
        page.get_by_role(role, name=re.compile(name) if part else name, exact=None if part else True).first.click()

    return act


def keys(*pressed: str, typed: str = "") -> Act:
    def act(page: Page) -> None:
        for key in pressed:
            page.keyboard.press(key)
        if typed:
            page.keyboard.type(typed)

    return act


def then(*acts: Act) -> Act:
    def act(page: Page) -> None:
        for one in acts:
            one(page)
            page.wait_for_timeout(350)

    return act


def first_event(page: Page) -> None:
    page.get_by_role("table", name="Events").get_by_role("button").first.click()


def fill(label: str, text: str) -> Act:
    return lambda page: page.get_by_role("textbox", name=label, exact=True).fill(text)


def more(item: str) -> Act:
    return then(press("More"), lambda page: page.get_by_role("menuitem", name=re.compile(item)).first.click())


def pick(label: str, option: str) -> Act:
    def act(page: Page) -> None:
        page.get_by_role("combobox", name=label).click()
        page.get_by_role("option", name=option, exact=True).click()

    return act


def odd_labels(page: Page) -> None:
    """A file of labels of which little fits, looked at."""
    body = b'{"item": "none.png", "annotations": [{"result": []}]}\n' * 2
    page.locator("input[type=file]").set_input_files({"name": "labels.jsonl", "mimeType": "text/plain", "buffer": body})
    page.get_by_role("button", name="Look at it").click()
    page.get_by_text("Not in this queue").wait_for(timeout=30_000)


def reset_with_an_old_link(page: Page) -> None:
    page.get_by_role("textbox", name="New password").fill("the mill turns by day")
    page.get_by_role("button", name="Set it and sign in").click()
    page.get_by_role("alert").wait_for()


def wrong_password(page: Page) -> None:
    page.get_by_label("E-mail").fill("owner@demo.local")
    page.get_by_role("textbox", name="Password").fill("not my password")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("alert").wait_for()


def ask_for_a_link(page: Page) -> None:
    page.get_by_label("E-mail").fill("nobody@example.org")
    page.get_by_role("button", name="Send the link").click()
    page.get_by_role("heading", name="Look in your mail").wait_for()


def first_account(page: Page) -> None:
    """What the very first person of a studio meets: this studio has accounts already, so its answer is changed on the way."""
    page.route("**/api/v1/studio", lambda route: route.fulfill(json={**route.fetch().json(), "first_account": True}))
    page.reload()
    page.get_by_role("heading", name="Welcome").wait_for()


def server_away(page: Page) -> None:
    page.route("**/api/**", lambda route: route.abort())
    page.route("**/healthz", lambda route: route.abort())
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    page.get_by_role("link", name="Runs", exact=True).locator("visible=true").first.click()
    page.get_by_text("The studio does not answer").wait_for()


def linked(**now: object) -> Act:
    """The link with a Label Studio server as it is when there is much to decide, in the given state; no such server runs here."""

    def act(page: Page) -> None:
        schema = re.sub("/labels/", "/label-schemas/", page.url.partition("?")[0]).replace("/p/", "/api/v1/projects/")
        items = page.request.get(f"{schema}/items").json()["items"]
        link = {"link": {**link_of([(one["id"], one["key"]) for one in items[:3]]), **now}}
        page.route("**/link", lambda route: route.fulfill(json=link))
        page.reload()
        page.get_by_role("heading", name="Label Studio").wait_for()

    return act


def upload_two(page: Page) -> None:
    """A good file and a torn one, dropped onto the page."""
    with tempfile.TemporaryDirectory() as folder:
        good = churn(Path(folder) / "spring.csv", rows=60).read_text()
    transfer = page.evaluate_handle(
        """texts => { const t = new DataTransfer()
             for (const [name, text] of texts) t.items.add(new File([text], name, { type: 'text/csv' })); return t }""",
        [["spring.csv", good], ["torn.csv", BAD]],
    )
    for name in ("dragenter", "dragover", "drop"):
        page.dispatch_event("body", name, {"dataTransfer": transfer})
    tray = page.get_by_role("region", name="Uploads")
    tray.get_by_text("Version 1 is here").wait_for(timeout=60_000)
    tray.get_by_role("button", name="What was wrong").wait_for(timeout=60_000)


def tray_on_canvas(page: Page) -> None:
    upload_two(page)
    page.get_by_role("link", name="Pipelines", exact=True).locator("visible=true").first.click()
    page.get_by_role("link", name="Who leaves").first.click()
    page.locator("[data-step]").first.wait_for()
    page.wait_for_timeout(600)


def sort_and_filter(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^age, ")).first.click()
    page.wait_for_timeout(350)


def choose_step(page: Page) -> None:
    page.locator("[data-canvas] [data-step]").first.click()
    page.wait_for_timeout(400)


def drag_step(page: Page) -> None:
    """A step on its way, by finger width."""
    box = page.locator("[data-canvas] [data-step]").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 30, box["y"] + 12)
    page.mouse.down()
    page.mouse.move(box["x"] + 90, box["y"] + 70, steps=6)


def wire(page: Page) -> None:
    """A wire being drawn: what takes it is lit, what does not is dimmed."""
    port = Canvas(page).plane.locator('[aria-label^="Output "]').first
    page.wait_for_timeout(500)
    while not port.count():  # of a wide pipeline as a whole the ports are too small to be drawn
        page.get_by_role("button", name="Zoom in").click()
        page.wait_for_timeout(400)
    box = port.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 90, box["y"] + 90, steps=6)


def select_two_runs(page: Page) -> None:
    for box in page.get_by_role("table").get_by_role("checkbox").all()[1:3]:
        box.check()


def predict(page: Page) -> None:
    page.get_by_role("region", name="Try it").get_by_role("button", name="Predict").click()
    page.get_by_test_id("answer").wait_for()


def drop_picture(page: Page, name: str, data: bytes) -> None:
    """Onto the form of an endpoint that takes pictures."""
    transfer = page.evaluate_handle(
        """([name, data]) => { const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0)); const t = new DataTransfer()
             t.items.add(new File([bytes], name, { type: 'image/png' })); return t }""",
        [name, base64.b64encode(data).decode()],
    )
    for event in ("dragenter", "dragover", "drop"):
        page.get_by_text("Drop an image here").dispatch_event(event, {"dataTransfer": transfer})


def drop_scene(page: Page) -> None:
    drawn = (scene(np.random.default_rng(seed), (0, 1, 2, 3, 4), 96, 128, 6) for seed in range(20))
    drop_picture(page, "scene.png", max(drawn, key=lambda one: len(one[1]))[0])
    page.get_by_test_id("answer").wait_for()


def suggested(page: Page) -> None:
    page.get_by_test_id("suggested").get_by_text("Suggested by").wait_for()


def ask_about_a_mail(page: Page) -> None:
    page.get_by_label("text", exact=True).fill(
        "From: Ada Lovelace <ada@analytical.example>\nDate: Thu, 22 Aug 2002 18:26:25 +0700\nSubject: Re: version 2.4.19\n\n"
        "I built kernel 2.4.19 on Monday and it works; the patch is at http://patches.example/2.4.19.diff\n-- \nAda"
    )
    predict(page)


def new_token(page: Page) -> None:
    page.get_by_role("button", name="New token").click()
    page.get_by_role("dialog").get_by_role("textbox", name="Name").fill("nightly training")
    page.get_by_role("button", name="Make the token").click()
    page.get_by_text("Copy it now").wait_for()


def invite(page: Page) -> None:
    page.get_by_role("button", name="Invite", exact=True).first.click()
    page.wait_for_timeout(300)
    page.get_by_role("dialog").get_by_label("E-mail").fill("max@example.org")


def invited(page: Page) -> None:
    invite(page)
    page.get_by_role("dialog").get_by_role("button", name="Invite").click()
    page.get_by_text("Invitation made").wait_for()


def audit_entry(page: Page) -> None:
    page.get_by_text("endpoint.rollback").first.click()
    page.get_by_role("dialog").wait_for()


def two_classes(page: Page) -> None:
    page.get_by_role("combobox", name="Classes").click()
    for word in ("praise", "complaint"):
        page.keyboard.type(word)
        page.keyboard.press("Enter")
    page.get_by_role("group").get_by_role("button", name="complaint").wait_for()


def switch_dry_run(page: Page) -> None:
    page.get_by_role("switch", name="Dry run").check(force=True)


def choose(title: str) -> Act:
    """Choose the step; on a phone its details are in a drawer."""

    def act(page: Page) -> None:
        step = page.locator("[data-canvas] [data-step]").filter(has_text=title)
        if not step.count():  # a long pipeline begins at its first step, and draws what is in view
            page.get_by_role("button", name="Show everything").click()
        step.first.click()
        page.wait_for_timeout(400)
        if page.get_by_role("button", name="Parameters", exact=True).count():
            page.get_by_role("button", name="Parameters", exact=True).click()

    return act


def refer(page: Page) -> None:
    page.get_by_role("button", name="Use a parameter or a secret instead").first.click()


def focus_canvas(page: Page) -> None:
    page.locator("[data-canvas]").focus()


def open_publish(page: Page) -> None:
    if page.get_by_role("dialog").count() == 0:
        page.get_by_role("button", name="Publish").click()


def search_palette(page: Page) -> None:
    """Beside the canvas on a desk; on a phone in a drawer."""
    if page.get_by_role("button", name="Components", exact=True).count():
        page.get_by_role("button", name="Components", exact=True).click()
        page.wait_for_timeout(400)
    page.get_by_placeholder("Search components").first.fill("eval")


def open_disagreements(page: Page) -> None:
    """The items behind a pair of people."""
    pairs = page.get_by_role("region", name="By pair of people")
    pairs.get_by_role("button", name="As a table").click()
    pairs.get_by_role("button", name=re.compile("^Items: ")).first.click()
    page.get_by_role("dialog").wait_for()
