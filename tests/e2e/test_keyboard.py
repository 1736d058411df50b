"""Without a mouse: a person who cannot or does not want to use one builds a pipeline and finds the way around."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.canvas import Canvas
from tests.e2e.conftest import Open
from workers.sdk.client import Client


def test_a_pipeline_is_built_and_left_with_the_keyboard_alone(open_page: Open, fresh_project: Client) -> None:
    page, watch = open_page()
    keys = page.keyboard
    page.goto(f"/p/{fresh_project.project}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()

    # Two keys go to a page; the command palette does what the page offers.
    keys.press("g")
    keys.press("p")
    expect(page.get_by_role("heading", name="Pipelines", exact=True)).to_be_visible()
    keys.press("Control+k")
    expect(page.get_by_placeholder("Search or do…")).to_be_focused()
    keys.type("new pipeline")
    keys.press("Enter")
    expect(page.get_by_role("dialog").get_by_label("Name")).to_be_focused()
    keys.type("By keyboard")
    keys.press("Enter")
    page.wait_for_url("**/pipelines/by-keyboard")

    # Quick-add twice, then connect: only what fits is offered.
    canvas = Canvas(page)
    expect(canvas.plane).to_be_visible()
    for component in ("Read a table", "Split rows"):
        keys.press("/")
        expect(page.get_by_placeholder("Search components").last).to_be_focused()
        keys.type(component.lower())
        keys.press("Enter")
        expect(canvas.step(component)).to_be_visible()
        expect(page.get_by_role("dialog")).to_have_count(0)
    expect(canvas.wires()).to_have_count(0)
    keys.press("c")
    expect(page.get_by_role("dialog").get_by_text("Table of “Read a table” → Table")).to_be_visible()
    keys.press("Enter")
    expect(canvas.wires()).to_have_count(1)

    # A third is put after the second with Tab.
    expect(page.get_by_role("dialog")).to_have_count(0)
    keys.press("Tab")
    expect(page.get_by_role("dialog").get_by_text("Add a step after “Split rows”")).to_be_visible()
    keys.type("prepare features")
    keys.press("Enter")
    expect(canvas.wires()).to_have_count(2)

    # Walking from step to step; undone and done again.
    expect(page.get_by_role("dialog")).to_have_count(0)
    keys.press("ArrowLeft")
    expect(page.locator('[data-step="split_rows"]')).to_have_attribute("data-selected", "true")
    keys.press("Control+z")
    expect(canvas.wires()).to_have_count(1)
    expect(canvas.step("Prepare features")).to_have_count(0)
    keys.press("Control+Shift+z")
    expect(canvas.wires()).to_have_count(2)

    # What came back is selected again; Enter goes to the parameters of the step.
    expect(page.locator('[data-step="prepare_features"]')).to_have_attribute("data-selected", "true")
    keys.press("Enter")
    expect(page.locator("[data-parameters] :focus")).to_have_count(1)
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()

    # Away, from inside a field, through the palette.
    keys.press("Control+k")
    expect(page.get_by_placeholder("Search or do…")).to_be_focused()
    keys.type("runs")
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Runs", exact=True)).to_be_visible()
    assert watch.errors == [], "The browser's console has errors"
