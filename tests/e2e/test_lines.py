"""Lines on an image, by real mouse and keys on the editor's page: drawn point by point, ended, closed, and their points edited."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.editor_page.bench import Bench, control, schema

ROADS = control("way", "VectorLabels", ("Road", "Path"), closable=True)


def points(bench: Bench, index: int = 0) -> list[Any]:
    return [[pytest.approx(v["x"], abs=0.5), pytest.approx(v["y"], abs=0.5)] for v in bench.value(index)["vertices"]]


def test_a_line_is_drawn_ended_in_four_ways_and_told_in_label_studios_words(bench: Bench) -> None:
    bench.start(schema("Image", ROADS))
    bench.keys("n")
    for where in [(10, 10), (30, 20), (60, 90), (50, 10)]:
        bench.click(where)
        if where == (60, 90):
            bench.keys("Backspace")
    bench.keys("Enter")
    first = bench.value()
    assert points(bench) == [[10, 10], [30, 20], [50, 10]]
    assert [v["prevPointId"] for v in first["vertices"]] == [None, *[v["id"] for v in first["vertices"]][:-1]]
    assert (first["closed"], first["vectorlabels"], bench.result[0]["type"]) == (False, ["Road"], "vectorlabels")
    bench.keys("2")
    bench.click((10, 40))
    bench.page.mouse.dblclick(*bench.place((40, 40)))
    assert points(bench, 1) == [[10, 40], [40, 40]], "a double click is the last point"
    assert bench.value(1)["vectorlabels"] == ["Path"]
    for where in [(60, 60), (90, 60), (90, 90), (60, 60)]:
        bench.click(where)
    assert (bench.value(2)["closed"], len(bench.value(2)["vertices"])) == (True, 3), "the first point closes it"
    assert bench.value(2)["vertices"][0]["prevPointId"] == bench.value(2)["vertices"][-1]["id"]
    bench.click((10, 80))
    bench.click((20, 80))
    bench.keys("Escape")
    assert len(bench.result) == 3, "Esc gives up what is being drawn"
    bench.keys("n", "Enter")
    assert len(bench.result) == 4, "by keys alone"
    bench.keys("ArrowRight", "Delete")
    assert len(bench.result) == 3


def test_points_of_a_line_are_moved_added_and_taken_away_and_it_is_met_on_its_line_only(bench: Bench) -> None:
    bench.start(schema("Image", ROADS))
    bench.keys("n")
    for where in [(20, 20), (60, 20), (60, 70)]:
        bench.click(where)
    bench.keys("Enter", "v")
    bench.click((40, 40))
    bench.keys("Delete")
    assert len(bench.result) == 1, "beside the line is not on it"
    bench.click((30, 20))
    bench.drag((60, 70), (80, 80))
    assert points(bench)[2] == [80, 80]
    bench.click((40, 20))
    assert len(points(bench)) == 4, "a click on the middle of a part adds a point"
    bench.keys("Delete")
    assert points(bench) == [[20, 20], [60, 20], [80, 80]]
    bench.drag((30, 20), (30, 30))
    assert points(bench) == [[20, 30], [60, 30], [80, 90]], "it is moved as a whole"
    bench.page.keyboard.down("Alt")
    bench.click((20, 30))
    bench.click((60, 30))
    bench.page.keyboard.up("Alt")
    assert len(points(bench)) == 2, "two points stay"
    bench.keys("Control+z", "Control+z", "Control+z", "Control+z", "Control+z")
    assert points(bench) == [[20, 20], [60, 20], [60, 70]]
