"""Boxes, whole: people draw some, the labels are frozen, a detector is trained, judged and registered, it suggests boxes on the rest, a
person accepts them in the browser, and it answers whoever drops a picture. And the loop, which does all of it by itself."""

from __future__ import annotations

import re
import time
import uuid
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.e2e.acts import drop_picture
from tests.e2e.conftest import Open
from tests.e2e.furnish import bring, pipeline
from tests.e2e.labels import filled
from tests.e2e.test_learning_loop import Desk, Json, succeeded
from tests.scenes import region, scene
from workers.sdk.client import Client

XML = """<View>
  <Image name="image" value="$image"/>
  <RectangleLabels name="box" toName="image"><Label value="0"/><Label value="1"/></RectangleLabels>
</View>"""
QUICK = {"epochs": 20, "width": 8, "learning_rate": 0.006, "patience": 0}


def scenes(path: Path, count: int) -> tuple[dict[str, list[Json]], dict[str, bytes]]:
    """A zip of scenes; what lies on each, and the files."""
    random = np.random.default_rng(5)
    drawn = {f"{n:03}.png": scene(random, (0, 1), 96, 128, 3) for n in range(count)}
    with zipfile.ZipFile(path, "w") as out:
        for name, (data, _) in drawn.items():
            out.writestr(name, data)
    return {name: boxes for name, (_, boxes) in drawn.items()}, {name: data for name, (data, _) in drawn.items()}


class Drawer(Desk):
    """An annotator who sees every digit, over the API; what is suggested is thrown away for the truth."""

    boxes: dict[str, list[Json]]

    def label(self, count: int) -> int:
        for done in range(count):
            item = self.ask("POST", "/next", {})["item"]
            if item is None:
                return done
            self.suggested.append(bool(item["suggestions"]))
            result = [region(box, n) for n, box in enumerate(self.boxes[item["key"]])]
            self.ask(
                "POST", f"/items/{item['id']}/submit", {"id": str(uuid.uuid4()), "schema_version": 1, "result": result, "seconds": 2.0}
            )
        return count


def desk(client: Client, path: Path, count: int) -> tuple[Drawer, dict[str, bytes]]:
    boxes, files = scenes(path, count)
    dataset = bring(client, path, "Scenes")
    made = {"name": "Digits on scenes", "dataset": dataset, "xml": XML, "review_share": 0.0}
    slug = client.request("POST", f"/projects/{client.project}/label-schemas", json=made)["slug"]
    filled(client, slug)
    found = Drawer(client, slug, {})
    found.boxes = boxes
    return found, files


def wait(ask: Any, holds: Any, seconds: float = 120) -> Any:
    end = time.monotonic() + seconds
    while not holds(found := ask()):
        assert time.monotonic() < end, found
        time.sleep(0.3)
    return found


@pytest.mark.timeout(420)
def test_boxes_that_people_draw_become_boxes_that_a_model_suggests(open_page: Open, fresh_project: Client, tmp_path: Path) -> None:
    drawer, files = desk(fresh_project, tmp_path / "scenes.zip", 100)
    drawer.label(80)
    drawer.ask("POST", "/labelled", {"note": "eighty"})
    wait(lambda: drawer.ask("GET", "/labelled"), lambda rows: rows[0]["status"] == "ready")
    slug = pipeline(fresh_project, "object-detection", "scenes", "Find digits", train=QUICK)
    run = fresh_project.wait_for_run(fresh_project.start_run(slug)["id"])
    assert run["status"] == "succeeded", [(s["step"], s["error"]) for s in run["step_runs"] if s["error"]]
    (version,) = fresh_project.list_model_versions("my-object-detector")
    assert version["metrics"]["map_50"]["value"] > 0.5 and version["dataset_versions"] == ["scenes@2"], version["metrics"]

    drawer.ask("POST", "/suggestions", {"model": "my-object-detector@1"})
    told = wait(lambda: drawer.ask("GET", "/suggestions")["prelabelling"], lambda job: job["status"] not in ("queued", "running"))
    assert (told["status"], told["done"], told["refused"]) == ("done", 20, 0), told

    page, watch = open_page()
    page.goto(f"/p/{fresh_project.project}/runs/{run['id']}")
    page.get_by_role("tab", name="Results").click()
    expect(page.get_by_text("mAP@0.5", exact=True).first).to_be_visible()
    expect(page.get_by_text(re.compile(r"Measured on \d+ boxes on \d+ images")).first).to_be_visible()
    labels = drawer.base.rpartition("/")[2]
    accepted = 0
    page.goto(f"/p/{fresh_project.project}/labels/{labels}/label")
    for _ in range(8):
        item = page.locator("[data-item]").get_attribute("data-item", timeout=20_000)
        given = fresh_project.request("GET", f"{drawer.base}/items/{item}")["suggestions"][0]["result"]
        if given:
            accepted += 1
            page.get_by_role("button", name="Take all over").click()
        page.get_by_role("button", name="Submit", exact=True).click()
        expect(page.locator(f'[data-item="{item}"]')).to_have_count(0)
    (counted,) = wait(lambda: drawer.ask("GET", "/suggestions/outcomes"), lambda rows: rows and rows[0]["total"] == accepted)
    assert accepted > 3 and (counted["accepted"], counted["total"]) == (accepted, accepted), counted

    fresh_project.deploy("my-object-detector@1", endpoint="find")
    page.goto(f"/p/{fresh_project.project}/endpoints/find")
    name = max(drawer.boxes, key=lambda key: len(drawer.boxes[key]))
    with page.expect_response(lambda response: response.url.endswith("/predict")) as answered:
        drop_picture(page, "scene.png", files[name])
    (first,) = answered.value.json()["predictions"]
    assert first["boxes"] and 0 <= first["certainty"] <= 1
    answer = page.get_by_test_id("answer")
    expect(answer.get_by_role("table", name="Boxes").get_by_role("row")).to_have_count(len(first["boxes"]) + 1)
    picture, one = answer.get_by_alt_text("What was asked").bounding_box(), answer.locator("[data-sure]").first.bounding_box()
    assert picture and one
    box = first["boxes"][0]
    assert (
        abs((one["x"] - picture["x"]) / picture["width"] * 100 - box["x"]) < 1
        and abs(one["width"] / picture["width"] * 100 - box["width"]) < 1
    )
    assert watch.errors == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_loop_learns_boxes_and_shows_its_curve(open_page: Open, fresh_project: Client, tmp_path: Path) -> None:
    drawer, _ = desk(fresh_project, tmp_path / "scenes.zip", 160)
    slug = pipeline(fresh_project, "object-detection", "scenes", "Find digits", train=QUICK)
    assert drawer.ask("GET", "/loop")["template"] == "object-detection"
    drawer.ask("PUT", "/loop", {"pipeline": slug, "every": 30, "test_size": 40, "draws": 1})
    drawer.label(70)
    assert not any(drawer.suggested), "nothing is suggested for what models are measured on"
    drawer.until(lambda found: len(succeeded(found)) == 1)
    drawer.label(30)
    assert all(drawer.suggested[70:]), "the first model said what it thinks"
    drawer.until(lambda found: len(succeeded(found)) == 2)
    found = drawer.until(lambda found: len(found["random"]) >= 1)
    first, second = succeeded(found)
    assert found["measure"] == "map_50" and (first["labels"], second["labels"], first["tested"]) == (30, 60, 40)
    assert 0.1 < first["accuracy"] < 1 and second["accuracy"] > first["accuracy"] - 0.05, (first, second)
    assert all(r["low"] <= r["accuracy"] <= r["high"] for r in (first, second))
    page, watch = open_page()
    page.goto(f"/p/{fresh_project.project}/labels/{drawer.base.rpartition('/')[2]}?tab=learn")
    expect(page.get_by_role("img", name="mAP@0.5 by number of labels")).to_be_visible()
    drawer.ask("DELETE", "/loop")
    assert watch.errors == []
