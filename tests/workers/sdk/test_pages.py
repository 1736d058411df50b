"""Regions on the pages of a document: which page is said, compared, and kept on every way."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workers.sdk.test_label_formats import found, written
from workers.sdk.labels.agreement import agreement
from workers.sdk.labels.config import Label, LabelConfig, LabelControl, LabelObject
from workers.sdk.labels.consensus import Voice, fuse
from workers.sdk.labels.difference import difference
from workers.sdk.labels.formats import FORMATS
from workers.sdk.labels.kept import same
from workers.sdk.labels.results import check
from workers.sdk.labels.travel import Item, Said, Target

Json = dict[str, Any]
CONFIG = LabelConfig(
    objects=(LabelObject(name="pdf", tag="Pdf", value="pdf"),),
    controls=(
        LabelControl(name="box", to="pdf", tag="RectangleLabels", type="rectanglelabels", labels=(Label(value="Sum", color="#1c7ed6"),)),
        LabelControl(name="kind", to="pdf", tag="Choices", type="choices", labels=(Label(value="bill", color="#1c7ed6"),)),
    ),
)


def box(page: Any, id_: str = "b1", x: float = 10) -> Json:
    value = {"x": x, "y": 10, "width": 20, "height": 10, "rotation": 0, "rectanglelabels": ["Sum"]}
    return {"id": id_, "from_name": "box", "to_name": "pdf", "type": "rectanglelabels", "value": value, "item_index": page}


def test_a_region_says_its_page_and_an_answer_is_of_the_whole() -> None:
    answer = {"id": "k", "from_name": "kind", "to_name": "pdf", "type": "choices", "value": {"choices": ["bill"]}}
    said = [box(0), box(7, "b2"), answer]
    assert check(CONFIG, said, {}) == (said, [])
    for wrong in (None, -1, 1.5, True, "1", 10_000):
        assert [p["field"] for p in check(CONFIG, [box(wrong)], {})[1]] == ["result.0.item_index"], wrong


def test_the_same_place_on_another_page_is_another_thing() -> None:
    assert agreement(CONFIG, [box(0)], [box(0)]) == 1 and agreement(CONFIG, [box(0)], [box(1)]) == 0
    assert not same([box(0)], [box(1)])
    assert difference([box(0)], [box(1)])[0].what == "moved"
    assert {c.what for c in difference([box(0)], [box(1, "other")])} == {"added", "removed"}
    fused = fuse(CONFIG, [Voice(result=[box(2)]), Voice(result=[box(2, "c", 11)]), Voice(result=[box(1, "d")])]).result
    assert [one["item_index"] for one in fused] == [2]


@pytest.mark.parametrize("name", ["labelstudio", "jsonl", "csv", "tsv"])
def test_pages_leave_and_come_back(name: str) -> None:
    said = [box(0), box(3, "b2")]
    item = Item(id=7, key="a/bill.pdf", digest="e" * 64, media_type="application/pdf", said=(Said(id="1", result=said),))
    (only,) = found(name, written(name, [item], CONFIG)[0], CONFIG)
    kept, problems = check(CONFIG, only.result(Target()), {})
    assert not problems and only.ref.path == "a/bill.pdf"
    assert [(one["item_index"], one["value"]) for one in kept] == [(one["item_index"], one["value"]) for one in said]


def test_formats_of_pictures_do_not_offer_themselves() -> None:
    assert {name for name, form in FORMATS.items() if form.fits(CONFIG)} == {"labelstudio", "jsonl", "csv", "tsv"}
