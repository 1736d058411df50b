"""Skeletons and several regions at once, by real mouse and keys."""

from __future__ import annotations

import pytest

from tests.e2e.browser import until
from tests.e2e.editor_page.bench import BOXES, Bench, control, schema
from tests.e2e.test_editor import near

POSE = schema("Image", control("pose", "KeyPointLabels", ("nose", "eye", "ear"), skeleton=[["nose", "eye"], ["eye", "ear"]]))


def said(bench: Bench) -> list[tuple[str, int, bool]]:
    """(Label, place of its instance's first point, hidden) of every point."""
    ids = [one["id"] for one in bench.result]
    return [
        (one["value"]["keypointlabels"][0], ids.index(one.get("parentID", one["id"])), "occluded" in one.get("meta", {}).get("text", []))
        for one in bench.result
    ]


def test_the_points_of_an_instance_are_placed_in_order_skipped_hidden_and_undone(bench: Bench) -> None:
    bench.start(POSE)
    bench.keys("k")
    for where in [(20, 20), (25, 15), (30, 20)]:
        bench.click(where)
    bench.click((60, 20))
    bench.keys(".")
    bench.click((70, 20))
    assert said(bench) == [("nose", 0, False), ("eye", 0, False), ("ear", 0, False), ("nose", 3, False), ("ear", 3, False)]
    bench.click((20, 60))
    bench.click((25, 55))
    bench.keys("Shift+K", "Escape")
    bench.click((60, 60))
    assert said(bench)[5:] == [("nose", 5, False), ("eye", 5, True), ("nose", 7, False)], "Esc begins another one"
    bench.click((65, 55))
    bench.keys("Control+z")
    bench.click((66, 56))
    assert said(bench)[7:] == [("nose", 7, False), ("eye", 7, False)], "after undoing, the same point is placed again"


def test_an_instance_is_selected_by_a_double_click_moved_as_one_copied_and_survives_its_first_point(bench: Bench) -> None:
    bench.start(POSE)
    bench.keys("k")
    for where in [(20, 20), (25, 15), (30, 20), (80, 80)]:
        bench.click(where)
    bench.keys("Escape", "v")
    x, y = bench.place((25, 15))
    bench.page.mouse.dblclick(x, y)
    assert bench.page.evaluate("editor.state.selected.size") == 3
    bench.drag((20, 20), (30, 40))
    places = [(one["value"]["x"], one["value"]["y"]) for one in bench.result]
    assert places == [(near(30), near(40)), (near(35), near(35)), (near(40), near(40)), (near(80), near(80))]
    bench.keys("Control+z")
    assert bench.value()["x"] == near(20), "moving several is one step"
    bench.keys("Control+d")
    assert [first for _, first, _ in said(bench)] == [0, 0, 0, 3, 4, 4, 4], "copies are an instance of their own"
    bench.keys("Control+z", "Escape")
    bench.click((20, 20))
    bench.keys("Delete")
    assert [first for _, first, _ in said(bench)] == [0, 0, 2]


def test_several_boxes_are_dragged_together_and_stay_inside(bench: Bench) -> None:
    bench.start(schema("Image", BOXES))
    bench.keys("1")
    bench.drag((10, 10), (20, 20))
    bench.drag((40, 40), (60, 60))
    bench.keys("v", "Control+a")
    bench.drag((50, 50), (60, 55))
    assert [(one["value"]["x"], one["value"]["y"]) for one in bench.result] == [(near(20), near(15)), (near(50), near(45))]
    bench.drag((60, 55), (0, 55))
    assert [one["value"]["x"] for one in bench.result] == [near(0), near(30)], "all of them stop where the first meets the edge"
    bench.click((40, 55))
    assert bench.page.evaluate("editor.state.selected.size") == 1, "a click means one"


@pytest.mark.parametrize("count", [300])
def test_many_regions_are_where_they_belong_after_the_view_moved(bench: Bench, count: int) -> None:
    places = [{"x": 3 * (n % 30) + 5, "y": 8 * (n // 30) + 5, "width": 2, "height": 5, "rotation": 0} for n in range(count)]
    made = {"from_name": "box", "to_name": "it", "type": "rectanglelabels", "original_width": 1000, "original_height": 600}
    result = [{**made, "id": f"region-{n:04}", "value": {**place, "rectanglelabels": ["Car"]}} for n, place in enumerate(places)]
    bench.start(schema("Image", BOXES), result)
    red = """([x, y]) => {
      const canvas = document.querySelector('.konvajs-content canvas'), ratio = canvas.width / canvas.clientWidth
      const at = canvas.getBoundingClientRect()
      return canvas.getContext('2d').getImageData((x - at.left) * ratio, (y - at.top) * ratio, 1, 1).data[3] > 0
    }"""

    def drawn() -> bool:
        inside, beside = bench.place((3 * 15 + 6, 8 * 5 + 7.5)), bench.place((3 * 15 + 7.5, 8 * 5 + 7.5))
        found: bool = bench.page.evaluate(red, list(inside)) and not bench.page.evaluate(red, list(beside))
        return found

    assert drawn()
    bench.page.mouse.move(*bench.place((51, 47)))
    bench.page.mouse.wheel(0, -300)
    until(bench.page, "document.querySelector('img[data-ready]').getBoundingClientRect().width > 1500")
    assert drawn(), "while it moves, its bitmap is laid where it belongs"
    bench.page.wait_for_timeout(300)
    assert drawn()
    bench.page.keyboard.down(" ")
    bench.drag((51, 47), (55, 51))
    bench.page.keyboard.up(" ")
    assert drawn()
