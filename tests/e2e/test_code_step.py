"""A step written in the browser: text, check, preview, publish, wire, run, output, log; and a traceback with the writer's own line."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import PHONE, sideways
from tests.e2e.canvas import Canvas
from tests.e2e.conftest import Open
from tests.e2e.furnish import bring
from tests.e2e.material import churn
from workers.sdk.client import Client

pytestmark = pytest.mark.timeout(600)
SLOW = 60_000
"""Each look at a text starts a sandbox; on a loaded machine that takes seconds."""
TYPO = 'def tell(table: Tabel) -> Metrics:\n    """Count rows"""\n'
GOOD = '''def tell(
    table: Table,
    *,
    extra: Annotated[int, Field(description="Added to the count.", ge=0)] = 1,
) -> Metrics:
    """Count rows"""
    context.log(f"counted {table.rows} rows")
    return Metrics.of({"task": "table", "values": {"rows": {"value": table.rows + extra}}})
'''
FAILING = GOOD.replace("    return Metrics", "    missing = {}\n    missing['gone']\n    return Metrics")


def write(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Code").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def test_a_step_is_written_wired_run_and_mended_in_the_browser(open_page: Open, fresh_project: Client) -> None:
    with tempfile.TemporaryDirectory() as folder:
        dataset = bring(fresh_project, churn(Path(folder) / "customers.csv", rows=120), "Customers")
    graph = {
        "steps": {
            "read": {"component": "read_table", "parameters": {"dataset": f"{dataset}@latest"}, "inputs": {}, "position": {"x": 0, "y": 0}}
        }
    }
    slug = fresh_project.create_pipeline("Counting", graph=graph)["slug"]
    page, watch = open_page()
    page.goto(f"/p/{fresh_project.project}/pipelines/{slug}")
    canvas = Canvas(page)
    expect(canvas.step("Read a table")).to_be_visible()

    # A mistake is shown at its line; a right text shows what the step will be.
    page.get_by_role("button", name="New code step…").click()
    dialog = page.get_by_role("dialog")
    write(page, TYPO)
    wrong = dialog.get_by_role("region", name="Problems of the code")
    expect(wrong.get_by_text("Line 1")).to_be_visible(timeout=SLOW)
    expect(wrong).to_contain_text("“Tabel” is not known here")
    expect(page.locator(".cm-lintRange-error")).to_have_count(1)
    expect(dialog.get_by_role("button", name="Publish and add")).to_be_disabled()
    write(page, GOOD)
    preview = dialog.get_by_role("region", name="Preview of the step")
    expect(preview.get_by_text("Count rows")).to_be_visible(timeout=SLOW)
    expect(preview.get_by_label("Extra")).to_have_value("1")
    expect(preview.get_by_label("Memory limit (GB)")).to_have_value("4")

    # What the names can do is offered while typing.
    page.keyboard.press("Control+End")
    page.keyboard.type("# x\ncontext.")
    expect(page.locator(".cm-tooltip-autocomplete")).to_contain_text("progress")
    page.keyboard.press("Escape")
    write(page, GOOD)
    dialog.get_by_label("Name").fill("Row counter")
    publish = dialog.get_by_role("button", name="Publish and add")
    expect(publish).to_be_enabled(timeout=SLOW)
    publish.click(timeout=SLOW)
    expect(canvas.step("Count rows")).to_be_visible(timeout=SLOW)

    # Wired and run: its output, its log.
    if canvas.wires().count() == 0:
        canvas.wire("Read a table", "Table", "Count rows", "Table")
    expect(canvas.wires()).to_have_count(1)
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    first = fresh_project.wait_for_run(fresh_project.start_run(slug)["id"])
    assert first["status"] == "succeeded", [s["error"] for s in first["step_runs"]]
    page.goto(f"/p/{fresh_project.project}/runs/{first['id']}?tab=logs")
    expect(page.get_by_text("counted 120 rows")).to_be_visible()
    page.goto(f"/p/{fresh_project.project}/runs/{first['id']}?tab=artifacts")
    expect(page.get_by_text("Count rows").first).to_be_visible()
    made = next(s for s in first["step_runs"] if s["component"] == "code:row-counter@1")
    assert [o["port"] for o in made["outputs"]] == ["metrics"]

    # Opened again with a double click, broken, published: the run shows the writer's own line.
    page.goto(f"/p/{fresh_project.project}/pipelines/{slug}")
    canvas.step("Count rows").get_by_text("Count rows", exact=True).dblclick()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("code:row-counter@1")).to_be_visible()
    write(page, FAILING)
    publish = dialog.get_by_role("button", name="Publish a version")
    expect(publish).to_be_enabled(timeout=SLOW)
    publish.click()
    expect(page.get_by_text("Published as version 2.")).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    second = fresh_project.wait_for_run(fresh_project.start_run(slug)["id"])
    assert second["status"] == "failed"
    page.goto(f"/p/{fresh_project.project}/runs/{second['id']}?tab=logs")
    line = FAILING[: FAILING.index("missing['gone']")].count("\n") + 1
    expect(page.get_by_text(f'File "step.py", line {line}').first).to_be_visible()
    expect(page.get_by_text("KeyError").first).to_be_visible()
    assert watch.errors == [], "The browser's console has errors"

    # Readable on a phone.
    narrow, _ = open_page(size=PHONE, scheme="dark")
    narrow.goto(f"/p/{fresh_project.project}/pipelines/{slug}")
    expect(narrow.locator("[data-canvas]")).to_be_visible()
    narrow.get_by_text("Count rows", exact=True).first.dblclick()
    expect(narrow.get_by_role("textbox", name="Code")).to_be_visible()
    assert sideways(narrow) == 0
