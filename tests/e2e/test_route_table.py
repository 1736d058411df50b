"""The whole route as a new user walks it: from a CSV of one's own to a model that answers, by mouse and keyboard, in the browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.canvas import Canvas, go
from tests.e2e.conftest import Open, Owner
from tests.e2e.material import churn

STEPS = {
    "read_table": ("Read a table", 230, 70),
    "split_rows": ("Split rows", 230, 240),
    "prepare_features": ("Prepare features", 230, 460),
    "train_forest": ("Train a random forest", 620, 70),
    "evaluate_classification": ("Evaluate classification", 620, 290),
    "register_model": ("Register a model", 620, 520),
}


@pytest.mark.timeout(240)
def test_a_new_user_gets_from_a_csv_to_an_endpoint_that_answers(open_page: Open, owner: Owner, tmp_path: Path) -> None:
    page, watch = open_page(signed_in=False, size={"width": 1600, "height": 1000})

    # Sign in: a wrong password is told apart from a right one, by words.
    page.goto("/")
    page.get_by_label("E-mail").fill(owner.email)
    page.get_by_role("textbox", name="Password").fill("not my password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_role("textbox", name="Password").fill(owner.password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Projects", exact=True)).to_be_visible()

    # A project.
    page.get_by_role("button", name="New project").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Winter campaign")
    dialog.get_by_role("button", name="Make the project").click()
    page.wait_for_url("**/p/winter-campaign")

    upload(page, tmp_path)
    freeze(page)
    draw(page)
    run(page)
    deploy_and_ask(page)
    assert watch.errors == [], "The browser's console has errors"


def upload(page: Page, folder: Path) -> None:
    """One file by the picker, another dropped onto the page."""
    go(page, "Data sets")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose files").click()
    chooser.value.set_files(churn(folder / "customers.csv"))
    tray = page.get_by_role("region", name="Uploads")
    expect(tray.get_by_text("Version 1 is here")).to_be_visible(timeout=30_000)

    dropped = churn(folder / "second.csv", rows=60, seed=11).read_text()
    transfer = page.evaluate_handle(
        "text => { const t = new DataTransfer(); t.items.add(new File([text], 'second.csv', { type: 'text/csv' })); return t }", dropped
    )
    for name in ("dragenter", "dragover"):
        page.dispatch_event("body", name, {"dataTransfer": transfer})
    expect(page.get_by_text("Drop to upload")).to_be_visible()
    page.dispatch_event("body", "drop", {"dataTransfer": transfer})
    expect(tray.get_by_text("Version 1 is here")).to_have_count(2, timeout=30_000)
    expect(page.get_by_role("link", name=re.compile("second"))).to_be_visible()


def freeze(page: Page) -> None:
    """The postcode was taken for a number: correct it, mark what is to be predicted, freeze."""
    page.get_by_role("link", name=re.compile("^customers")).first.click()
    expect(page.get_by_text("1,500 rows")).to_be_visible()
    expect(page.get_by_text("C00003")).to_be_visible()
    page.get_by_role("button", name="postcode, Integer").click()
    page.get_by_role("menuitem", name=re.compile("^Category")).click()
    expect(page.get_by_role("button", name="postcode, Category")).to_be_visible()
    page.get_by_role("button", name=re.compile("^churned, ")).click()
    page.get_by_role("menuitem", name="This is the label").click()
    expect(page.get_by_role("button", name=re.compile("^churned, .*, label"))).to_be_visible()
    page.get_by_role("button", name="Freeze", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Freeze version 1").click()
    expect(page.locator('[data-status="frozen"]')).to_be_visible(timeout=30_000)
    page.get_by_role("tab", name="Profile").click()
    expect(page.get_by_text("postcode").first).to_be_visible()


def draw(page: Page) -> None:
    """A pipeline out of the palette: steps dragged, wires pulled, parameters chosen from what is really there."""
    go(page, "Pipelines")
    page.get_by_role("button", name="New pipeline").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Who leaves")
    dialog.get_by_role("button", name="Create").click()
    page.wait_for_url("**/pipelines/who-leaves*")
    canvas = Canvas(page)
    for component, (_, x, y) in STEPS.items():
        canvas.drop(component, x, y)

    details = canvas.choose("Read a table")
    details.get_by_role("combobox", name="Data set").click()
    page.get_by_role("option", name="customers").click()

    # What does not fit is refused, with the reason.
    canvas.wire("Read a table", "Table", "Evaluate classification", "Model")
    refusal = page.get_by_role("alert").filter(has_text="Model")
    expect(refusal).to_be_visible()
    expect(canvas.wires()).to_have_count(0)

    canvas.wire("Read a table", "Table", "Split rows", "Table")
    canvas.wire("Split rows", "Training part", "Prepare features", "Training part")
    canvas.wire("Split rows", "Training part", "Train a random forest", "Training part")
    canvas.wire("Prepare features", "Recipe", "Train a random forest", "Recipe")
    canvas.wire("Train a random forest", "Model", "Evaluate classification", "Model")
    canvas.wire("Split rows", "Test part", "Evaluate classification", "Test part")
    canvas.wire("Train a random forest", "Model", "Register a model", "Model")
    canvas.wire("Evaluate classification", "Metrics", "Register a model", "Metrics")
    expect(canvas.wires()).to_have_count(8)

    # The column picker knows the columns of the data set, through the steps between.
    for title in ("Prepare features", "Train a random forest"):
        details = canvas.choose(title)
        details.get_by_role("combobox", name="Target").click()
        page.get_by_role("option", name=re.compile("^churned")).click()
    details = canvas.choose("Prepare features")
    details.get_by_role("combobox", name="Leave out").click()
    page.get_by_role("option", name=re.compile("^customer")).click()
    page.keyboard.press("Escape")
    canvas.choose("Register a model").get_by_role("combobox", name="Model").fill("Leaving customers")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="0 problems")).to_be_visible()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()


def run(page: Page) -> None:
    """Run, and see it come to its end without touching the page."""
    page.evaluate("window.sameDocument = true")
    page.locator("header").get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url("**/runs/*")
    page.evaluate(
        """() => { window.seen = new Set(); setInterval(() => {
             for (const e of document.querySelectorAll('[data-status]')) window.seen.add(e.dataset.status) }, 30) }"""
    )
    expect(page.locator("main header, main").locator('[data-status="succeeded"]').first).to_be_visible(timeout=60_000)
    expect(page.get_by_role("button", name=re.compile("^Register a model: succeeded"))).to_be_visible(timeout=60_000)
    assert page.evaluate("window.sameDocument === true"), "The page was loaded anew during the run"
    assert "running" in page.evaluate("[...window.seen]"), "No step was ever seen running"
    page.get_by_role("tab", name="Results").click()
    expect(page.get_by_text("ROC AUC").first).to_be_visible()
    expect(page.get_by_text("95 % interval").first).to_be_visible()


def deploy_and_ask(page: Page) -> None:
    """One click, a form made from what the model takes, an answer; a wrong value is told at its field."""
    go(page, "Models")
    page.get_by_role("link", name="Leaving customers").first.click()
    expect(page.get_by_role("table", name="Versions")).to_be_visible()
    page.get_by_role("button", name="Deploy version 1").click()
    page.wait_for_url("**/endpoints/*", timeout=10_000)
    expect(page.locator('main [data-status="live"]').first).to_be_visible(timeout=5_000)
    form = page.get_by_role("region", name="Try it")
    form.get_by_role("combobox", name="contract").click()
    page.get_by_role("option", name="monthly").click()
    form.get_by_role("textbox", name="months").fill("1")
    form.get_by_role("textbox", name="support_calls").fill("9")
    form.get_by_role("button", name="Predict").click()
    answer = page.get_by_test_id("answer")
    expect(answer.get_by_text("yes", exact=True).first).to_be_visible()
    expect(answer.get_by_text("Answer of leaving-customers@1")).to_be_visible()

    form.get_by_role("textbox", name="months").fill("")
    form.get_by_role("button", name="Predict").click()
    expect(form.get_by_role("textbox", name="months")).to_have_attribute("aria-invalid", "true")
