"""YOLO as Ultralytics reads it: a text file a picture, a line a region: `class cx cy w h` of a box, `class x y x y x y …` of a polygon, all
from 0 to 1; classes are numbered from 0 in `data.yaml` and `classes.txt`, in the order of the schema."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from workers.sdk.labels import classes as c
from workers.sdk.labels.config import LabelConfig
from workers.sdk.labels.results import Misfit
from workers.sdk.labels.shapes import outline
from workers.sdk.labels.strict_json import loads
from workers.sdk.labels.travel import BadFile, Format, Found, Item, Json, Member, Ref, Source, Target, Writing

TITLE = "YOLO"
TURNED = "YOLO has no ellipses and no turned boxes: they go out as polygons of their outline."
NAMES = ("data.yaml", "dataset.yaml", "classes.txt", "obj.names", "notes.json")
BESIDE = frozenset({"readme.txt", "train.txt", "val.txt", "test.txt", "classes.txt"})
"""Text files of such folders that hold no labels."""
SMALL = 4 * 1024 * 1024


def write(items: Iterable[Item], writing: Writing) -> Iterator[Member]:
    names = c.classes(writing.config, c.SHAPES)
    numbers = {name: n for n, name in enumerate(names)}
    yield "classes.txt", ["".join(f"{name}\n" for name in names).encode()]
    listed = "".join(f"  {n}: {json.dumps(name, ensure_ascii=False)}\n" for n, name in enumerate(names))
    yield "data.yaml", [f"path: .\ntrain: images\nval: images\nnames:\n{listed}".encode()]
    for item in items:
        lines = [
            f"{numbers[label]} {_place(one, control.type, item, writing)}\n"
            for control, one, label in c.carried(writing.one(item, TITLE), writing, TITLE, c.SHAPES)
        ]
        yield f"labels/{item.stem}.txt", ["".join(lines).encode()]


def _place(one: Json, kind: str, item: Item, writing: Writing) -> str:
    value = one["value"]
    if kind in c.BOXES and not c.turned(one):
        numbers = (value["x"] + value["width"] / 2, value["y"] + value["height"] / 2, value["width"], value["height"])
        return " ".join(_fraction(n) for n in numbers)
    if kind not in c.POLYGONS:
        writing.lost[TURNED] += 1
    sized = {**one, "original_width": item.width, "original_height": item.height}
    return " ".join(_fraction(n) for point in outline(sized) or () for n in point)


def _fraction(percent: float) -> str:
    return f"{percent / 100:.12g}"


def read(source: Source, config: LabelConfig) -> Iterator[Found]:
    names = _names(source)
    for name in source.names:
        path = PurePosixPath(name)
        if path.suffix.lower() != ".txt" or path.name.lower() in BESIDE:
            continue
        stem = str(path.with_suffix(""))
        below = stem.partition("labels/")[2] if stem.startswith("labels/") or "/labels/" in stem else stem
        try:
            text = source.read(name, SMALL).decode("utf-8-sig")
        except UnicodeDecodeError:
            raise BadFile(name, "This is not UTF-8.", "a text file") from None
        yield Found(where=name, ref=Ref(path=below, stem=True), result=_Result(config, names, text))


def _names(source: Source) -> list[str]:
    for wanted in NAMES:
        found = [n for n in source.names if PurePosixPath(n).name.lower() == wanted]
        if found:
            name = min(found, key=len)
            try:
                return _listed(name, source.read(name, SMALL).decode("utf-8-sig"))
            except UnicodeDecodeError:
                raise BadFile(name, "This is not UTF-8.", "a text file") from None
    raise BadFile("the archive", "Nothing in it names the classes.", "data.yaml with `names`, or classes.txt")


def _listed(name: str, text: str) -> list[str]:
    """The names of classes in the order of their numbers."""
    if name.endswith(".json"):
        told = loads(text, name)
        found = told.get("categories") if isinstance(told, dict) else None
        if not isinstance(found, list) or not all(isinstance(one, dict) and isinstance(one.get("name"), str) for one in found):
            raise BadFile(name, "It names no classes.", '{"categories": [{"id": 0, "name": "…"}]}')
        return [one["name"] for one in found]
    if not name.endswith(".yaml"):
        return [line.strip() for line in text.splitlines() if line.strip()]
    import yaml

    try:
        told = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as e:
        mark = getattr(e, "problem_mark", None)
        raise BadFile(name + (f", line {mark.line + 1}" if mark else ""), "This is no YAML.", "names: [ … ]") from None
    names = told.get("names") if isinstance(told, dict) else None
    if isinstance(names, dict) and sorted(names, key=str) == sorted(range(len(names)), key=str):
        names = [names[n] for n in range(len(names))]
    if not isinstance(names, list) or not names:
        raise BadFile(f"{name}, names", "It names no classes, or not from 0 on.", "names: [ … ]")
    return [str(one) for one in names]


class _Result:
    def __init__(self, config: LabelConfig, names: list[str], text: str) -> None:
        self._config, self._names, self._text = config, names, text

    def __call__(self, target: Target) -> list[Json]:
        found = []
        for line, words in enumerate(self._text.splitlines(), start=1):
            if words.strip():
                try:
                    found.append(self._region(words.split(), line, target))
                except Misfit as e:
                    raise Misfit(f"line {line}, {e.field}", e.message, e.expected) from None
        return found

    def _region(self, words: list[str], line: int, target: Target) -> Json:
        numbers = [_number(word) for word in words]
        if not words[0].isdecimal() or int(words[0]) >= len(self._names):
            raise Misfit("class", f"“{words[0][:20]}” is no class.", f"0 to {len(self._names) - 1}")
        label, id_ = self._names[int(words[0])], f"yolo-{line}"
        size = (target.width, target.height) if target.width and target.height else None
        if len(numbers) == 5:
            x, y, w, h = numbers[1:]
            control = c.taker(self._config, label, c.BOXES, c.POLYGONS)
            corners = ((x - w / 2, y - h / 2), (x + w / 2, y - h / 2), (x + w / 2, y + h / 2), (x - w / 2, y + h / 2))
            place = c.box(x - w / 2, y - h / 2, w, h, (1, 1)) if control.type in c.BOXES else c.polygon(corners, (1, 1))
            return c.region(control, id_, label, place, size)
        if len(numbers) < 7 or len(numbers) % 2 == 0:
            raise Misfit("numbers", f"The line has {len(numbers)} numbers.", "5 of a box, or 7, 9, 11 … of a polygon")
        points = list(zip(numbers[1::2], numbers[2::2], strict=True))
        return c.region(c.taker(self._config, label, c.POLYGONS), id_, label, c.polygon(points, (1, 1)), size)


def _number(word: str) -> float:
    try:
        found = float(word)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise Misfit("numbers", f"“{word[:20]}” is no number.", "numbers from 0 to 1")
    return found


FORMAT = Format(
    name="yolo", title=TITLE, about="Boxes and polygons of pictures, a text file each.", suffix=".zip", media_type="application/zip",
    folder=True, objects=frozenset({"Image"}), reads=(".zip",), write=write, read=read,
)  # fmt: skip
