"""What an annotation may say, and how far two of them agree."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.sdk.labels.agreement import agreement, of_control
from workers.sdk.labels.config import Label, LabelConfig, LabelControl, LabelObject, from_json
from workers.sdk.labels.reliability import cohen, fleiss, krippendorff
from workers.sdk.labels.results import check
from workers.sdk.labels.shapes import outline, overlap

Json = dict[str, Any]
LABELS = (Label(value="Car", color="#000000"), Label(value="Bus", color="#ffffff"))
CONFIG = LabelConfig(
    objects=(LabelObject(name="image", tag="Image", value="image"), LabelObject(name="text", tag="Text", value="text")),
    controls=(
        LabelControl(name="box", to="image", tag="RectangleLabels", type="rectanglelabels", labels=LABELS),
        LabelControl(name="oval", to="image", tag="EllipseLabels", type="ellipselabels", labels=LABELS),
        LabelControl(name="shape", to="image", tag="PolygonLabels", type="polygonlabels", labels=LABELS),
        LabelControl(name="dot", to="image", tag="KeyPointLabels", type="keypointlabels", labels=LABELS),
        LabelControl(name="span", to="text", tag="Labels", type="labels", labels=LABELS),
        LabelControl(name="kinds", to="image", tag="Choices", type="choices", labels=LABELS, multiple=True),
        LabelControl(name="stars", to="image", tag="Rating", type="rating", maximum=5),
        LabelControl(name="age", to="image", tag="Number", type="number", minimum=0, maximum=10),
        LabelControl(name="note", to="image", tag="TextArea", type="textarea", max_submissions=2),
        LabelControl(name="hidden", to="image", tag="Choices", type="choices", labels=LABELS, per_region=True, required=True),
    ),
)


def region(name: str, id_: str = "r1", **value: Any) -> Json:
    control = CONFIG.control(name)
    assert control
    named = {control.type: ["Car"]} if control.tag.endswith("Labels") and control.type not in value else {}
    return {"id": id_, "from_name": name, "to_name": control.to, "type": control.type, "value": {**value, **named}}


def fields(*result: Json, text: str = "naïve 👍 text", complete: bool = False) -> list[str]:
    return [p["field"] for p in check(CONFIG, list(result), {"text": text}, complete=complete)[1]]


def test_a_config_comes_back_from_json_as_it_was() -> None:
    assert from_json(json.loads(json.dumps(CONFIG.as_json()))) == CONFIG


def test_every_kind_of_region_and_answer_fits_and_keeps_only_what_it_is() -> None:
    said = [
        region("box", "a", x=0, y=0, width=100, height=100, extra="gone"),
        region("oval", "b", x=50, y=50, radiusX=10, radiusY=5, rotation=30),
        region("shape", "c", points=[[0, 0], [10, 0], [10, 10]]),
        region("dot", "d", x=1.5, y=2, width=0.5),
        region("span", "e", start=6, end=8),
        region("kinds", "f", choices=["Car", "Bus"]),
        region("stars", "g", rating=5),
        region("age", "h", number=9.5),
        region("note", "i", text="hm"),
        region("hidden", "a", choices=["Bus"]),
        {"type": "relation", "from_id": "a", "to_id": "b", "direction": "bi"},
    ]
    kept, problems = check(CONFIG, said, {"text": "naïve 👍 text"}, complete=False)
    assert problems == [] and len(kept) == len(said)
    assert "extra" not in kept[0]["value"] and kept[4]["value"]["text"] == "👍" and kept[8]["value"] == {"text": ["hm"]}
    assert check(CONFIG, kept, {"text": "naïve 👍 text"}, complete=False) == (kept, [])


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (region("box", x=0, y=0, width=0, height=1), "result.0.value.width"),
        (region("box", x=50, y=0, width=51, height=1), "result.0.value.width"),
        (region("box", x=float("nan"), y=0, width=1, height=1), "result.0.value.x"),
        (region("box", x=True, y=0, width=1, height=1), "result.0.value.x"),
        (region("box", x=0, y=0, width=1, height=1, rectanglelabels=[]), "result.0.value.rectanglelabels"),
        (region("shape", points=[[0, 0], [1, 1]]), "result.0.value.points"),
        (region("shape", points=[[0, 0], [1, 1], [1, 200]]), "result.0.value.points.2"),
        (region("span", start=3, end=3), "result.0.value.end"),
        (region("span", start=0, end=14), "result.0.value.end"),
        (region("span", start=0.5, end=3), "result.0.value.start"),
        (region("stars", rating=6), "result.0.value.rating"),
        (region("stars", rating=1.5), "result.0.value.rating"),
        (region("age", number="3"), "result.0.value.number"),
        (region("kinds", choices=["Car", "Car"]), "result.0.value.choices"),
        (region("note", text=["a", "b", "c"]), "result.0.value.text"),
        (region("hidden", "nobody", choices=["Car"]), "result.0.id"),
        ({"type": "relation", "from_id": "a", "to_id": "b"}, "result.0.from_id"),
        ({"type": "relation", "from_id": "a", "to_id": "b", "direction": "up"}, "result.0.direction"),
        ("text", "result.0."),
    ],
)
def test_what_does_not_fit_is_named_by_its_field(wrong: Any, field: str) -> None:
    assert fields(wrong)[0] == field


def test_what_is_required_of_every_region_is_asked_for_each() -> None:
    one, two = region("box", "a", x=0, y=0, width=5, height=5), region("box", "b", x=0, y=0, width=5, height=5)
    assert fields(one, two, region("hidden", "a", choices=["Car"]), complete=True) == ["hidden"]
    assert fields(one, region("hidden", "a", choices=["Car"]), complete=True) == []
    assert fields(one, one) == ["result.1.id"]


@given(
    st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x), max_leaves=20)
)
def test_whatever_is_sent_is_answered_with_problems_and_never_an_accident(sent: Any) -> None:
    kept, problems = check(CONFIG, sent, {"text": "a"})
    assert problems or isinstance(kept, list)
    for name in ("box", "span", "kinds", "shape", "note"):
        check(CONFIG, [{**region(name), "value": sent}], {"text": "a"})


def test_outlines_overlap_as_geometry_says() -> None:
    def shape(**value: Any) -> Any:
        return outline({"value": value, "original_width": 200, "original_height": 100})

    square = shape(x=40, y=40, width=20, height=20)
    assert overlap(square, shape(x=50, y=40, width=20, height=20)) == pytest.approx(1 / 3)
    assert overlap(square, shape(x=80, y=80, width=5, height=5)) == 0
    assert overlap(square, shape(x=50, y=50, radiusX=10, radiusY=10)) == pytest.approx(3.14159 / 4, abs=0.01)
    assert overlap(square, shape(points=[[40, 40], [60, 40], [40, 60]])) == pytest.approx(0.5, abs=0.02)
    turned = shape(x=60, y=40, width=10, height=40, rotation=90)
    assert overlap(turned, shape(x=40, y=40, width=20, height=20)) == pytest.approx(1, abs=0.02), "turned in the image's own proportions"


def test_agreement_is_of_what_was_said_and_pairs_each_region_once() -> None:
    box = CONFIG.control("box")
    assert box
    a = [region("box", "a", x=0, y=0, width=10, height=10), region("box", "b", x=50, y=50, width=10, height=10)]
    b = [region("box", "c", x=1, y=0, width=10, height=10), region("box", "d", x=0, y=1, width=10, height=10)]
    assert of_control(box, a, b) == pytest.approx(0.5), "one of two boxes has a partner"
    bus = [{**a[0], "value": {**a[0]["value"], "rectanglelabels": ["Bus"]}}]
    assert of_control(box, a[:1], bus) == 0
    assert agreement(CONFIG, [], []) == 1
    kinds = [region("kinds", choices=["Car", "Bus"])], [region("kinds", choices=["Car"])]
    assert agreement(CONFIG, *kinds) == pytest.approx(0.5)
    stars = [region("stars", rating=1)], [region("stars", rating=3)]
    assert agreement(CONFIG, *stars) == pytest.approx(0.5)
    spans = [region("span", start=0, end=10)], [region("span", start=4, end=10)]
    assert agreement(CONFIG, *spans) == pytest.approx(1)


def test_agreement_beyond_chance_is_as_published() -> None:
    # Krippendorff 2011, the example with gaps (nominal).
    a, b, c = "*****341211 33*3".replace(" ", ""), "1*21334 3*******".replace(" ", ""), "**2134 4*211 33*4".replace(" ", "")
    assert krippendorff([[x for x in answers if x != "*"] for answers in zip(a, b, c, strict=True)]) == pytest.approx(0.691, abs=0.001)
    # Cohen 1960 by way of a 2 × 2 table: 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no.
    assert cohen([("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15) == pytest.approx(0.4)
    # Fleiss 1971's table of ten items, fourteen raters.
    table = [
        (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
        (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
    ]  # fmt: skip
    assert fleiss([[str(c) for c, n in enumerate(counts) for _ in range(n)] for counts in table]) == pytest.approx(0.210, abs=0.001)
    assert cohen([]) is None and krippendorff([["a"]]) is None and krippendorff([["a", "a"]]) is None
    with pytest.raises(ValueError, match="same number"):
        fleiss([["a", "b"], ["a"]])
