"""Labels leave one schema as COCO and come into another, by the pages' dialogs."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.conftest import Open
from tests.e2e.furnish import bring
from tests.e2e.labels import filled, furnish_labels
from tests.e2e.material import shapes
from workers.sdk.client import Client

BOXES = """<View><Image name="image" value="$image"/>
  <RectangleLabels name="mark" toName="image"><Label value="Ring"/><Label value="Cross"/></RectangleLabels></View>"""


def test_labels_go_out_as_coco_and_come_into_another_schema(open_page: Open, fresh_project: Client, tmp_path: Path) -> None:
    client, project = fresh_project, fresh_project.project
    images = bring(client, shapes(tmp_path / "quayside.zip", each=4), "Quayside")
    there = furnish_labels(client, images).pictures
    base = f"/projects/{project}/label-schemas"
    other = client.request("POST", base, json={"name": "Again", "dataset": images, "xml": BOXES, "review_share": 0})["slug"]
    filled(client, other)
    page, _ = open_page()

    page.goto(f"/p/{project}/labels/{there}")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Export labels").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="Format").click()
    page.get_by_role("option", name="COCO").click()
    expect(dialog.get_by_text("3 annotations of 3 items.")).to_be_visible()
    expect(dialog.get_by_text("COCO has no place for “clear” (choices).")).to_be_visible()
    with page.expect_download() as downloaded:
        dialog.get_by_role("link", name="Download").click()
    file = tmp_path / downloaded.value.suggested_filename
    downloaded.value.save_as(file)
    assert file.name == f"{there}-coco.json" and len(json.loads(file.read_text())["annotations"]) == 3

    page.goto(f"/p/{project}/labels/{other}")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Import labels").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("input[type=file]").set_input_files(file)
    dialog.get_by_role("combobox", name="Format").click()
    page.get_by_role("option", name="COCO").click()
    dialog.get_by_role("button", name="Look at it").click()
    expect(dialog.get_by_role("row", name="New annotations 3")).to_be_visible(timeout=30_000)
    dialog.get_by_role("button", name="Import 3").click()
    expect(page.get_by_text("Imported 3 annotations.")).to_be_visible(timeout=30_000)

    truths = [i for i in client.request("GET", f"{base}/{other}/items")["items"] if i["truth"]]
    assert len(truths) == 3, "nobody reviews them, so they hold at once"
    page.goto(f"/p/{project}/labels/{other}/items/{truths[0]['id']}")
    expect(page.get_by_text("mark").first).to_be_visible()
    expect(page.get_by_text("Cross").or_(page.get_by_text("Ring")).first).to_be_visible()
