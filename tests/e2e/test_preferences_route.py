"""Preferences as a team gives them: asked by a form, answered by keys over a reload, reviewed, exported for DPO; and rows shown whole."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.conftest import Open
from tests.e2e.furnish import bring
from tests.e2e.labels import filled
from tests.e2e.stage import PASSWORD, join
from workers.sdk.client import Client


def reviewed(open_page: Open, client: Client, schema: str) -> None:
    """Somebody else looks at the first annotation and accepts it by a key."""
    email = f"rosa.{client.project}@example.org"  # all browser tests share one studio
    join(client, str(client.project), email, "Rosa Lind", "reviewer")
    other, _ = open_page(signed_in=False)
    other.goto("/sign-in")
    other.get_by_label("E-mail").fill(email)
    other.get_by_role("textbox", name="Password").fill(PASSWORD)
    other.get_by_role("button", name="Sign in", exact=True).click()
    other.wait_for_url(lambda url: "sign-in" not in url)
    other.goto(f"/p/{client.project}/labels/{schema}/review")
    here = other.locator("[data-annotation]").get_attribute("data-annotation")
    expect(other.get_by_role("button", name="Second is better")).to_have_attribute("aria-pressed", "true")
    other.keyboard.press("Control+Enter")
    expect(other.locator(f'[data-annotation="{here}"]')).to_have_count(0)


def test_preferences_are_asked_labelled_by_keys_reviewed_and_exported_for_dpo(
    open_page: Open, fresh_project: Client, tmp_path: Path
) -> None:
    client, project = fresh_project, fresh_project.project
    table = tmp_path / "answers.jsonl"
    rows = [
        {"prompt": f"Question {n}?", "answer_a": f"Yes, {n}.", "answer_b": f"No, not {n}.", "more": [f"one {n}", f"two {n}"]}
        for n in range(3)
    ]
    table.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    bring(client, table, "Answers")
    page, _ = open_page()
    page.goto(f"/p/{project}/labels/new?dataset=answers")
    page.get_by_role("combobox", name="What do people give?").click()
    page.get_by_role("option", name="Which is better?").click()
    expect(page.get_by_role("article", name="Second").get_by_text("No, not 0.")).to_be_visible()
    page.get_by_role("button", name="Begin to label").click()
    page.wait_for_url("**/labels/answers")
    filled(client, "answers")
    page.goto(f"/p/{project}/labels/answers/label")
    here = page.locator("[data-item]").get_attribute("data-item")
    page.keyboard.press("2")
    second = page.get_by_role("button", name="Second is better")
    expect(second).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(second).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Control+Enter")
    expect(page.locator(f'[data-item="{here}"]')).to_have_count(0)
    expect(page.locator("[data-item]")).to_be_visible()
    page.keyboard.press("1")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Question 2?")).to_be_visible()
    reviewed(open_page, client, "answers")
    found = page.request.get(f"/api/v1/projects/{project}/label-schemas/answers/export?format=preferences")
    lines = [json.loads(line) for line in found.text().splitlines()]
    assert lines[0] == {"prompt": "Question 0?", "chosen": "No, not 0.", "rejected": "Yes, 0."}
    assert lines[1] == {"prompt": "Question 1?", "chosen": "Yes, 1.", "rejected": "No, not 1."}

    # The same rows whole, without naming a column.
    page.goto(f"/p/{project}/labels/new?dataset=answers")
    page.get_by_role("combobox", name="What is shown").click()
    page.get_by_role("option", name="The whole row").click()
    page.get_by_role("combobox", name="Classes").fill("right")
    page.keyboard.press("Enter")
    expect(page.get_by_role("rowheader", name="answer_b")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("Rows")
    page.get_by_role("button", name="Begin to label").click()
    page.wait_for_url("**/labels/rows")
    filled(client, "rows")
    page.goto(f"/p/{project}/labels/rows/label")
    expect(page.get_by_role("cell", name="Question 0?")).to_be_visible()
    page.keyboard.press("1")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("cell", name="Question 1?")).to_be_visible()
