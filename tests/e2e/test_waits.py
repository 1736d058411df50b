"""What a person does about runs that wait, and before a run that may be dear: limits, priority, a pin, a dry run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.canvas import Canvas
from tests.e2e.conftest import Open
from tests.e2e.furnish import bring, pipeline
from tests.e2e.material import churn
from workers.sdk.client import Client

ASK = {"steps": {"read": {"component": "read_table", "parameters": {"dataset": "others@latest"}},
                 "ask": {"component": "approval", "inputs": {"value": [{"step": "read", "output": "table"}]}}}}  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_run_says_what_it_waits_for_a_step_is_pinned_and_a_dry_run_tells_of_a_full_one(
    open_page: Open, fresh_project: Client, tmp_path: Path
) -> None:
    client = fresh_project
    data = bring(client, churn(tmp_path / "customers.csv"), "Customers", "churned")
    made = pipeline(client, "table-classification", data, "Churn", register={"name": "Churn"})
    # Data of its own: what it has read by then would be taken over, and nothing would wait to be read.
    bring(client, churn(tmp_path / "others.csv"), "Others", "churned")
    asking = client.start_run(client.create_pipeline("Ask", graph=ASK)["slug"])  # it waits for a person and keeps its place
    page, watch = open_page(size={"width": 1600, "height": 1000})
    waits(page, client, made, asking["number"])
    pin(page, client, made)
    dry(page, client, made)
    assert watch.errors == [], "The browser's console has errors"


def limit(page: Page, client: Client, runs: str) -> None:
    page.goto(f"/p/{client.project}/settings")
    section = page.get_by_role("region", name="Limits")
    section.get_by_label("Runs at once").fill(runs)
    section.get_by_role("button", name="Save limits").click()
    expect(section.get_by_role("button", name="Save limits")).to_be_disabled()


def waits(page: Page, client: Client, made: str, holder: int) -> None:
    """Set a limit; a run that waits for it says so, is given a higher priority, and goes on when the limit is lifted."""
    limit(page, client, "1")
    run = client.start_run(made)
    page.goto(f"/p/{client.project}/runs/{run['id']}")
    graph = page.get_by_role("group", name="Steps of this run")
    told = f"this project's only place for a run is taken by #{holder}"
    expect(graph.get_by_role("button", name=re.compile("^Read your table: queued, " + re.escape(told), re.IGNORECASE))).to_be_visible()
    side = page.get_by_role("complementary").get_by_label("Why it waits")
    expect(side).to_contain_text(told, ignore_case=True)
    graph.get_by_role("button", name=re.compile("^Split rows")).click()
    expect(side).to_contain_text("Waits for “Read your table”, which has not begun")
    page.get_by_role("button", name="Priority: normal. Change it").click()
    page.get_by_role("menuitem", name="Urgent").click()
    expect(page.get_by_role("button", name="Priority: urgent. Change it")).to_be_visible()
    limit(page, client, "")
    page.goto(f"/p/{client.project}/runs/{run['id']}")
    expect(page.get_by_role("main").get_by_text("Succeeded").first).to_be_visible(timeout=90_000)


def pin(page: Page, client: Client, made: str) -> None:
    """From the newest run's step, on the canvas: the next run takes its result and runs nothing for it."""
    page.goto(f"/p/{client.project}/pipelines/{made}")
    canvas = Canvas(page)
    step = canvas.step("Split rows")
    expect(step.get_by_role("img", name="succeeded")).to_be_visible()
    step.click(button="right")
    page.get_by_role("menuitem", name="Pin its result").click()
    expect(step.get_by_role("img", name=re.compile("^Pinned to the result of run 2"))).to_be_visible()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    page.locator("header").get_by_role("button", name="Run", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("note", name="Forecast")).to_contain_text("of work")
    dialog.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url("**/runs/*")
    graph = page.get_by_role("group", name="Steps of this run")
    expect(graph.get_by_role("button", name="Split rows: skipped, Pinned")).to_be_visible()
    expect(graph.get_by_role("button", name=re.compile("^Read your table: skipped, Only needed by what is pinned"))).to_be_visible()
    page.goto(f"/p/{client.project}/pipelines/{made}")
    canvas.choose("Split rows").get_by_role("button", name="Unpin").click()
    expect(step.get_by_role("img", name=re.compile("^Pinned"))).to_have_count(0)
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()


def dry(page: Page, client: Client, made: str) -> None:
    """A sample runs, nothing is registered, the page says what all of the data would take; the list tells dry runs apart."""
    versions = client.list_models()
    page.locator("header").get_by_role("button", name="Run", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("switch", name="Dry run").check(force=True)
    dialog.get_by_label("Rows or pictures").fill("60")
    dialog.get_by_role("button", name="Dry run", exact=True).click()
    page.wait_for_url("**/runs/*")
    expect(page.get_by_role("alert").filter(has_text="A dry run, on 60 rows")).to_contain_text("Left out", timeout=60_000)
    expect(page.get_by_role("main").get_by_text("Succeeded").first).to_be_visible(timeout=90_000)
    page.get_by_role("tab", name="Full run").click()
    row = page.get_by_role("table", name="Forecast of each step").get_by_role("row", name=re.compile("^Split rows"))
    expect(row).to_contain_text(re.compile(r"about .*From \d+ past runs?", re.DOTALL))
    page.goto(f"/p/{client.project}/runs?kind=dry")
    expect(page.get_by_text("Dry run", exact=True).first).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("#2 "))).to_have_count(0)
    assert (client.list_models()) == versions
