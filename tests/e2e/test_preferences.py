"""Which of two is better, in what order several are, rows as tables: by keys, by mouse and by finger, on the editor's page."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from tests.e2e.browser import PHONE, sideways
from tests.e2e.editor_page.bench import Bench, control
from tests.e2e.test_accessible import serious

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
    bench.page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # the two numbers of ViewportSize
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
    bench.page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # the two numbers of ViewportSize
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


def test_a_row_is_shown_as_a_table_beside_its_questions(bench: Bench) -> None:
    row = {"name": "Ms Okafor", "age": 1234.5, "notes": LONG, "address": {"city": "Hull"}, "left": None}
    table = {
        "objects": [{"name": "it", "tag": "Table", "value": "row"}], "layout": [],
        "controls": [control("kind", "Choices", ("new", "known")), control("stars", "Rating", maximum=3)],
    }  # fmt: skip
    bench.page.evaluate("(options) => start(options)", {"config": table, "item": {"data": row, "urls": {}}, "result": []})
    bench.keys("2", "Alt+3")
    assert [one["value"] for one in bench.result] == [{"choices": ["known"]}, {"rating": 3}]
    shown = bench.page.get_by_role("table")
    assert shown.get_by_role("rowheader").all_inner_texts() == list(row)
    assert shown.get_by_role("cell").all_inner_texts()[1] == "1,234.5"
    bench.page.get_by_role("button", name="Show all").click()
    assert shown.get_by_role("cell").all_inner_texts()[2].count("headrace") == 40
    assert serious(bench.page) == []
    bench.page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # the two numbers of ViewportSize
    assert not sideways(bench.page)
