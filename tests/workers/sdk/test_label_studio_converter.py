"""Files of Label Studio's own converter are read here, and our export is read by it: the same boxes, polygons, spans and answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.workers.sdk.test_label_formats import HEIGHT, WIDTH, found, one, picture, text, written
from workers.sdk.labels.config import Label, LabelConfig, LabelControl, LabelObject
from workers.sdk.labels.travel import Item, Target

PICTURES = """<View><Image name="image" value="$picture"/>
  <RectangleLabels name="box" toName="image"><Label value="Head"/><Label value="Tail"/></RectangleLabels>
  <PolygonLabels name="shape" toName="image"><Label value="Body"/></PolygonLabels></View>"""
TEXTS = """<View><Text name="text" value="$review"/>
  <Labels name="part" toName="text"><Label value="Place"/></Labels>
  <Choices name="mood" toName="text"><Choice value="good"/><Choice value="bad"/></Choices></View>"""


def made(tag: str, type_: str, name: str, to: str, *values: str) -> LabelControl:
    return LabelControl(name=name, to=to, tag=tag, type=type_, labels=tuple(Label(value=v, color="#1c7ed6") for v in values))


PICTURE = LabelConfig(
    objects=(LabelObject(name="image", tag="Image", value="picture"),),
    controls=(
        made("RectangleLabels", "rectanglelabels", "box", "image", "Head", "Tail"),
        made("PolygonLabels", "polygonlabels", "shape", "image", "Body"),
    ),
)
TEXT = LabelConfig(
    objects=(LabelObject(name="text", tag="Text", value="review"),),
    controls=(made("Labels", "labels", "part", "text", "Place"), made("Choices", "choices", "mood", "text", "good", "bad")),
)


def converted(tmp_path: Path, xml: str, items: list[Item], config: LabelConfig, name: str) -> dict[str, bytes]:
    """Our export as Label Studio JSON, through their converter."""
    from label_studio_sdk.converter import Converter

    (files, _) = written("labelstudio", items, config)
    tasks = json.loads(files["labels.json"])
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for task in tasks:
        if "picture" in task["data"]:
            path = pictures / Path(task["data"]["picture"]).name
            Image.new("RGB", (WIDTH, HEIGHT)).save(path)
            task["data"]["picture"] = str(path)
    source, out = tmp_path / "in.json", tmp_path / "out"
    source.write_text(json.dumps(tasks))
    converter = Converter(xml, str(tmp_path), download_resources=False)
    getattr(converter, f"convert_to_{name}")(str(source), str(out), is_dir=False, **({"sep": ","} if name == "csv" else {}))
    return {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()}


@pytest.mark.parametrize("name", ["coco", "yolo", "voc"])
def test_pictures_by_their_converter_are_read_here(tmp_path: Path, name: str) -> None:
    value = {"x": 25, "y": 50, "width": 12.5, "height": 25, "rotation": 0, "rectanglelabels": ["Tail"]}
    result = [{**one("rectanglelabels", value, name="box"), "original_width": WIDTH, "original_height": HEIGHT}]
    if name != "voc":
        body = {"points": [[0, 0], [50, 0], [50, 75]], "closed": True, "polygonlabels": ["Body"]}
        result.append({**one("polygonlabels", body, "p", "shape"), "original_width": WIDTH, "original_height": HEIGHT})
    files = converted(tmp_path, PICTURES, [picture(result, "a/b.png")], PICTURE, name)
    files = {("classes.txt" if n.endswith("classes.txt") else n): data for n, data in files.items() if not n.startswith("images/")}
    if name == "coco":
        files = {"result.json": files["result.json"]}
    (only,) = found(name, files, PICTURE)
    assert Path(only.ref.path).stem == "b"
    values = [(r["from_name"], r["value"]) for r in only.result(Target(width=WIDTH, height=HEIGHT))]
    assert values == [(r["from_name"], r["value"]) for r in result]


def test_texts_by_their_converter_are_read_here(tmp_path: Path) -> None:
    words = "We saw Rome, and left."
    span: dict[str, Any] = {"start": 7, "end": 11, "labels": ["Place"]}
    result = [one("labels", span, name="part", to="text"), one("choices", {"choices": ["good"]}, "c", "mood", "text")]
    item = text(words, result)
    files = converted(tmp_path, TEXTS, [item], TEXT, "conll2003")
    (only,) = found("conll", {"result.conll": files["result.conll"]}, TEXT)
    assert only.ref.text == "".join(words.split())
    assert [r["value"] for r in only.result(Target(shown=item.shown))] == [span]


def test_answers_in_their_csv_are_read_here(tmp_path: Path) -> None:
    words = "We saw Rome, and left."
    span: dict[str, Any] = {"start": 7, "end": 11, "labels": ["Place"]}
    result = [one("labels", span, name="part", to="text"), one("choices", {"choices": ["good"]}, "c", "mood", "text")]
    files = converted(tmp_path, TEXTS, [text(words, result)], TEXT, "csv")
    (only,) = found("csv", {"a.csv": files["result.csv"]}, TEXT)
    assert only.ref.data == {"review": words}
    assert [r["value"] for r in only.result(Target())] == [span, {"choices": ["good"]}]
