"""Labels that go out in a format and come in again are the same, in every format, as far as it says that it holds them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.sdk.labels import raster
from workers.sdk.labels.config import Label, LabelConfig, LabelControl, LabelObject
from workers.sdk.labels.formats import FORMATS
from workers.sdk.labels.results import Misfit, check
from workers.sdk.labels.shapes import outline
from workers.sdk.labels.travel import BadFile, Found, Item, Said, Target, Writing

Json = dict[str, Any]
WIDTH, HEIGHT = 64, 48
AWKWARD = ["Head", "Tail of it", 'a "quoted" one', "ünï, cödé; <b>&", "=1+1", "{brace"]


def labels(*values: str) -> tuple[Label, ...]:
    return tuple(Label(value=v, color="#1c7ed6") for v in values)


def control(tag: str, type_: str, *values: str, to: str = "image", name: str = "", **fields: Any) -> LabelControl:
    return LabelControl(name=name or type_, to=to, tag=tag, type=type_, labels=labels(*values), **fields)


PICTURE = LabelConfig(
    objects=(LabelObject(name="image", tag="Image", value="picture"),),
    controls=(
        control("RectangleLabels", "rectanglelabels", *AWKWARD),
        control("PolygonLabels", "polygonlabels", *AWKWARD[:2], "Patch"),
        control("EllipseLabels", "ellipselabels", "Disc"),
        control("KeyPointLabels", "keypointlabels", "Eye", "Ear"),
        control("Rectangle", "rectangle"),
        control("Choices", "choices", "cat", "dog", "{odd", multiple=True),
        control("Rating", "rating", maximum=5),
        control("Number", "number", name="weight"),
        control("TextArea", "textarea", name="note"),
        control("TextArea", "textarea", name="status", per_region=True),
    ),
)
TEXT = LabelConfig(
    objects=(LabelObject(name="text", tag="Text", value="review"),),
    controls=(control("Labels", "labels", "Place name", "Person", to="text"), control("Choices", "choices", "good", "bad", to="text")),
)


class Files:
    """Files in memory, as an import sees an archive."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files, self.names = files, list(files)

    def open(self, name: str) -> IO[bytes]:
        return io.BytesIO(self.files[name])

    def read(self, name: str, most: int) -> bytes:
        if len(self.files[name]) > most:
            raise BadFile(name, "The file is too large.")
        return self.files[name]


def written(name: str, items: list[Item], config: LabelConfig) -> tuple[dict[str, bytes], Writing]:
    writing = Writing(config=config)
    return {path: b"".join(pieces) for path, pieces in FORMATS[name].write(iter(items), writing)}, writing


def found(name: str, files: dict[str, bytes], config: LabelConfig) -> list[Found]:
    return list(FORMATS[name].read(Files(files), config))


def picture(result: list[Json], key: str = "a/b c.one.png", **fields: Any) -> Item:
    said = (Said(id="1", result=result, author="ann@lab.example", created_at="2026-01-02T03:04:05+00:00", seconds=2.5),)
    return Item(
        **{"id": 7, "key": key, "digest": "d" * 64, "media_type": "image/png", "width": WIDTH, "height": HEIGHT, "said": said, **fields}
    )


def text(words: str, result: list[Json], key: str = "1") -> Item:
    return Item(
        id=7, key=key, digest="e" * 64, media_type="application/json", data={"review": words}, shown=lambda: {"text": words},
        said=(Said(id="1", result=result),),
    )  # fmt: skip


def one(type_: str, value: Json, id_: str = "r1", name: str = "", to: str = "image") -> Json:
    return {"id": id_, "from_name": name or type_, "to_name": to, "type": type_, "value": value}


def back(name: str, item: Item, config: LabelConfig) -> list[Json]:
    """A result after the way out and in, checked against the schema as every import is."""
    files, _ = written(name, [item], config)
    (only,) = found(name, files, config)
    stem = item.stem
    assert only.ref.path in (item.key, stem) or only.ref.text, only.ref
    kept, problems = check(config, only.result(Target(width=item.width, height=item.height, shown=item.shown)), item.shown())
    assert not problems, problems
    return kept


def plain(result: list[Json]) -> list[Json]:
    """What a result says, without the names of its regions and the size of the image, which a format may add."""
    return sorted(({k: r[k] for k in ("from_name", "type", "value")} for r in result if r["type"] != "relation"), key=json.dumps)


# -- what people draw ------------------------------------------------------------------------------------------------------

percent = st.integers(0, 1_000_000).map(lambda n: n / 10_000)
size = st.integers(1, 500_000).map(lambda n: n / 10_000)


@st.composite
def boxes(draw: Any, n: int, type_: str = "rectanglelabels", rotation: bool = False) -> Json:
    x, y, w, h = draw(size), draw(size), draw(size), draw(size)
    value = {"x": x, "y": y, "width": w, "height": h, "rotation": draw(st.sampled_from([0, 0, 33.5])) if rotation else 0}
    label = {type_: [draw(st.sampled_from(AWKWARD))]} if type_ == "rectanglelabels" else {}
    return one(type_, {**value, **label}, f"b{n}")


@st.composite
def polygons(draw: Any, n: int) -> Json:
    points = [[draw(percent), draw(percent)] for _ in range(draw(st.integers(3, 7)))]
    return one(
        "polygonlabels", {"points": points, "closed": True, "polygonlabels": [draw(st.sampled_from([*AWKWARD[:2], "Patch"]))]}, f"p{n}"
    )


@st.composite
def points(draw: Any, n: int) -> Json:
    return one(
        "keypointlabels", {"x": draw(percent), "y": draw(percent), "keypointlabels": [draw(st.sampled_from(["Eye", "Ear"]))]}, f"k{n}"
    )


@st.composite
def anything(draw: Any) -> list[Json]:
    """Every kind of answer that a picture may have."""
    result = [draw(boxes(n, rotation=True)) for n in range(draw(st.integers(0, 3)))]
    result += [draw(polygons(n)) for n in range(draw(st.integers(0, 2)))] + [draw(points(n)) for n in range(draw(st.integers(0, 2)))]
    result.append(one("ellipselabels", {"x": 50, "y": 50, "radiusX": 10.5, "radiusY": 3, "rotation": 12, "ellipselabels": ["Disc"]}, "e"))
    result.append(one("textarea", {"text": [draw(st.sampled_from(["x", " blank ", "[1", 'q"\n\t,']))]}, "e", "status"))
    answers = [
        one("choices", {"choices": draw(st.sampled_from([["cat"], ["cat", "dog"], ["{odd"]]))}, "c"),
        one("rating", {"rating": draw(st.integers(1, 5))}, "s"),
        one("number", {"number": draw(st.sampled_from([-3, 2.5, 1e-9]))}, "n", "weight"),
        one("textarea", {"text": draw(st.sampled_from([["one"], ["3"], ["{"], ["a", "b\r\n"], [" x"]]))}, "t", "note"),
    ]
    result += [a for a in answers if draw(st.booleans())]
    if len(result) > 3 and draw(st.booleans()):
        result.append({"type": "relation", "from_id": result[0]["id"], "to_id": "e", "direction": "bi", "labels": ["on"]})
    return result


@pytest.mark.parametrize("name", ["labelstudio", "jsonl", "csv", "tsv"])
@settings(max_examples=40, deadline=None)
@given(result=anything())
def test_what_holds_everything_gives_everything_back(name: str, result: list[Json]) -> None:
    kept, problems = check(PICTURE, result, {})
    assert not problems
    again = back(name, picture(kept), PICTURE)
    if name in ("labelstudio", "jsonl"):
        assert again == kept
    assert plain(again) == plain(kept)
    assert [r for r in again if r["type"] == "relation"] == [r for r in kept if r["type"] == "relation"]
    names = [{r["id"] for r in some if "x" in r.get("value", {})} for some in (again, kept)]
    assert names[0] == names[1], "regions keep their names, which attributes and relations use"


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_coco_gives_boxes_polygons_and_key_points_back(data: st.DataObject) -> None:
    result = [data.draw(boxes(n)) for n in range(2)] + [data.draw(polygons(0)), data.draw(points(0)), data.draw(boxes(3, "rectangle"))]
    assert plain(back("coco", picture(result), PICTURE)) == plain(result)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_yolo_gives_boxes_and_polygons_back(data: st.DataObject) -> None:
    result = [data.draw(boxes(n)) for n in range(2)] + [data.draw(polygons(0))]
    assert plain(back("yolo", picture(result), PICTURE)) == plain(result)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_pascal_voc_gives_boxes_back(data: st.DataObject) -> None:
    result = [data.draw(boxes(n)) for n in range(3)]
    assert plain(back("voc", picture(result), PICTURE)) == plain(result)


def mask(result: list[Json]) -> np.ndarray[Any, Any]:
    files, _ = written("masks", [picture(result)], PICTURE)
    return raster.pixels(files["masks/a/b c.one.png"], WIDTH, HEIGHT)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_masks_give_the_same_pixels_back(data: st.DataObject) -> None:
    result = [data.draw(polygons(n)) for n in range(3)]
    again = back("masks", picture(result), PICTURE)
    assert np.array_equal(mask(again), mask(result)), "painting what was read from a mask gives that mask"


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**81 - 1))
def test_every_patch_of_pixels_is_traced_and_painted_the_same(width: int, height: int, bits: int) -> None:
    """Holes, islands in holes, and pixels that meet at a corner."""
    wanted = np.array([[bits >> (y * 9 + x) & 1 for x in range(width)] for y in range(height)], dtype=np.uint8)
    painted = np.zeros_like(wanted)
    for n, polygon in enumerate(raster.trace(wanted), start=1):
        patch = np.zeros_like(wanted)
        raster.fill(patch, polygon, 1)
        assert not (patch & painted).any(), f"patch {n} lies over another"
        painted |= patch
    assert np.array_equal(painted, wanted)


WORDS = st.text(alphabet="ab -.\n%é\U0001f600_", min_size=1, max_size=30)


@settings(max_examples=150, deadline=None)
@given(WORDS, st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.sampled_from(["Place name", "Person"])), max_size=3))
def test_conll_gives_spans_back_as_far_as_they_do_not_overlap(words: str, places: list[tuple[int, int, str]]) -> None:
    units = words.encode("utf-16-le")
    result = []
    for n, (start, end, label) in enumerate(sorted(places)):
        cut = units[2 * start : 2 * end].decode("utf-16-le", "replace")
        whole = cut and cut == cut.strip() and "�" not in cut and 2 * end <= len(units)
        if whole and all(end <= r["value"]["start"] or start >= r["value"]["end"] for r in result):
            result.append(one("labels", {"start": start, "end": end, "labels": [label], "text": cut}, f"s{n}", to="text"))
    again = back("conll", text(words, result, "a key.txt"), TEXT)
    assert plain(again) == plain(result)


def test_what_a_format_has_no_place_for_is_counted_in_words() -> None:
    turned = one("rectanglelabels", {"x": 20, "y": 20, "width": 30, "height": 10, "rotation": 45, "rectanglelabels": ["Head", "{brace"]})
    disc = one("ellipselabels", {"x": 50, "y": 50, "radiusX": 10, "radiusY": 3, "rotation": 0, "ellipselabels": ["Disc"]}, "e")
    eye = one("keypointlabels", {"x": 1, "y": 2, "keypointlabels": ["Eye"]}, "k")
    rest = [one("choices", {"choices": ["cat"]}, "c"), {"type": "relation", "from_id": "r1", "to_id": "e", "direction": "right"}]
    item = picture([turned, disc, eye, *rest])
    for name, losses in {
        "coco": {"ellipses and no turned boxes": 3, "“choices” (choices)": 1, "relations": 1, "one label a region": 1},
        "yolo": {"ellipses and no turned boxes": 3, "“choices” (choices)": 1, "key points": 1},
        "voc": {"upright boxes only": 3, "“choices” (choices)": 1, "key points": 1},
        "masks": {"pixels of a class": 3, "“choices” (choices)": 1, "key points": 1},
        "labelstudio": {}, "jsonl": {}, "csv": {}, "tsv": {},
    }.items():  # fmt: skip
        files, writing = written(name, [item], PICTURE)
        for words, count in losses.items():
            assert [n for sentence, n in writing.lost.items() if words in sentence] == [count], (name, words, writing.lost)
        if not losses:
            assert not writing.lost and plain(back(name, item, PICTURE)) == plain(item.said[0].result)
    outlined, boxed = back("coco", picture([turned]), PICTURE)
    assert outlined["type"] == "polygonlabels" and outline(outlined) and len(outlined["value"]["points"]) == 4
    assert boxed["type"] == "rectanglelabels", "where the schema has no polygons of this label, the box around it"
    two = picture([], said=(Said(id="1", result=[]), Said(id="2", result=[disc], truth=True), Said(id="3", result=[])))
    files, writing = written("coco", [two], PICTURE)
    assert writing.lost["COCO holds one annotation of an item: the ground truth, else the newest."] == 2
    assert len(json.loads(files["labels.json"])["annotations"]) == 1, "the ground truth went out"
    (only,) = found("jsonl", written("jsonl", [two], PICTURE)[0], PICTURE)
    assert only.more == 2 and len(only.result(Target())) == 1


def everything() -> Iterator[tuple[str, dict[str, bytes], str, str]]:
    """(Format, files that are broken, where, what) of files as they come from outside."""
    yield "labelstudio", {"a.json": b'[\n{"data": {}, "annotations": []},\n{"data": {}, "annotations": [}\n]'}, "a.json, line 3", "no JSON"
    yield "labelstudio", {"a.json": b'{"data": {"image": "x"}}'}, "a.json, line 1", "list of Label Studio's tasks"
    yield "labelstudio", {"a.json": b'[{"data": {}, "annotations": [{"result": 3}]}]'}, "a.json, line 1", "no list of results"
    yield "labelstudio", {"a.json": b"[" * 100_000}, "a.json, line 1", "nested too deeply"
    yield "labelstudio", {"a.json": b'[{"data": {"n": NaN}}]'}, "a.json, line 1", "NaN"
    yield "labelstudio", {"a.json": b'[{"data": {"n": 1' + b"0" * 99 + b"}}]"}, "a.json, line 1", "30 digits"
    yield "labelstudio", {"a.json": b'["\xff"]'}, "a.json, line 1", "not UTF-8"
    yield "labelstudio", {"a.json": b"[1, 2"}, "a.json, line 1", "list of Label Studio's tasks"
    yield "labelstudio", {"a.json": b""}, "a.json, line 1", "neither a list"
    yield "labelstudio", {"a.json": b"[]", "b.json": b"[]"}, "the archive", "2 .json files"
    yield "jsonl", {"a.jsonl": b'{"item": "x", "annotations": []}\n{"item": 3}\n'}, "a.jsonl, line 2", "names no item"
    yield "jsonl", {"a.jsonl": b'\n{"item": "x", "annotations": [}'}, "a.jsonl, line 2", "no JSON"
    yield "csv", {"a.csv": b"item,colour\nx,y\n"}, "a.csv, line 1", "No column is a control"
    yield "csv", {"a.csv": b"choices\nx\n"}, "a.csv, line 1", "which item"
    yield "csv", {"a.csv": b"item,choices\nx,cat\ny\n"}, "a.csv, line 3", "1 cells"
    yield "csv", {"a.csv": b'item,choices\nx,"cat\n'}, "a.csv, line 2", "no CSV"
    yield "csv", {"a.csv": b"item,rating\nx,many\n"}, "a.csv, line 2, rating", "no JSON"
    yield "csv", {"a.csv": b'item,rectanglelabels\nx,"[{]"\n'}, "a.csv, line 2, rectanglelabels", "no JSON"
    yield "coco", {"a.json": b'{"images": [{"id": 1, "file_name": "a", "width": 0, "height": 4}]}'}, "a.json, line 1, width", "pixels"
    yield "coco", {"a.json": b'{"images": [],\n"annotations": [3]}'}, "a.json, line 2, annotations", "no object"
    yield "coco", {"a.json": b'{"annotations": []}'}, "a.json", "no images"
    yield (
        "coco",
        {
            "a.json": json.dumps(
                {"images": [{"id": 1, "file_name": "a", "width": 1, "height": 1}], "annotations": [{"image_id": 2}]}
            ).encode()
        },
        "a.json, line 1, image_id",
        "no image 2",
    )
    yield "yolo", {"labels/a.txt": b"0 0 0 0 0"}, "the archive", "names the classes"
    yield "yolo", {"data.yaml": b"names: [", "labels/a.txt": b""}, "data.yaml, line 1", "no YAML"
    yield "yolo", {"data.yaml": b"names: {1: a}", "labels/a.txt": b""}, "data.yaml, names", "from 0 on"
    yield "voc", {"a.xml": b"<annotation>\n<object>\n</annotation>"}, "a.xml, line 3", "well-formed"
    yield "voc", {"a.xml": b'<!DOCTYPE a [<!ENTITY b "bbb">]>\n<annotation/>'}, "a.xml, line 1", "entities"
    yield "voc", {"a.xml": b"<html/>"}, "a.xml, line 1", "begins with"
    yield "voc", {"a.xml": b"<annotation>" + b"<a>" * 50}, "a.xml, line 1", "too deeply"
    yield "masks", {"masks/a.png": b""}, "the archive", "classes.json"
    yield "masks", {"classes.json": b'[{"value": 1, "label": "a"}, {"value": 1, "label": "b"}]'}, "classes.json, 1", "no class"


@pytest.mark.parametrize(("name", "files", "where", "what"), list(everything()))
def test_a_broken_file_is_told_by_its_place(name: str, files: dict[str, bytes], where: str, what: str) -> None:
    with pytest.raises(BadFile) as refused:
        found(name, files, PICTURE)
    assert refused.value.where == where and what in refused.value.message, str(refused.value)


def test_a_broken_text_file_is_told_by_its_line() -> None:
    for body, where, what in (
        (b"Rome -X- _ B-Place_name\nthere\n", "a.conll, line 2", "one column"),
        (b"Rome B-Town\n", "a.conll, line 1, tag", "“Town” is no label"),
        (b"\xff\n", "a.conll, line 1", "UTF-8"),
    ):
        with pytest.raises(BadFile) as refused:
            found("conll", {"a.conll": body}, TEXT)
        assert refused.value.where == where and what in refused.value.message


def test_what_does_not_fit_its_item_is_told_by_member_line_and_field() -> None:
    def refusal(name: str, files: dict[str, bytes], target: Target | None = None) -> Misfit:
        (only,) = found(name, files, PICTURE)
        with pytest.raises(Misfit) as refused:
            only.result(target or Target(width=WIDTH, height=HEIGHT))
        return refused.value

    unknown = refusal("yolo", {"classes.txt": b"Head\nWing\n", "labels/a.txt": b"0 .5 .5 .1 .1\n1 .5 .5 .1 .1\n"})
    assert unknown.field == "line 2, label" and "Wing" in unknown.message and "Head" in unknown.expected
    assert "no class" in refusal("yolo", {"classes.txt": b"Head\n", "labels/a.txt": b"7 .5 .5 .1 .1\n"}).message
    assert "6 numbers" in refusal("yolo", {"classes.txt": b"Head\n", "labels/a.txt": b"0 .5 .5 .1 .1 .9\n"}).message
    assert "nan" in refusal("yolo", {"classes.txt": b"Head\n", "labels/a.txt": b"0 nan .5 .1 .1\n"}).message
    voc = b"<annotation><size><width>9</width><height>9</height></size>\n<object>\n<name>Wing</name><bndbox><xmin>0</xmin><ymin>0</ymin>"
    told = refusal("voc", {"a.xml": voc + b"<xmax>4</xmax><ymax>4</ymax></bndbox></object></annotation>"})
    assert told.field == "line 2, object, label" and "Wing" in told.message
    assert refusal("voc", {"a.xml": voc + b"</bndbox></object></annotation>"}).field == "line 2, object, xmax"
    large = io.BytesIO()
    from PIL import Image

    Image.new("L", (4000, 2500)).save(large, "PNG")
    listed = b'[{"value": 1, "label": "Patch"}]'
    told = refusal("masks", {"classes.json": listed, "masks/a.png": large.getvalue()})
    assert told.field == "size" and "4,000 × 2,500" in told.message, "ten million pixels are not decoded for a small picture"
    assert refusal("masks", {"classes.json": listed, "masks/a.png": b"\x89PNG\r\n\x1a\nxxxx"}).field == "mask"
    for body in (
        {"category_id": 9, "bbox": [0, 0, 1, 1]},
        {"category_id": 1, "bbox": [0, 0, "1", 1]},
        {"category_id": 1, "segmentation": {"counts": []}},
    ):
        file = {"images": [{"id": 1, "file_name": "a", "width": 9, "height": 9}], "categories": [{"id": 1, "name": "Head"}],
                "annotations": [{"image_id": 1, **body}]}  # fmt: skip
        told = refusal("coco", {"a.json": json.dumps(file).encode()})
        assert told.field.startswith("a.json, line 1, ") and told.field.rpartition(" ")[2] in body
