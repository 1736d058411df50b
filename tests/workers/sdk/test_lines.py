"""Lines of several points: what fits, how far two agree, and that they leave and come back as they were."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.sdk.test_label_formats import back, picture, plain, written
from workers.sdk.labels.agreement import agreement
from workers.sdk.labels.config import Label, LabelConfig, LabelControl, LabelObject
from workers.sdk.labels.consensus import Voice, fuse
from workers.sdk.labels.difference import difference
from workers.sdk.labels.results import check

Json = dict[str, Any]
ROADS = (Label(value="Road", color="#1c7ed6"), Label(value="Path", color="#1c7ed6"))
CONFIG = LabelConfig(
    objects=(LabelObject(name="image", tag="Image", value="picture"),),
    controls=(
        LabelControl(name="way", to="image", tag="VectorLabels", type="vectorlabels", labels=ROADS, closable=True),
        LabelControl(name="edge", to="image", tag="Vector", type="vector", minimum=2, maximum=3),
    ),
)


def line(*points: tuple[float, float], id_: str = "r1", closed: bool = False, name: str = "way", **more: Any) -> Json:
    """As Label Studio writes it: every point names the one before it, the first of a closed line the last."""
    vertices = [
        {"id": f"p{n}", "x": x, "y": y, "prevPointId": f"p{n - 1}" if n else f"p{len(points) - 1}" if closed else None, "isBezier": False}
        for n, (x, y) in enumerate(points)
    ]
    type_ = "vectorlabels" if name == "way" else "vector"
    labels = {"vectorlabels": ["Road"]} if name == "way" else {}
    value = {"vertices": vertices, "closed": closed, **labels, **more}
    return {"id": id_, "from_name": name, "to_name": "image", "type": type_, "value": value}


def score(one: Json, other: Json, size: tuple[int, int] = (1000, 1000)) -> float:
    """How far two lines agree, by what consensus and agreement use."""
    from workers.sdk.labels.agreement import alike, covered

    a, b = ({**r, "original_width": size[0], "original_height": size[1]} for r in (one, other))
    return alike(a, b, covered(a), covered(b))


def test_a_line_fits_as_label_studio_writes_it_and_is_kept_as_it_is() -> None:
    said = [
        line((0, 0), (50, 50), (100, 0)),
        line((0, 0), (10, 0), (10, 10), id_="r2", closed=True),
        line((0, 0), (1, 1), id_="r3", name="edge"),
    ]
    assert check(CONFIG, said, {}) == (said, [])
    bare = line((1, 2), (3, 4))
    bare["value"]["vertices"] = [{"x": 1, "y": 2}, {"x": 3, "y": 4}]
    assert check(CONFIG, [bare], {}) == ([bare], []), "ids of points may be left out"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (line((0, 0)), "value.vertices"),
        (line((0, 0), (1, 1), closed=True), "value.vertices"),
        (line((0, 0), (1, 1), (2, 2), (3, 3), name="edge"), "value.vertices"),
        (line((0, 0), (1, 1), (2, 2), name="edge", closed=True), "value.closed"),
        (line((0, 0), (101, 1)), "value.vertices.1.x"),
        (line((0, 0), (1, 1), vertices="no"), "value.vertices"),
        (line((0, 0), (1, 1), vertices=[{"x": 0, "y": 0}, 7]), "value.vertices.1"),
        (line((0, 0), (1, 1), vertices=[{"x": 0, "y": 0}, {"x": 1, "y": 1, "isBezier": True}]), "value.vertices.1.isBezier"),
        (
            line((0, 0), (1, 1), vertices=[{"id": "a", "x": 0, "y": 0}, {"id": "b", "x": 1, "y": 1, "prevPointId": "z"}]),
            "value.vertices.1.prevPointId",
        ),
        (line((0, 0), (1, 1), vertices=[{"id": 7, "x": 0, "y": 0}, {"x": 1, "y": 1}]), "value.vertices.0.id"),
        (line((0, 0), (1, 1), vectorlabels=["Canal"]), "value.vectorlabels"),
    ],
)
def test_what_is_no_line_is_refused_by_its_field(wrong: Json, field: str) -> None:
    assert [p["field"] for p in check(CONFIG, [wrong], {})[1]] == [f"result.0.{field}"]


def test_lines_agree_as_strips_of_three_hundredths_of_the_diagonal() -> None:
    flat = line((10, 50), (90, 50))
    away = 100 * 2**0.5 * 0.01  # a hundredth of a square's diagonal, in percent of its side
    assert score(flat, flat) == pytest.approx(1)
    assert score(flat, line((90, 50), (10, 50))) == pytest.approx(1), "which end it was begun at does not matter"
    assert score(flat, line((10, 50), (33, 50), (90, 50))) == pytest.approx(1), "nor do points on the way"
    assert score(flat, line((10, 50 + away), (90, 50 + away))) == pytest.approx(0.5, abs=0.01)
    assert score(flat, line((10, 50), (50, 50))) == pytest.approx(0.5, abs=0.03), "half of it, but for its end"
    assert score(flat, line((10, 60), (90, 60))) == 0
    assert score(flat, line((10, 51), (90, 51)), (1000, 100)) > score(flat, line((10, 51), (90, 51)), (100, 1000)), (
        "by the image's own proportions"
    )
    square = [(10.0, 10.0), (50.0, 10.0), (50.0, 50.0), (10.0, 50.0)]
    half = [(30.0, 10.0), (70.0, 10.0), (70.0, 50.0), (30.0, 50.0)]
    assert score(line(*square, closed=True), line(*half, closed=True)) == pytest.approx(1 / 3, abs=0.02), "closed ones by their areas"


points = st.tuples(st.integers(0, 1000), st.integers(0, 1000)).map(lambda p: (p[0] / 10, p[1] / 10))


@given(st.lists(points, min_size=2, max_size=6), st.lists(points, min_size=2, max_size=6))
def test_agreement_of_lines_is_between_0_and_1_and_the_same_both_ways(a: list[tuple[float, float]], b: list[tuple[float, float]]) -> None:
    one, other = line(*a), line(*b)
    assert 0 <= score(one, other) <= 1 + 1e-9
    assert score(one, other) == pytest.approx(score(other, one))
    assert score(one, one) == pytest.approx(1)


@given(st.lists(points, min_size=3, max_size=6), st.booleans())
def test_lines_leave_and_come_back_as_they_were(a: list[tuple[float, float]], closed: bool) -> None:
    said = [line(*a, closed=closed), line(*a[:2], id_="r2", name="edge")]
    for name in ("labelstudio", "jsonl", "csv", "tsv"):
        assert plain(back(name, picture(said), CONFIG)) == plain(said), name


@pytest.mark.parametrize("name", ["coco", "yolo", "voc", "masks"])
def test_formats_without_lines_say_so(name: str) -> None:
    _, writing = written(name, [picture([line((0, 0), (10, 10))])], CONFIG)
    assert any("“way” (lines)" in sentence for sentence in writing.lost), writing.lost


def test_three_people_who_draw_the_same_road_become_one_and_a_moved_one_is_told_as_moved() -> None:
    roads = [line((10, 50), (90, 50)), line((90, 50.5), (10, 50.2)), line((10, 49.5), (50, 49.8), (90, 50))]
    fused = fuse(CONFIG, [Voice(result=[r]) for r in roads])
    assert len(fused.result) == 1 and fused.result[0]["value"]["vectorlabels"] == ["Road"] and fused.support == 1
    assert agreement(CONFIG, [roads[0]], [roads[2]]) == 1
    (change,) = difference([line((10, 50), (90, 50))], [line((10, 50), (90, 51))])
    assert change.what == "moved" and change.overlap == pytest.approx(0.7, abs=0.2)
    renamed = line((10, 50), (90, 50))
    for n, vertex in enumerate(renamed["value"]["vertices"]):
        vertex["id"], vertex["prevPointId"] = f"x{n}", f"x{n - 1}" if n else None
    assert difference([line((10, 50), (90, 50))], [renamed])[0].what == "same", "what a point is called is no place"
