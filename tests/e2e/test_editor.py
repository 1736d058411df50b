"""The annotation editor by real mouse and keys, on a page of its own (`editor_page/`): drawing, marking, answering, undoing."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import PHONE, sideways, until
from tests.e2e.editor_page.bench import BOXES, TEXT, VALUES, Bench, control, schema
from tests.e2e.test_accessible import serious


def near(value: Any) -> Any:
    """Within half a percent of the image: the mouse knows only whole pixels."""
    return pytest.approx(value, abs=0.5)


def test_a_box_is_drawn_by_drag_or_two_clicks_sized_turned_undone_and_redone(bench: Bench) -> None:
    bench.start(schema("Image", BOXES))
    bench.keys("1")
    bench.drag((20, 25), (50, 65))
    assert bench.result[0]["type"] == "rectanglelabels"
    assert (bench.result[0]["original_width"], bench.result[0]["original_height"]) == (1000, 600)
    assert bench.value() == {"x": near(20), "y": near(25), "width": near(30), "height": near(40), "rotation": 0, "rectanglelabels": ["Car"]}
    bench.keys("2")
    bench.click((70, 20))
    bench.page.mouse.move(*bench.place((80, 40)))
    bench.click((90, 60))
    assert bench.value(1) == {
        "x": near(70),
        "y": near(20),
        "width": near(20),
        "height": near(40),
        "rotation": 0,
        "rectanglelabels": ["Person"],
    }
    bench.drag((95, 50), (115, 120))
    assert bench.value(2)["x"] + bench.value(2)["width"] == near(100), "a region may not leave the image"
    bench.keys("Control+z", "v")
    bench.click((35, 45))
    bench.drag((50, 65), (60, 75))
    assert bench.value() == {"x": near(20), "y": near(25), "width": near(40), "height": near(50), "rotation": 0, "rectanglelabels": ["Car"]}
    bench.drag((40, 50), (45, 50))
    assert bench.value()["x"] == near(25), "its body is dragged"
    x, y = bench.place((45, 25))
    bench.page.mouse.move(x, y - 26)
    bench.page.mouse.down()
    bench.page.mouse.move(*bench.place((80, 50)), steps=8)
    bench.page.mouse.up()
    turned = bench.value()
    assert turned["rotation"] == pytest.approx(90, abs=4)
    assert (turned["width"], turned["height"]) == (near(40), near(50)), "turning changes no side"
    bench.keys("Control+z", "Control+z", "Control+z")
    assert bench.value()["width"] == near(30)
    bench.keys("Control+Shift+z", "Control+Shift+z", "Control+Shift+z")
    assert bench.value() == turned


def test_an_unselected_box_is_grabbed_and_moved_in_one_go_and_selected_in_drawing_by_its_edge(bench: Bench) -> None:
    bench.start(schema("Image", BOXES))
    bench.keys("1")
    bench.drag((20, 20), (40, 40))
    bench.keys("Escape")
    bench.drag((30, 30), (50, 60))
    assert (bench.value()["x"], bench.value()["y"]) == (near(40), near(50))
    bench.keys("Escape", "1")
    bench.click((40, 60))
    bench.keys("2", "Delete")
    assert bench.result == []
    bench.keys("Control+z")
    assert bench.value()["rectanglelabels"] == ["Person"], "a label's key names the selected region"


def test_a_polygon_is_made_corner_by_corner_and_its_points_are_edited(bench: Bench) -> None:
    bench.start(schema("Image", control("area", "PolygonLabels", ("Road",))))
    for where in [(20, 20), (60, 20), (60, 60), (90, 90)]:
        bench.click(where)
    bench.keys("Backspace")
    bench.click((20, 60))
    bench.click((20, 20))
    assert bench.value()["points"] == [[near(20), near(20)], [near(60), near(20)], [near(60), near(60)], [near(20), near(60)]]
    bench.click((70, 70))
    bench.click((80, 70))
    bench.keys("Escape")
    assert len(bench.result) == 1, "Esc gives up what is being drawn"
    bench.click((70, 70))
    bench.click((80, 70))
    bench.click((75, 80))
    bench.keys("Enter", "Delete", "v")
    assert len(bench.result) == 2
    bench.click((40, 40))
    bench.drag((60, 60), (70, 75))
    assert bench.value()["points"][2] == [near(70), near(75)]
    bench.click((40, 20))
    assert len(bench.value()["points"]) == 5, "a click on an edge's middle adds a point"
    bench.keys("Delete")
    assert len(bench.value()["points"]) == 4, "Delete takes the point, not the polygon"
    bench.page.keyboard.down("Alt")
    bench.click((20, 60))
    bench.page.keyboard.up("Alt")
    assert bench.value()["points"] == [[near(20), near(20)], [near(60), near(20)], [near(70), near(75)]]
    bench.drag((50, 30), (60, 30))
    assert bench.value()["points"][0] == [near(30), near(20)]


def test_ellipses_and_points_are_drawn_and_moved(bench: Bench) -> None:
    bench.start(schema("Image", control("oval", "EllipseLabels", ("Wheel",)), control("point", "KeyPointLabels", ("Nose",))))
    bench.keys("1")
    bench.drag((20, 20), (40, 60))
    assert bench.value() == {
        "x": near(30),
        "y": near(40),
        "radiusX": near(10),
        "radiusY": near(20),
        "rotation": 0,
        "ellipselabels": ["Wheel"],
    }
    bench.keys("2")
    bench.click((70, 70))
    assert bench.value(1) == {"x": near(70), "y": near(70), "width": 0, "keypointlabels": ["Nose"]}
    bench.keys("v")
    bench.drag((70, 70), (80, 50))
    assert (bench.value(1)["x"], bench.value(1)["y"]) == (near(80), near(50))
    bench.click((30, 40))
    bench.drag((40, 60), (50, 80))
    assert bench.value() == {
        "x": near(35),
        "y": near(50),
        "radiusX": near(15),
        "radiusY": near(30),
        "rotation": 0,
        "ellipselabels": ["Wheel"],
    }


def test_a_box_without_a_mouse(bench: Bench) -> None:
    bench.start(schema("Image", BOXES))
    bench.page.get_by_role("application").focus()
    bench.keys("2", "Enter")
    first = bench.value()
    assert first["rectanglelabels"] == ["Person"]
    bench.keys("ArrowRight", "Shift+ArrowDown", "Alt+ArrowRight", "Alt+Shift+ArrowUp")
    now = bench.value()
    assert now["x"] == pytest.approx(first["x"] + 0.1)
    assert now["y"] == pytest.approx(first["y"] + 10 / 6)
    assert now["width"] == pytest.approx(first["width"] + 0.1)
    assert now["height"] == pytest.approx(first["height"] - 10 / 6)
    bench.keys("Control+d", "Control+c", "Control+v")
    assert len(bench.result) == 3
    assert len({one["id"] for one in bench.result}) == 3
    bench.keys("Escape", "Tab", "Tab", "Delete")
    assert len(bench.result) == 2, "Tab goes from region to region"
    expect(bench.page.get_by_role("status")).to_have_text("Region deleted")
    bench.keys("Tab", "Tab", "Tab")
    assert not bench.page.evaluate("document.activeElement.matches('[data-editor-canvas]')"), "the canvas may not hold the focus for ever"


def test_spans_are_marked_by_mouse_and_keys_and_overlap(bench: Bench) -> None:
    bench.start(schema("Text", control("label", "Labels", ("Person", "Place"))))
    bench.keys("1")
    bench.mark(0, 13)
    assert bench.value() == {"start": 0, "end": 13, "text": "Angela Merkel", "labels": ["Person"]}
    bench.keys("Escape", "Escape")
    bench.mark(7, 26)
    bench.keys("2")
    assert bench.value(1) == {"start": 7, "end": 26, "text": TEXT[7:26], "labels": ["Place"]}
    expect(bench.page.get_by_text("Angela ", exact=True)).to_have_attribute("data-label", "Person")
    bench.keys("Delete")
    assert len(bench.result) == 1
    text = bench.page.get_by_role("textbox", name="Text")
    text.focus()
    bench.keys("Control+Home", "Control+ArrowRight", "Control+ArrowRight", "Control+ArrowRight", "Control+Shift+ArrowRight", "2")
    assert bench.value(1)["text"] == "the"
    bench.keys("Control+Alt+ArrowRight")
    assert bench.value(1)["text"] == "the board"
    bench.keys("Alt+Shift+ArrowRight")
    assert bench.value(1)["text"] == "he board"
    bench.keys("x", "Enter", "Backspace")
    assert text.inner_text().replace("\n\n", "\n").startswith("Angela Merkel met the"), "nothing can be typed into the text"
    assert len(bench.result) == 1, "Backspace takes the selected span"


def test_a_label_is_chosen_after_marking_and_a_double_click_means_the_word(bench: Bench) -> None:
    bench.start(schema("Text", control("label", "Labels", ("Person", "Place"))))
    bench.mark(42, 45)
    bench.page.get_by_role("group", name="Choose a label").get_by_role("button", name="Place").click()
    assert bench.value()["text"] == "Mun"
    bench.keys("Control+z", "2")
    x, y = bench.page.evaluate(
        "() => { const r = document.createRange(); const n = document.querySelector('[data-block=\"0\"] [data-start]').firstChild;"
        " r.setStart(n, 33); r.setEnd(n, 34); const b = r.getBoundingClientRect(); return [b.left, b.top + b.height / 2] }"
    )
    bench.page.mouse.dblclick(x, y)
    assert bench.value() == {"start": 31, "end": 38, "text": "Siemens", "labels": ["Place"]}


def test_questions_are_answered_by_keys_and_what_is_missing_is_said(bench: Bench) -> None:
    weather = control("weather", "Choices", ("Sun", "Rain"), required=True)
    seen = control("seen", "Choices", ("Whole", "Cut"), per_region=True, required=True, required_message="How much of it is seen?")
    bench.start(
        schema("Image", BOXES, weather, seen, control("stars", "Rating", maximum=5), control("note", "TextArea", max_submissions=1))
    )
    assert bench.page.evaluate("editor.problems().map((one) => one.message)") == ["Choose an answer for “weather”."]
    bench.keys("3", "4", "Alt+3")
    assert [one["value"] for one in bench.result] == [{"choices": ["Rain"]}, {"rating": 3}]
    expect(bench.page.get_by_role("button", name="Rain")).to_have_attribute("aria-pressed", "true")
    bench.page.get_by_role("textbox", name="note").fill("Fog, 12 metres")
    bench.keys("Escape", "1")
    bench.drag((20, 20), (40, 40))
    missing = bench.page.evaluate("editor.problems()")
    assert missing == [{"control": "seen", "region": bench.result[-1]["id"], "message": "How much of it is seen?"}]
    bench.keys("6")
    assert bench.page.evaluate("editor.problems()") == []
    assert [(one["type"], one["value"]) for one in bench.result[2:]] == [
        ("textarea", {"text": ["Fog, 12 metres"]}),
        ("rectanglelabels", bench.value(3)),
        ("choices", {"choices": ["Cut"]}),
    ]
    assert bench.result[3]["id"] == bench.result[4]["id"], "an attribute has its region's id"
    bench.keys("Delete")
    assert len(bench.result) == 3, "attributes go with their region"


def test_relations_hiding_and_locking(bench: Bench) -> None:
    bench.start(schema("Image", BOXES))
    bench.keys("1")
    bench.drag((10, 10), (30, 30))
    bench.drag((60, 60), (80, 80))
    bench.keys("v")
    bench.click((20, 20))
    bench.keys("r")
    bench.click((70, 70))
    first, second = (one["id"] for one in bench.result[:2])
    assert bench.result[2] == {"type": "relation", "from_id": first, "to_id": second, "direction": "right"}
    relations = bench.page.get_by_role("region", name="Relations")
    relations.get_by_role("button", name="Turn the relation").click()
    assert bench.result[2]["direction"] == "left"
    bench.page.get_by_role("region", name="Regions").get_by_role("button", name="Lock Car, number 1").click()
    bench.click((20, 20))
    bench.keys("ArrowRight", "Delete")
    bench.drag((20, 20), (40, 40))
    assert bench.value()["x"] == near(10), "what is locked stays where it is"
    bench.keys("l", "h", "Escape")
    bench.click((20, 20))
    assert bench.page.evaluate("editor.state.selected.size") == 0, "what is hidden cannot be clicked"
    bench.page.get_by_role("button", name="Show Car, number 1").click()
    bench.click((20, 20))
    bench.keys("Delete")
    assert [one["id"] for one in bench.result] == [second], "its relation goes with it"


def test_a_suggestion_is_taken_over_and_changed(bench: Bench) -> None:
    made = {
        "from_name": "box",
        "to_name": "it",
        "type": "rectanglelabels",
        "original_width": 1000,
        "original_height": 600,
        "image_rotation": 0,
    }
    place = {"x": 20, "y": 20, "width": 20, "height": 20, "rotation": 0, "rectanglelabels": ["Car"]}
    suggested = [{**made, "id": f"suggested-{number}", "value": {**place, "x": 20 * number}} for number in (1, 3)]
    bench.start(schema("Image", BOXES), suggestions=suggested)
    assert bench.result == []
    bench.click((30, 30))
    assert [(one["id"], one["origin"]) for one in bench.result] == [("suggested-1", "prediction")]
    bench.keys("ArrowRight")
    assert bench.result[0]["origin"] == "prediction-changed"
    bench.keys("Shift+A")
    assert [one["id"] for one in bench.result] == ["suggested-1", "suggested-3"]


@pytest.mark.parametrize("tag", ["Image", "Text"])
def test_nothing_changes_when_it_is_only_to_be_read(bench: Bench, tag: str) -> None:
    value = VALUES[tag]
    made = BOXES if tag == "Image" else control("label", "Labels", ("Person",))
    given = [{"id": "only-to-read", "from_name": made["name"], "to_name": "it", "type": made["type"], "value": value}]
    bench.start(schema(tag, made, control("fine", "Choices", ("Yes", "No"))), given, readOnly=True)
    bench.page.get_by_role("region", name="Regions").get_by_role("button", name=re.compile("^1 ")).click()
    if tag == "Image":
        bench.drag((30, 30), (60, 60))
        bench.page.get_by_role("application").focus()
        bench.keys("1", "Enter")
    else:
        bench.mark(7, 12)
    bench.keys("2", "3", "ArrowRight", "Delete", "Control+d", "Control+z")
    bench.page.get_by_role("button", name="Yes").click(force=True)
    assert bench.result == given


def test_the_keys_are_told(bench: Bench) -> None:
    bench.start(schema("Image", BOXES))
    bench.keys("?")
    told = bench.page.get_by_role("dialog", name="Keys of the editor")
    expect(told).to_contain_text("Person")
    expect(told).to_contain_text("Draw a box")
    bench.keys("Escape")
    expect(told).to_be_hidden()


def test_the_view_zooms_about_the_pointer_pans_and_fits_and_drawing_follows_it(bench: Bench) -> None:
    bench.start(schema("Image", BOXES))
    whole = bench.page.locator("img[data-ready]").bounding_box()
    assert whole is not None
    at = bench.place((75, 75))
    bench.page.mouse.move(*at)
    bench.page.mouse.wheel(0, -600)
    until(bench.page, f"document.querySelector('img[data-ready]').getBoundingClientRect().width > {2 * whole['width']}")
    # The browser rounds where the pointer is to whole pixels, and the zoom multiplies that.
    assert bench.place((75, 75)) == pytest.approx(at, abs=5)
    bench.page.get_by_role("application").focus()
    bench.page.keyboard.down(" ")
    bench.drag((75, 75), (70, 80))
    bench.page.keyboard.up(" ")
    assert bench.result == []
    assert bench.place((75, 75)) != pytest.approx(at, abs=10)
    bench.keys("1")
    bench.drag((74, 74), (80, 82))
    assert bench.value() == {"x": near(74), "y": near(74), "width": near(6), "height": near(8), "rotation": 0, "rectanglelabels": ["Car"]}
    bench.keys("f")
    assert bench.page.locator("img[data-ready]").bounding_box() == whole


def test_among_hundreds_what_is_drawn_anew_in_part_looks_as_if_all_were(bench: Bench) -> None:
    """With very many regions a change is drawn where it is only; a seam, a rest or a wrong order would stay on the screen."""
    ellipse, point = control("oval", "EllipseLabels", ("Wheel",), opacity=0.5), control("point", "KeyPointLabels", ("Lamp",))
    chance, given = random.Random(5), []
    for n in range(300):
        x, y = chance.uniform(2, 85), chance.uniform(2, 80)
        box = {"width": chance.uniform(3, 9), "height": 6, "rotation": chance.choice([0, 0, 25])}
        value, name, kind = (
            ({"rectanglelabels": [chance.choice(["Car", "Person"])], **box}, "box", "rectanglelabels"),
            ({"ellipselabels": ["Wheel"], "radiusX": 3, "radiusY": chance.uniform(1, 5), "rotation": 0}, "oval", "ellipselabels"),
            ({"keypointlabels": ["Lamp"], "width": 1}, "point", "keypointlabels"),
        )[n % 3]
        about = {"original_width": 1000, "original_height": 600, "image_rotation": 0, **({"origin": "prediction"} if n % 7 == 0 else {})}
        given.append({"id": f"region-{n}", "from_name": name, "to_name": "it", "type": kind, "value": {"x": x, "y": y, **value}, **about})
    bench.start(schema("Image", BOXES, ellipse, point), given)
    bench.page.get_by_role("application").focus()
    for keys in (["Tab", "Tab", "Tab"], ["Escape"], ["Tab", "ArrowRight", "Alt+ArrowDown"], ["Delete"], ["Control+z"], ["Tab", "2"], ["h"]):
        bench.keys(*keys)
        worst = bench.page.evaluate(HOW_OTHERWISE_WHEN_ALL_IS_DRAWN)
        assert worst <= 64, f"after {keys} a pixel differs by {worst} of 255 from the whole drawing"


HOW_OTHERWISE_WHEN_ALL_IS_DRAWN = """async () => {
  const pixels = async () => {
    for (let n = 0; n < 3; n++) await new Promise(requestAnimationFrame)
    const canvas = document.querySelector('[data-editor-canvas] .konvajs-content canvas')
    return canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data
  }
  const shown = await pixels()
  editor.look({ texts: false })
  const bare = await pixels()
  editor.look({ texts: true })
  const whole = await pixels()
  // As they lie on a black and on a white ground. An edge is smoothed a little otherwise in a path of many shapes than in one of few.
  let worst = 0, texts = 0
  for (let n = 0; n < whole.length; n += 4) {
    const [a, b] = [shown[n + 3] / 255, whole[n + 3] / 255]
    const dark = (k) => Math.abs(shown[n + k] * a - whole[n + k] * b)
    const light = (k) => Math.abs((255 - shown[n + k]) * a - (255 - whole[n + k]) * b)
    for (const k of [0, 1, 2]) worst = Math.max(worst, dark(k), light(k))
    texts += bare[n + 3] !== whole[n + 3]
  }
  if (texts === 0) throw new Error('the drawing did not change with its texts: it was not drawn')
  return worst
}"""


def test_the_next_item_begins_with_the_same_label_and_without_the_last_ones_history(bench: Bench) -> None:
    bench.start(schema("Image", BOXES))
    bench.keys("2")
    bench.drag((20, 20), (40, 40))
    bench.start(schema("Image", BOXES))
    assert bench.result == []
    bench.keys("Control+z")
    bench.drag((60, 60), (80, 80))
    assert [one["value"]["rectanglelabels"] for one in bench.result] == [["Person"]]


@pytest.mark.parametrize("tag", ["Image", "Text"])
def test_the_editor_serves_everybody(bench: Bench, tag: str) -> None:
    made = BOXES if tag == "Image" else control("label", "Labels", ("Person", "Place"))
    value = VALUES[tag]
    given = [{"id": "a-region-id", "from_name": made["name"], "to_name": "it", "type": made["type"], "value": value}]
    seen = control("seen", "Choices", ("Whole", "Cut"), per_region=True, required=True)
    bench.start(
        schema(tag, made, seen, control("stars", "Rating", maximum=5), control("note", "TextArea"), control("years", "Number")), given
    )
    bench.page.get_by_role("region", name="Regions").get_by_role("button", name=re.compile("^1 ")).click()
    found = [f"desk, light: {line}" for line in serious(bench.page)]
    bench.page.emulate_media(color_scheme="dark")
    bench.page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # the two numbers of ViewportSize
    until(bench.page, "document.documentElement.dataset.mantineColorScheme === 'dark'")
    bench.page.wait_for_timeout(400)
    found += [f"phone, dark: {line}" for line in serious(bench.page)]
    if over := sideways(bench.page):
        found.append(f"phone: the page can be scrolled {over} px to the side")
    assert not found, "\n".join(found)
