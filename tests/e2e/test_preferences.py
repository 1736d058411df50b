"""Which of two is better, and in what order several are: by keys, by mouse and by finger, on the editor's page and in a studio."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from tests.e2e.browser import PHONE, sideways
from tests.e2e.conftest import Open
from tests.e2e.editor_page.bench import Bench, control
from tests.e2e.furnish import bring
from tests.e2e.labels import filled
from tests.e2e.test_accessible import serious
from workers.sdk.client import Client

Json = dict[str, Any]
LONG = "The headrace brings water to the wheel.\n" * 40
DATA = {
    "ask": "What does a headrace do?",
    "a": "It brings water to the wheel.",
    "b": LONG,
    "items": [
        {"id": "x", "title": "Short", "body": "Water."},
        {"id": "y", "title": "", "body": LONG},
        {"id": "z", "title": "None", "body": ""},
    ],
}


def config(*controls: Json) -> Json:
    objects = [
        *({"name": name, "tag": "Text", "value": name} for name in ("ask", "a", "b")),
        {"name": "list", "tag": "List", "value": "items", "title": "Answers"},
    ]  # fmt: skip
    used = {"ask", *(name for c in controls for name in (c["to"], *c["to_more"]))}
    return {"objects": [o for o in objects if o["name"] in used], "controls": list(controls), "layout": []}


PAIR = config(control("better", "Pairwise", to="a", to_more=["b"], required=True))
RANKING = config(control("rank", "Ranker", to="list"))
SORTED = config(control("sort", "Ranker", to="list", buckets=[{"name": n, "title": n.title(), "default": False} for n in ("good", "bad")]))


def start(bench: Bench, schema: Json, result: list[Json] | None = None, **more: Any) -> None:
    bench.page.evaluate(
        "(options) => start(options)", {"config": schema, "item": {"data": DATA, "urls": {}}, "result": result or [], **more}
    )
    bench.page.evaluate("document.fonts.ready")


def test_of_two_one_is_chosen_by_numbers_arrows_and_mouse_and_taken_back(bench: Bench) -> None:
    start(bench, PAIR)
    bench.keys("1")
    said = bench.result[0]
    assert (said["from_name"], said["to_name"], said["type"], said["value"]) == ("better", "better", "pairwise", {"selected": "left"})
    bench.keys("ArrowRight")
    assert bench.value() == {"selected": "right"}
    bench.keys("2")
    assert bench.result == [], "the same again takes it back"
    bench.page.get_by_role("article", name="First").get_by_text("It brings water").click()
    assert bench.value() == {"selected": "left"}
    expect(bench.page.get_by_role("button", name="First is better")).to_have_attribute("aria-pressed", "true")
    bench.keys("Control+z", "Control+z", "Control+z")
    assert bench.value() == {"selected": "left"}, "each answer is a step of undo"
    text = bench.page.get_by_role("region", name="Text “b”")
    assert text.evaluate("(one) => one.scrollHeight > one.clientHeight"), "a long answer is scrolled in its card"
    first, second = (bench.page.get_by_role("article", name=name).bounding_box() for name in ("First", "Second"))
    assert first and second and first["y"] == second["y"] and first["x"] < second["x"], "side by side"
    assert serious(bench.page) == []
    bench.page.set_viewport_size(PHONE)
    first, second = (bench.page.get_by_role("article", name=name).bounding_box() for name in ("First", "Second"))
    assert first and second and first["y"] < second["y"], "on a phone one below the other"
    assert not sideways(bench.page)


def test_a_suggested_side_is_dashed_and_taken_over(bench: Bench) -> None:
    suggestion = {"id": "s1", "from_name": "better", "to_name": "better", "type": "pairwise", "value": {"selected": "right"}}
    start(bench, PAIR, suggestions=[suggestion])
    expect(bench.page.get_by_role("article", name="Second")).to_have_attribute("data-dashed", "true")
    bench.keys("Shift+a")
    assert bench.result == [{**suggestion, "origin": "prediction"}]


def order(bench: Bench, name: str = "rank") -> list[str]:
    found: list[str] = bench.value()["ranker"][name]
    return found


def test_a_ranking_is_made_by_keys_buttons_and_dragging_and_undone_step_by_step(bench: Bench) -> None:
    start(bench, RANKING)
    expect(bench.page.get_by_text("Not in order yet")).to_be_visible()
    bench.keys("Enter")
    assert order(bench) == ["x", "y", "z"], "the order as it is can be right"
    assert (bench.result[0]["to_name"], bench.result[0]["type"]) == ("list", "ranker")
    bench.keys("ArrowDown", "Alt+ArrowDown")
    assert order(bench) == ["y", "x", "z"]
    bench.keys("Alt+ArrowDown", "ArrowUp", "Alt+ArrowUp")
    assert order(bench) == ["z", "y", "x"], "the focus stays on what is moved"
    bench.keys("Alt+End")
    assert order(bench) == ["y", "x", "z"]
    bench.keys("Control+z", "Control+z", "Control+z")
    assert order(bench) == ["y", "x", "z"], "each move is a step"
    bench.page.get_by_role("button", name="Move None up").click()
    assert order(bench) == ["y", "z", "x"]
    grip = bench.page.locator('[data-entry="x"] [data-grip]').bounding_box()
    top = bench.page.locator('[data-entry="y"]').bounding_box()
    assert grip and top
    mouse = bench.page.mouse
    mouse.move(grip["x"] + 10, grip["y"] + 10)
    mouse.down()
    mouse.move(top["x"] + 60, top["y"] + 4, steps=8)
    mouse.up()
    assert order(bench) == ["x", "y", "z"]
    assert serious(bench.page) == []
    bench.page.set_viewport_size(PHONE)
    assert not sideways(bench.page)


def test_entries_are_put_into_buckets_by_keys_and_by_dragging(bench: Bench) -> None:
    start(bench, SORTED)
    bench.keys("ArrowDown", "Alt+ArrowRight", "Alt+ArrowRight")
    assert bench.value()["ranker"] == {"_": ["y", "z"], "good": [], "bad": ["x"]}
    grip = bench.page.locator('[data-entry="z"] [data-grip]').bounding_box()
    good = bench.page.get_by_role("region", name="Good").bounding_box()
    assert grip and good
    mouse = bench.page.mouse
    mouse.move(grip["x"] + 10, grip["y"] + 10)
    mouse.down()
    mouse.move(good["x"] + 60, good["y"] + 60, steps=8)
    mouse.up()
    assert bench.value()["ranker"] == {"_": ["y"], "good": ["z"], "bad": ["x"]}
    assert serious(bench.page) == []


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
    page.goto(f"/p/{project}/labels/answers/review")
    expect(page.get_by_role("article", name="Second")).to_be_visible()
    found = page.request.get(f"/api/v1/projects/{project}/label-schemas/answers/export?format=preferences")
    lines = [json.loads(line) for line in found.text().splitlines()]
    assert lines[0] == {"prompt": "Question 0?", "chosen": "No, not 0.", "rejected": "Yes, 0."}
    assert lines[1] == {"prompt": "Question 1?", "chosen": "Yes, 1.", "rejected": "No, not 1."}
