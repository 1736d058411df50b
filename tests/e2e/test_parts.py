"""Parts of a pipeline: run alone, run on after a failure, put right, opened, and seen as one where there are thousands of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.canvas import Canvas
from tests.e2e.conftest import Open
from tests.e2e.furnish import bring
from tests.e2e.material import churn
from workers.sdk.client import Client

Json = dict[str, Any]
WIDE = {"width": 1600, "height": 1000}


def step(component: str, x: int, inputs: Json | None = None, **more: Any) -> Json:
    wires = {port: [{"step": source, "output": output}] for port, (source, output) in (inputs or {}).items()}
    return {"component": component, "inputs": wires, "position": {"x": x, "y": 0}, **more}


PARTS = {
    "read": step("read_table", 0, parameters={"dataset": "customers@latest"}),
    "keep": step(
        "filter_rows", 320, {"table": ("read", "table")}, undo={"component": "select_columns", "parameters": {"drop": ["customer"]}}
    ),
    "split": step("split_rows", 640, {"table": ("keep", "table")}, parameters={"test_share": 0.5, "validation_share": 0.5}),
    "pick": step("select_columns", 960, {"table": ("split", "train")}, parameters={"drop": ["customer"]}),
}
"""The two shares together leave nothing to learn from, which is found out when the step runs."""


def node(page: Page, title: str, status: str) -> Locator:
    return page.get_by_role("group", name="Steps of this run").get_by_role("button", name=re.compile(f"^{title}: {status}"))


def finished(page: Page, word: str) -> None:
    expect(page.locator("main header").or_(page.get_by_role("main")).get_by_text(word, exact=True).first).to_be_visible(timeout=60_000)


@pytest.mark.timeout(300)
def test_a_pipeline_runs_in_parts_takes_a_secret_and_goes_on_where_it_failed(
    open_page: Open, fresh_project: Client, tmp_path: Path
) -> None:
    bring(fresh_project, churn(tmp_path / "customers.csv", rows=300), "Customers")
    made = fresh_project.create_pipeline("Parts", graph={"steps": PARTS})["slug"]
    page, watch = open_page(size=WIDE)
    here = f"/p/{fresh_project.project}"
    page.goto(f"{here}/pipelines/{made}")
    choose_secret(page, fresh_project, made)
    run_part(page, "Read a table", "Run until here…")
    expect(node(page, "Read a table", "succeeded")).to_be_visible(timeout=60_000)
    finished(page, "Succeeded")
    expect(node(page, "Filter rows", "")).to_have_count(0)

    # All of it: the split fails; what was done for the rows before it is put right.
    page.goto(f"{here}/pipelines/{made}")
    run_part(page, "Select columns", "Run until here…")
    finished(page, "Failed")
    expect(page.get_by_role("alert").filter(has_text="“Split rows” failed")).to_contain_text("leave nothing to learn from")
    expect(node(page, "Select columns", "skipped")).to_be_visible()
    undone = page.get_by_role("region", name="Undone")
    expect(undone).to_contain_text("Filter rows by Select columns")
    expect(undone.get_by_text("Succeeded")).to_be_visible(timeout=60_000)
    undone.get_by_role("button", name="Filter rows by Select columns").click()
    expect(page.get_by_role("complementary", name="The chosen step").get_by_text("Puts right what “Filter rows” did.")).to_be_visible()
    failed = page.url.partition("?")[0]

    # On from there with one change: the rest is taken over, and what had failed stays as it was.
    page.get_by_role("button", name="Continue…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text(re.compile("1 of 4 steps ha"))).to_be_visible()
    dialog.get_by_role("button", name="Split rows").click()
    dialog.get_by_label("Validation share").first.fill("0.1")
    dialog.get_by_role("button", name="Continue with 1 change").click()
    page.wait_for_url(lambda url: "/runs/" in url and failed not in url)
    finished(page, "Succeeded")
    for title, status in (
        ("Read a table", "skipped"),
        ("Filter rows", "skipped"),
        ("Split rows", "succeeded"),
        ("Select columns", "succeeded"),
    ):
        expect(node(page, title, status)).to_be_visible()
    page.get_by_role("link", name="an earlier run").click()
    page.wait_for_url(f"**{failed[failed.index('/p/') :]}**")
    finished(page, "Failed")
    page.get_by_role("button", name="Read its log").first.click()
    expect(page.get_by_role("tabpanel", name="Log")).to_contain_text("leave nothing to learn from")
    node(page, "Filter rows", "").click()
    page.get_by_role("tab", name="Log").click()
    expect(page.get_by_text(re.compile("rows are kept"))).to_be_visible()
    expect(page.get_by_text("age > 20")).to_have_count(0)

    # One step alone, and from one step on: the others are taken from before; what follows too, where the result is the same again.
    fresh_project.request("PUT", f"{here_api(fresh_project, made)}/draft", json=mended(fresh_project, made))
    for title, item, ran in (
        ("Select columns", "Run this step only…", {"Select columns"}),
        ("Split rows", "Run again from here…", {"Split rows"}),
    ):
        page.goto(f"{here}/pipelines/{made}")
        run_part(page, title, item)
        finished(page, "Succeeded")
        for one in ("Read a table", "Filter rows", "Split rows", "Select columns"):
            expect(node(page, one, "succeeded" if one in ran else "skipped")).to_be_visible()
    assert watch.errors == [], "The browser's console has errors"


def here_api(client: Client, made: str) -> str:
    return f"/projects/{client.project}/pipelines/{made}"


def mended(client: Client, made: str) -> Json:
    draft: Json = client.request("GET", f"{here_api(client, made)}/draft")
    draft["graph"]["steps"]["split"]["parameters"]["validation_share"] = 0.1
    return {"base": draft["base"], "graph": draft["graph"]}


def choose_secret(page: Page, client: Client, made: str) -> None:
    """The project has none yet: one is set in the settings, and is offered when one comes back."""
    canvas = Canvas(page)
    expect(canvas.step("Filter rows")).to_be_visible(timeout=60_000)
    details = canvas.choose("Filter rows")
    menu = details.get_by_title("A parameter of the pipeline or a secret for “Condition”")
    menu.click()
    expect(page.get_by_text("The project has no secrets yet")).to_be_visible()
    with page.context.expect_page() as opened:
        page.get_by_role("menuitem", name="Set a secret in the settings").click()
    settings = opened.value
    settings.get_by_role("button", name="New secret").click()
    settings.get_by_role("textbox", name="Name").fill("WHO_STAYS")
    settings.get_by_role("textbox", name="Value").fill("age > 20")
    settings.get_by_role("button", name="Set", exact=True).click()
    expect(settings.get_by_role("table", name="Secrets").get_by_text("WHO_STAYS")).to_be_visible()
    settings.close()
    page.bring_to_front()
    page.reload()
    canvas.choose("Filter rows")
    menu.click()
    page.get_by_role("menuitem", name="WHO_STAYS").click()
    expect(details.get_by_role("group", name="Condition")).to_contain_text("Secret WHO_STAYS")
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    draft = client.request("GET", f"{here_api(client, made)}/draft")["graph"]
    assert draft["steps"]["keep"]["parameters"]["condition"] == {"$secret": "WHO_STAYS"}, "The graph must hold the name alone"


def run_part(page: Page, title: str, item: str) -> None:
    canvas = Canvas(page)
    canvas.step(title).click(button="right")
    page.get_by_role("menuitem", name=item).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url("**/runs/*")


@pytest.mark.timeout(300)
def test_a_pipeline_is_a_step_that_opens_and_thousands_of_shards_are_one(open_page: Open, fresh_project: Client, tmp_path: Path) -> None:
    client = fresh_project
    bring(client, churn(tmp_path / "customers.csv", rows=1000), "Customers", "churned")
    page, watch = open_page(size=WIDE)
    inside(page, client)
    many(page, client)
    assert watch.errors == [], "The browser's console has errors"


def inside(page: Page, client: Client) -> None:
    """From the gallery: the template brings the pipeline it uses; a double click opens it, on the canvas and in a run."""
    page.goto(f"/p/{client.project}/templates")
    card = page.get_by_role("article", name="A pipeline as one step")
    card.get_by_role("button", name="Use this template").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="Data set").click()
    page.get_by_role("option", name="Customers").click()
    dialog.get_by_role("button", name="Create the pipeline").click()
    page.wait_for_url("**/pipelines/*")
    slug = page.url.rpartition("/")[2]
    canvas = Canvas(page)
    canvas.step("Prepare the parts").get_by_text("Prepare the parts", exact=True).dblclick()
    page.wait_for_url("**/pipelines/clean-split-and-prepare*")
    for title in ("Clean", "Split rows", "Prepare features"):
        expect(canvas.step(title)).to_be_visible()

    address = f"/projects/{client.project}/pipelines/{slug}/draft"
    draft = client.request("GET", address)
    assert draft["graph"]["steps"]["read"]["parameters"] == {"dataset": "customers@latest"}
    for key in ("ready", "train"):
        draft["graph"]["steps"][key]["parameters"]["target"] = "churned"
    draft["graph"]["steps"]["train"]["parameters"] |= {"positive_label": "yes", "trees": 20}
    client.request("PUT", address, json={"base": draft["base"], "graph": draft["graph"]})
    run = client.start_run(slug)
    page.goto(f"/p/{client.project}/runs/{run['id']}")
    part = node(page, "Prepare the parts", "")
    expect(part).to_be_visible()
    part.dblclick()
    crumbs = page.get_by_role("navigation", name="Opened step")
    expect(crumbs).to_contain_text("Prepare the parts")
    # The page was open before the inner steps ran: it sees them end.
    for title in ("Clean", "Split rows", "Prepare features"):
        expect(node(page, title, "succeeded")).to_be_visible(timeout=60_000)
    crumbs.get_by_role("button", name="The whole run").click()
    finished(page, "Succeeded")


def many(page: Page, client: Client) -> None:
    """A shard a setting. While they run there is one step with one strip, which the keyboard walks; cancelled, it tells how many were."""
    settings = [{"outlier_factor": 2 + number / 2000} for number in range(2000)]
    graph = {
        "read": step("read_table", 0, parameters={"dataset": "customers@latest"}),
        "clean": step("clean", 320, {"table": ("read", "table")}, map={"values": settings, "at_once": 2}),
    }
    made = client.create_pipeline("Many", graph={"steps": graph})["slug"]
    run = client.start_run(made)
    page.goto(f"/p/{client.project}/runs/{run['id']}?step=clean")
    boxes = page.get_by_role("group", name="Steps of this run").get_by_role("button", name=re.compile("^(Read a table|Clean)"))
    expect(boxes).to_have_count(2)
    strip = page.get_by_role("slider", name=re.compile("^shards"))
    expect(page.get_by_role("region", name="The shards of Clean")).to_contain_text("2,000 shards", timeout=60_000)
    strip.focus()
    page.keyboard.press("End")
    expect(strip).to_have_attribute("aria-valuetext", re.compile("^shard 1999: "))
    page.keyboard.press("Enter")
    side = page.get_by_role("complementary", name="The chosen step")
    expect(side.get_by_text("clean[1999]")).to_be_visible()
    expect(side.get_by_label("Why it waits")).to_contain_text("of the 2 shards that “Clean” runs at once are under way")
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the run").click()
    finished(page, "Cancelled")
    expect(page.get_by_role("region", name="The shards of Clean")).to_contain_text(re.compile(r"[\d,]+ cancelled"))
    expect(boxes).to_have_count(2)
