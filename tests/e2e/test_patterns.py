"""A pipeline of patterns as a person draws, runs and answers it: a step that runs once a setting, a condition, somebody who is asked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import PHONE, sideways
from tests.e2e.canvas import Canvas, go
from tests.e2e.conftest import Open
from tests.e2e.furnish import bring
from tests.e2e.material import churn
from tests.e2e.test_accessible import serious
from workers.sdk.client import Client

# Away from the edges: the canvas moves under a wire that is held near one, and on a busy machine it moves far.
STEPS = {
    "read_table": (230, 60),
    "clean": (230, 210),
    "join_tables": (230, 360),
    "condition": (600, 60),
    "approval": (600, 240),
    "select_columns": (600, 430),
    "split_rows": (600, 580),
}


@pytest.mark.timeout(300)
def test_a_mapped_step_a_condition_and_an_approval_are_drawn_run_and_answered(
    open_page: Open, fresh_project: Client, tmp_path: Path
) -> None:
    bring(fresh_project, churn(tmp_path / "customers.csv"), "Customers", "churned")
    made = fresh_project.create_pipeline("Patterns", graph={"steps": {}})["slug"]
    page, watch = open_page(size={"width": 1600, "height": 1000})
    page.goto(f"/p/{fresh_project.project}/pipelines/{made}")
    canvas = Canvas(page)
    expect(canvas.plane).to_be_visible()
    draw(page, canvas)
    look(page)
    answer(page)
    assert watch.errors == [], "The browser's console has errors"


@pytest.mark.timeout(300)
def test_a_pattern_of_the_gallery_starts_with_its_data_and_is_answered_on_a_phone(open_page: Open, fresh_project: Client) -> None:
    page, watch = open_page()
    page.goto(f"/p/{fresh_project.project}/templates")
    card = page.get_by_role("article", name="Ask before deploying")
    card.get_by_role("button", name="Start with demo data").click()
    page.wait_for_url("**/runs/*", timeout=120_000)
    asks = page.get_by_role("group", name="Steps of this run").get_by_role("button", name=re.compile("^May it be deployed.*: waiting"))
    expect(asks).to_be_visible(timeout=90_000)

    phone, on_phone = open_page(size=PHONE)
    phone.goto(f"/p/{fresh_project.project}/approvals")
    question = phone.get_by_role("article", name="May this version be deployed?")
    for number in ("Accuracy", "ROC AUC", "F1"):
        expect(question.get_by_text(number, exact=True)).to_be_visible()
    expect(question.get_by_role("button", name="Approve")).to_be_in_viewport()
    question.get_by_role("button", name="All that was measured").click()
    expect(question.get_by_role("cell", name="Brier score")).to_be_visible()
    box = question.bounding_box()
    assert box is not None and box["x"] + box["width"] <= PHONE["width"] and sideways(phone) == 0, "the card is wider than the phone"
    assert serious(phone) == []
    question.get_by_role("button", name="Reject").click()
    expect(phone.get_by_text("Nothing waits for you")).to_be_visible()

    # A run can be opened beside the list, in a tab of its own; and the template knows its data set when it is used by hand.
    go(page, "Runs")
    expect(page.get_by_role("link", name="#1 Ask before deploying")).to_have_attribute("href", re.compile("/runs/[0-9a-f-]{36}$"))
    page.goto(f"/p/{fresh_project.project}/templates")
    card.get_by_role("button", name="Use this template").click()
    expect(page.get_by_role("dialog").get_by_role("combobox", name="Data set")).to_have_value("Census income")
    assert watch.errors == on_phone.errors == [], "The browser's console has errors"


def draw(page: Page, canvas: Canvas) -> None:
    """Read, clean once for each of three settings, join; a condition, and a person, decide which branch runs."""
    for component, (x, y) in STEPS.items():
        canvas.drop(component, x, y)
    details = canvas.choose("Read a table")
    details.get_by_role("combobox", name="Data set").click()
    page.get_by_role("option", name="customers").click()
    canvas.wire("Read a table", "Table", "Clean", "Table")

    # By keyboard: how the step runs, over which settings.
    canvas.choose("Clean")
    page.get_by_role("tab", name="Running").click()
    page.get_by_role("radio", name="Once").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("combobox", name="For each of", exact=True).click()
    page.get_by_role("option", name="A list of settings").click()
    page.get_by_role("combobox", name="Parameters that differ").click()
    page.get_by_role("option", name="Outlier factor").click()
    page.keyboard.press("Escape")
    for _ in range(2):
        page.get_by_role("button", name="Add a setting").click()
    for row, value in enumerate(("2", "3", "4")):
        page.get_by_label(f"Outlier factor, setting {row}").fill(value)
    expect(canvas.step("Clean").get_by_role("img", name=re.compile("^Mapped: once for each of 3 settings"))).to_be_visible()

    # A list does not fit where one is taken, and the reason is told.
    canvas.wire("Clean", "Table", "Condition", "What goes on")
    expect(page.get_by_role("alert").filter(has_text="is mapped and gives a list")).to_be_visible()
    canvas.wire("Clean", "Table", "Join tables", "Tables")
    canvas.wire("Join tables", "Table", "Condition", "What goes on")
    canvas.wire("Condition", "If true", "Ask a person", "What it is about")
    canvas.wire("Ask a person", "If approved", "Select columns", "Table")
    canvas.wire("Ask a person", "If rejected", "Split rows", "Table")
    expect(canvas.wires()).to_have_count(6)
    page.get_by_role("tab", name="Parameters").click()
    canvas.choose("Condition").get_by_label("Condition").fill("rows > 10")
    canvas.choose("Ask a person").get_by_label("Question").fill("May these rows go on?")
    expect(page.get_by_role("button", name="0 problems")).to_be_visible()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    page.locator("header").get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url("**/runs/*")


def look(page: Page) -> None:
    """One node for all shards, a square each in its strip; a shard is opened with the keyboard."""
    graph = page.get_by_role("group", name="Steps of this run")
    node = graph.get_by_role("button", name=re.compile("^Clean: "))
    expect(node).to_contain_text("3 of 3", timeout=60_000)
    node.click()
    strip = page.get_by_role("slider", name=re.compile("^shards"))
    strip.focus()
    page.keyboard.press("End")
    expect(strip).to_have_attribute("aria-valuetext", re.compile("^shard 2: succeeded"))
    page.keyboard.press("Enter")
    side = page.get_by_role("complementary", name="The chosen step")
    expect(side.get_by_text("clean[2]")).to_be_visible()
    expect(side.get_by_role("region", name="Outputs")).to_be_visible()
    page.get_by_role("tab", name="Log").click()
    expect(page.get_by_text(re.compile("rows", re.IGNORECASE)).first).to_be_visible()

    waiting = graph.get_by_role("button", name=re.compile("^Ask a person: waiting"))
    expect(waiting).to_be_visible(timeout=60_000)
    waiting.click()
    expect(side.get_by_role("region", name="The question").get_by_text("May these rows go on?")).to_be_visible()
    expect(side.get_by_role("button", name="Approve")).to_be_visible()


def answer(page: Page) -> None:
    """In the inbox; then the branch that was chosen has run, the other was passed over, and who decided is kept."""
    go(page, "Approvals")
    card = page.get_by_role("article", name="May these rows go on?")
    expect(page.locator("[data-approvals='1']").first).to_be_visible()
    assert serious(page) == []
    card.get_by_label("Comment").fill("They look right.")
    card.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Nothing waits for you")).to_be_visible()
    expect(page.locator("[data-approvals]")).to_have_count(0)

    page.go_back()
    graph = page.get_by_role("group", name="Steps of this run")
    expect(graph.get_by_role("button", name=re.compile("^Select columns: succeeded"))).to_be_visible(timeout=60_000)
    expect(graph.get_by_role("button", name=re.compile("^Split rows: skipped"))).to_be_visible()
    graph.get_by_role("button", name=re.compile("^Ask a person: ")).click()
    expect(page.get_by_role("complementary").get_by_role("region", name="Decision")).to_contain_text("They look right.")
