"""Masks in a shared draft: whatever two people do at once is there, what no page of ours writes is left out."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycrdt import Doc, Map

from backend.labeling import document, marks
from backend.labeling.schema_xml import read
from workers.sdk.labels import brush
from workers.sdk.labels.brush import Mask
from workers.sdk.labels.config import LabelConfig, from_json

Json = dict[str, Any]
XML = '<View><Image name="image" value="$image"/><BrushLabels name="area" toName="image"><Label value="Rust"/></BrushLabels></View>'
WIDE, HIGH = 31, 17
masks = st.sets(st.integers(0, WIDE * HIGH), max_size=40).map(lambda found: Mask(WIDE, HIGH, tuple(sorted(found)[: len(found) // 2 * 2])))


@pytest.fixture(scope="module")
def config() -> LabelConfig:
    return from_json(read(XML, last_word=False)["config"])


def pixels(mask: Mask) -> set[int]:
    return {pixel for begin, end in zip(mask.edges[::2], mask.edges[1::2], strict=True) for pixel in range(begin, end)}


def entry(mask: Mask) -> Json:
    value = {"format": "rle", "rle": brush.encode(mask), "brushlabels": ["Rust"]}
    about = {"id": "one-region-1", "from_name": "area", "to_name": "image", "type": "brushlabels"}
    return {**about, "original_width": mask.width, "original_height": mask.height, "value": value}


@given(masks, masks)
@settings(deadline=None)
def test_a_mark_makes_one_mask_of_another(before: Mask, after: Mask) -> None:
    data = marks.packed(marks.between(before, after, 7))
    found, last = marks.laid(before, {"a": data})
    assert pixels(found) == pixels(after) and last == 7
    assert pixels(Mask(WIDE, HIGH, tuple(marks.united(before.edges, after.edges)))) == pixels(before) | pixels(after)
    assert pixels(Mask(WIDE, HIGH, tuple(marks.without(before.edges, after.edges)))) == pixels(before) - pixels(after)


def test_it_is_written_as_pages_write_it() -> None:
    """The same bytes stand in `document.test.ts`."""
    mark = marks.Mark(n=3, add=(5, 200, 40_000, 107_999_999), cut=(7, 9))
    assert marks.packed(mark).hex() == "030405c301f8b602bfadbd330702"
    assert marks.read(marks.packed(mark), 108_000_000) == mark and marks.read(marks.packed(mark), 107_999_998) is None


@given(st.binary(max_size=60))
@settings(deadline=None)
def test_any_bytes_are_a_mark_or_none(data: bytes) -> None:
    found = marks.read(data, WIDE * HIGH)
    assert found is None or all(
        list(e) == sorted(set(e)) and len(e) % 2 == 0 and max(e, default=0) <= WIDE * HIGH for e in (found.add, found.cut)
    )


def test_strokes_of_two_merge_and_what_was_submitted_is_in_the_draft(config: LabelConfig) -> None:
    chance = random.Random(5)
    some = [Mask(WIDE, HIGH, tuple(sorted(chance.sample(range(WIDE * HIGH), 8)))) for _ in range(4)]
    doc: Doc[Any] = Doc()
    document.write(doc, config, [entry(some[0])])
    other: Doc[Any] = Doc()
    other.apply_update(doc.get_update())
    for page, key, mark in (
        (doc, "mark:b", marks.Mark(n=1, add=some[1].edges, cut=())),
        (other, "mark:c", marks.Mark(n=1, add=some[2].edges, cut=())),
        (other, "mark:hostile", None),
    ):
        page.get("regions", type=Map)["one-region-1"][key] = marks.packed(mark) if mark else b"\xff" * 30
    doc.apply_update(other.get_update())
    other.apply_update(doc.get_update())
    (seen,), (same,) = document.read(doc), document.read(other)
    assert seen == same and pixels(brush.mask_of(seen)) == pixels(some[0]) | pixels(some[1]) | pixels(some[2])

    # What was submitted is written back as one more stroke; written again it changes nothing.
    update = document.write(doc, config, [entry(some[3])])
    assert pixels(brush.mask_of(document.read(doc)[0])) == pixels(some[3]) and len(update) < 500
    assert document.write(doc, config, [entry(some[3])]) == document.EMPTY


def test_a_draft_from_before_marks_goes_on(config: LabelConfig) -> None:
    old, new = Mask(WIDE, HIGH, (3, 9)), Mask(WIDE, HIGH, (3, 9, 40, 50))
    doc: Doc[Any] = Doc()
    held = {f"said:{k}": v for k, v in entry(old)["value"].items() if k != "brushlabels"}
    name = {"id": "one-region-1", "from_name": "area", "to_name": "image", "type": "brushlabels", "labels": ["Rust"]}
    doc.get("regions", type=Map)["one-region-1"] = Map(
        {"name": name, **held, "also:original_width": float(WIDE), "also:original_height": float(HIGH), "order": 0.0}
    )
    document.write(doc, config, [entry(new)])
    assert pixels(brush.mask_of(document.read(doc)[0])) == pixels(new)


def test_key_frames_of_two_merge_and_a_list_of_them_goes_on() -> None:
    """Two who correct one track at different frames; before, one of them had worked for nothing."""
    xml = (
        '<View><Video name="film" value="$film"/><VideoRectangle name="box" toName="film"/>'
        '<Labels name="what" toName="film"><Label value="Car"/></Labels></View>'
    )
    track = from_json(read(xml, last_word=False)["config"])

    def region(**at: int) -> Json:
        keys = [
            {"frame": int(f[1:]), "enabled": True, "rotation": 0, "x": x, "y": 1, "width": 5, "height": 5, "time": 0.5}
            for f, x in at.items()
        ]
        value = {"framesCount": 100, "duration": 4, "sequence": keys, "labels": ["Car"]}
        return {"id": "the-track-1", "from_name": "box", "to_name": "film", "type": "videorectangle", "value": value}

    def frames(doc: Doc[Any]) -> dict[int, int]:
        return {key["frame"]: key["x"] for one in document.read(doc) for key in one["value"]["sequence"]}

    one: Doc[Any] = Doc()
    two: Doc[Any] = Doc()
    fields = document._fields(region(f1=1, f20=1))
    listed = {name: value for name, value in fields.items() if not name.startswith("key:")}
    regions = one.get("regions", type=Map)
    regions["the-track-1"] = Map({**listed, "said:sequence": [fields["key:1"], fields["key:20"]], "order": 1.0})
    assert frames(one) == {1: 1, 20: 1}, "a draft of before key frames were fields of their own"
    document.write(one, track, [region(f1=1, f20=1, f40=1)])
    two.apply_update(one.get_update())
    assert document.read(two) == document.read(one) == [region(f1=1, f20=1, f40=1)]
    document.write(one, track, [region(f1=1, f10=7, f20=8, f40=1)])
    document.write(two, track, [region(f1=1, f20=1, f30=9)])
    two.apply_update(one.get_update())
    one.apply_update(two.get_update())
    assert frames(one) == frames(two) == {1: 1, 10: 7, 20: 8, 30: 9}
    for key in ("key:1", "key:10", "key:20", "key:30"):
        del regions["the-track-1"][key]
    assert document.read(one) == [], "each took away what the other had left"
