"""Pascal VOC: an XML file a picture with upright boxes, as pixels of their corners counted from 0; a place between two pixels keeps its
decimals. Read with expat itself, which gives lines and is told to refuse entities."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from xml.parsers import expat
from xml.sax.saxutils import escape

from workers.sdk.labels import classes as c
from workers.sdk.labels.config import LabelConfig
from workers.sdk.labels.results import Misfit
from workers.sdk.labels.shapes import outline
from workers.sdk.labels.travel import BadFile, Format, Found, Item, Json, Member, Ref, Source, Target, Writing

TITLE = "Pascal VOC"
BOUNDS = "Pascal VOC has upright boxes only: other shapes go out as the box around them."
NO_SIZE = "A picture whose size is unknown is left out: Pascal VOC counts in pixels."
SMALL = 4 * 1024 * 1024
DEEPEST = 12
CORNERS = ("xmin", "ymin", "xmax", "ymax")


def write(items: Iterable[Item], writing: Writing) -> Iterator[Member]:
    for item in items:
        if not item.width or not item.height:
            writing.lost[NO_SIZE] += 1
            continue
        objects = [
            _object(label, _corners(one, control.type, (item.width, item.height), writing))
            for control, one, label in c.carried(writing.one(item, TITLE), writing, TITLE, c.SHAPES)
        ]
        path = PurePosixPath(item.key)
        head = (
            f"<annotation>\n  <folder>{escape(str(path.parent))}</folder>\n  <filename>{escape(path.name)}</filename>\n"
            f"  <path>{escape(item.key)}</path>\n  <size><width>{item.width}</width><height>{item.height}</height><depth>3</depth></size>\n"
            "  <segmented>0</segmented>\n"
        )
        yield f"Annotations/{item.stem}.xml", [(head + "".join(objects) + "</annotation>\n").encode()]


def _corners(one: Json, kind: str, size: tuple[int, int], writing: Writing) -> list[float]:
    if kind not in c.BOXES or c.turned(one):
        writing.lost[BOUNDS] += 1
    points = outline({**one, "original_width": size[0], "original_height": size[1]}) or ()
    xs = [min(max(x, 0), 100) * size[0] / 100 for x, _ in points]
    ys = [min(max(y, 0), 100) * size[1] / 100 for _, y in points]
    return [min(xs), min(ys), max(xs), max(ys)]


def _object(label: str, corners: list[float]) -> str:
    bounds = "".join(f"<{tag}>{at:.12g}</{tag}>" for tag, at in zip(CORNERS, corners, strict=True))
    return (
        f"  <object>\n    <name>{escape(label)}</name>\n    <pose>Unspecified</pose><truncated>0</truncated><difficult>0</difficult>\n"
        f"    <bndbox>{bounds}</bndbox>\n  </object>\n"
    )


def read(source: Source, config: LabelConfig) -> Iterator[Found]:
    for name in source.names:
        if not name.lower().endswith(".xml"):
            continue
        told = _Reader(name).read(source.read(name, SMALL))
        path = told.path or PurePosixPath(told.folder.strip("./"), told.filename).as_posix() if told.filename else told.path
        stem = name.removeprefix("Annotations/").rsplit(".", 1)[0]
        ref = Ref(path=path.replace("\\", "/")) if path else Ref(path=stem, stem=True)
        yield Found(where=name, ref=ref, result=_Result(config, told))


@dataclass(kw_only=True)
class _Box:
    line: int
    name: str = ""
    corners: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class _Told:
    folder: str = ""
    filename: str = ""
    path: str = ""
    size: dict[str, str] = field(default_factory=dict)
    boxes: list[_Box] = field(default_factory=list)


class _Reader:
    """One file: `annotation` with `size` and `object`s, whatever else they hold."""

    def __init__(self, name: str) -> None:
        self._name, self._told = name, _Told()
        self._open: list[str] = []
        self._text: list[str] = []
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler, self._parser.EndElementHandler = self._start, self._end
        self._parser.CharacterDataHandler = self._text.append
        self._parser.StartDoctypeDeclHandler = self._parser.EntityDeclHandler = self._refuse

    def read(self, data: bytes) -> _Told:
        try:
            self._parser.Parse(data, True)
        except expat.ExpatError as e:
            told = expat.errors.messages[e.code]
            raise BadFile(f"{self._name}, line {e.lineno}", f"This is no well-formed XML: {told}.", "every tag closed") from None
        return self._told

    def _where(self) -> str:
        return f"{self._name}, line {self._parser.CurrentLineNumber}"

    def _refuse(self, *_: object) -> None:
        raise BadFile(self._where(), "The file declares a document type or entities.", "XML without <!DOCTYPE …>")

    def _start(self, tag: str, _: dict[str, str]) -> None:
        if not self._open and tag != "annotation":
            raise BadFile(self._where(), f"The file begins with <{tag[:40]}>.", "<annotation>")
        self._open.append(tag)
        if len(self._open) > DEEPEST:
            raise BadFile(self._where(), "Tags are nested too deeply.", f"at most {DEEPEST} deep")
        if self._open == ["annotation", "object"]:
            self._told.boxes.append(_Box(line=self._parser.CurrentLineNumber))
        self._text.clear()

    def _end(self, tag: str) -> None:
        text, place = "".join(self._text).strip(), self._open[1:]
        self._text.clear()
        self._open.pop()
        told = self._told
        if place in (["folder"], ["filename"], ["path"]):
            setattr(told, tag, text)
        elif place[:1] == ["size"] and len(place) == 2:
            told.size[tag] = text
        elif place == ["object", "name"]:
            told.boxes[-1].name = text
        elif place[:2] == ["object", "bndbox"] and len(place) == 3:
            told.boxes[-1].corners[tag] = text


class _Result:
    def __init__(self, config: LabelConfig, told: _Told) -> None:
        self._config, self._told = config, told

    def __call__(self, target: Target) -> list[Json]:
        width, height = (_number(self._told.size.get(side, ""), f"size, {side}") for side in ("width", "height"))
        if not 0 < width < 10**6 or not 0 < height < 10**6:
            raise Misfit("size", "The size of the picture is missing.", "<size><width>…</width><height>…</height></size>")
        found = []
        for n, box in enumerate(self._told.boxes):
            try:
                left, top, right, bottom = (_number(box.corners.get(tag, ""), tag) for tag in CORNERS)
                control = c.taker(self._config, box.name, c.BOXES, c.POLYGONS)
                size = (width, height)
                corners = ((left, top), (right, top), (right, bottom), (left, bottom))
                upright = control.type in c.BOXES
                place = c.box(left, top, right - left, bottom - top, size) if upright else c.polygon(corners, size)
                found.append(c.region(control, f"voc-{n}", box.name, place, (round(width), round(height))))
            except Misfit as e:
                raise Misfit(f"line {box.line}, object, {e.field}", e.message, e.expected) from None
        return found


def _number(text: str, field_: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise Misfit(field_, f"“{text[:20]}” is no number." if text else "The number is missing.", "a number of pixels")
    return found


FORMAT = Format(
    name="voc", title=TITLE, about="Upright boxes of pictures, an XML file each.", suffix=".zip", media_type="application/zip",
    folder=True, objects=frozenset({"Image"}), reads=(".zip", ".xml"), write=write, read=read,
)  # fmt: skip
