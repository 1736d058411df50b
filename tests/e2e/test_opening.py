"""A registered model is set to be asked when an item is opened: its answer is there, dashed, when somebody comes to the item, is accepted
by a key and counted; nothing is put over what a person has begun, and a model that is gone stops nobody."""

from __future__ import annotations

import time
from pathlib import Path

from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import Open
from tests.e2e.furnish import bring, pipeline
from tests.e2e.labels import filled
from tests.e2e.material import churn
from workers.sdk.client import Client

QUESTION = (
    '<View><Text name="contract" value="$contract"/><Choices name="leaves" toName="contract" required="true">'
    '<Choice value="yes"/><Choice value="no"/></Choices></View>'
)
ASKING = "**/items/*/suggestions"


def submitted(page: Page) -> None:
    """By keys; the next item is there."""
    item = page.locator("[data-item]").get_attribute("data-item")
    page.keyboard.press("Control+Enter")
    expect(page.locator(f'[data-item="{item}"]')).to_have_count(0)
    expect(page.locator("[data-item]")).to_be_visible()


def test_a_model_is_asked_when_an_item_is_opened_and_its_answer_accepted_by_a_key(
    open_page: Open, fresh_project: Client, tmp_path: Path
) -> None:
    client, project = fresh_project, fresh_project.project
    dataset = bring(client, churn(tmp_path / "customers.csv", rows=200), "Customers", "churned")
    made = pipeline(client, "table-classification", dataset, "Churn", register={"name": "Churn"})
    run = client.wait_for_run(client.start_run(made)["id"])
    assert run["status"] == "succeeded", [step["error"] for step in run["step_runs"] if step["error"]]
    client.request("PUT", f"/projects/{project}/models/churn/aliases/champion", json={"version": 1})
    schema = f"/projects/{project}/label-schemas/leavers"
    client.request(
        "POST", f"/projects/{project}/label-schemas", json={"name": "Leavers", "dataset": dataset, "xml": QUESTION, "review_share": 0.0}
    )
    filled(client, "leavers")

    page, watch = open_page()
    keys = page.keyboard
    page.goto(f"/p/{project}/labels/leavers")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Suggestions by a model").click()
    dialog = page.get_by_role("dialog", name="Suggestions by a model")
    dialog.get_by_role("combobox", name="Model asked when an item is opened").click()
    page.get_by_role("option", name="Churn, its champion").click()
    dialog.get_by_role("button", name="Ask when opened").click()
    expect(dialog.get_by_text("churn@champion is asked, set by Mira Vogel")).to_contain_text("Now churn@1 answers.")
    page.keyboard.press("Escape")

    page.get_by_role("link", name="Label", exact=True).click()
    line, dashed = page.get_by_test_id("suggested"), page.locator("[data-suggested]")
    expect(dashed).to_have_count(1)
    expect(line).to_contain_text("Suggested by churn@1")
    for _ in range(2):  # the second was asked about while the first was on screen
        said = dashed.inner_text().split()[0]
        keys.press("Shift+A")
        expect(page.get_by_role("group").get_by_role("button", name=said)).to_have_attribute("aria-pressed", "true")
        expect(dashed).to_have_count(0)
        submitted(page)
        expect(dashed).to_have_count(1)

    # An answer that comes to somebody who has begun is offered and changes nothing.
    held: list[Route] = []
    page.route(ASKING, lambda route: held.append(route))
    keys.press("1")
    submitted(page)
    keys.press("1")
    submitted(page)
    expect(line).to_contain_text("churn@champion is asked …")
    keys.press("2")
    chosen = page.get_by_role("group").get_by_role("button", name="no")
    expect(chosen).to_have_attribute("aria-pressed", "true")
    while held:
        held.pop().continue_()
    page.unroute(ASKING)
    expect(line).to_contain_text("churn@1 has a suggestion")
    expect(chosen).to_have_attribute("aria-pressed", "true")
    expect(dashed).to_have_count(0)
    line.get_by_role("button", name="Show it").click()
    expect(line).to_contain_text("Suggested by churn@1")
    expect(chosen).to_have_attribute("aria-pressed", "true")

    # The alias goes: the next that is opened has no suggestion, and says so in a line.
    client.request("DELETE", f"/projects/{project}/models/churn/aliases/champion")
    submitted(page)
    keys.press("1")
    submitted(page)
    expect(line).to_contain_text("No suggestion: there is no such version of a model any more")
    keys.press("1")
    submitted(page)

    end = time.monotonic() + 20
    while not (counted := client.request("GET", f"{schema}/suggestions/outcomes")) or counted[0]["accepted"] < 2:
        assert time.monotonic() < end, counted
        time.sleep(0.2)
    page.goto(f"/p/{project}/labels/leavers?tab=learn")
    row = page.get_by_role("region", name="What became of suggestions").get_by_role("row", name="churn@1")
    expect(row).to_contain_text(str(counted[0]["total"]))
    assert [line for line in watch.errors if "409" not in line] == []
