"""Thousands of steps: what a person does with a small pipeline must go with a large one, and only what is near the view may be drawn."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from tests.e2e.browser import until
from tests.e2e.canvas import Canvas
from tests.e2e.conftest import Open
from workers.sdk.client import Client

ROWS, LONG = 60, 50
DRAWN = 600
"""So many steps may be in the page at most."""


def rows() -> dict[str, Any]:
    """Sixty rows of fifty filters, each on the one to its left."""
    steps: dict[str, Any] = {}
    for n in range(ROWS * LONG):
        row, at = divmod(n, LONG)
        inputs = {"table": [{"step": f"s{n - 1}", "output": "table"}]} if at else {}
        component = "filter_rows" if at else "read_table"
        parameters = {"where": "n > 1"} if at else {}
        steps[f"s{n}"] = {
            "component": component, "name": f"Row {row}, {at}", "parameters": parameters, "inputs": inputs,
            "position": {"x": at * 280.0, "y": row * 140.0},
        }  # fmt: skip
    return {"steps": steps}


def drawn(page: Page) -> int:
    return page.locator(".react-flow__node").count()


def test_a_step_among_thousands_is_found_changed_moved_and_saved(open_page: Open, fresh_project: Client) -> None:
    client = fresh_project
    slug = client.create_pipeline("Many rows", graph=rows())["slug"]
    page, watch = open_page()
    canvas = Canvas(page)
    page.goto(f"/p/{client.project}/pipelines/{slug}")
    expect(canvas.step("Row 0, 0")).to_be_visible()
    assert 0 < drawn(page) < DRAWN

    # Far away, by its name.
    canvas.plane.focus()
    page.keyboard.press("Control+f")
    page.get_by_placeholder("Search the steps of this pipeline").fill("row 47, 33")
    page.keyboard.press("Enter")
    far = canvas.step("Row 47, 33")
    expect(far).to_be_visible()
    expect(far).to_have_attribute("data-selected", "true")
    assert drawn(page) < DRAWN
    expect(canvas.step("Row 0, 0")).to_have_count(0)

    # Renamed and moved; one of the two is undone, and the draft says so.
    name = page.get_by_label("Name of the step")
    name.fill("The one")
    name.press("Enter")
    one = canvas.step("The one")
    x, y = canvas.middle(one.get_by_text("The one", exact=True))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y + 60, steps=6)
    page.mouse.up()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()

    def held() -> Any:
        draft = f"/api/v1/projects/{client.project}/pipelines/{slug}/draft"
        return page.evaluate("async (draft) => (await (await fetch(draft)).json()).graph.steps", draft)[f"s{47 * LONG + 33}"]

    moved = held()
    assert moved["name"] == "The one" and moved["position"] != {"x": 33 * 280.0, "y": 47 * 140.0}
    canvas.plane.focus()
    page.keyboard.press("Control+z")
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    page.wait_for_timeout(600)
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    assert held()["position"] == {"x": 33 * 280.0, "y": 47 * 140.0} and held()["name"] == "The one"

    # The overview goes anywhere; what is selected stays with the view's neighbours.
    overview = page.locator("[data-canvas] canvas")
    box = overview.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 2, box["y"] + 2)
    expect(canvas.step("Row 0, 0")).to_be_visible()
    until(page, f"document.querySelectorAll('.react-flow__node').length < {DRAWN}")
    assert watch.errors == [], "The browser's console has errors"


def test_what_one_changes_among_thousands_the_other_sees(open_page: Open, fresh_project: Client) -> None:
    client = fresh_project
    slug = client.create_pipeline("Many for two", graph=rows())["slug"]
    (one, _), (other, watch) = open_page(), open_page()
    for page in (one, other):
        page.goto(f"/p/{client.project}/pipelines/{slug}")
        expect(Canvas(page).step("Row 1, 1")).to_be_visible()
    Canvas(one).step("Row 1, 1").click()
    name = one.get_by_label("Name of the step")
    name.fill("Seen by both")
    name.press("Enter")
    expect(Canvas(other).step("Seen by both")).to_be_visible()
    Canvas(one).plane.focus()
    one.keyboard.press("Delete")
    expect(Canvas(other).step("Seen by both")).to_have_count(0)
    one.keyboard.press("Control+z")
    expect(Canvas(other).step("Seen by both")).to_be_visible()
    assert watch.errors == []
