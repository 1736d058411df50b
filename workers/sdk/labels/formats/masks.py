"""Masks: a PNG a picture, of its size, whose pixels are numbers of classes (0: none), listed in `classes.json`; what semantic segmentation
trains on. Read back, the pixels of a class become a brush mask where the schema has a brush for it; else each patch becomes a polygon
along its pixels, which paints the same."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from workers.sdk.labels import brush, raster
from workers.sdk.labels import classes as c
from workers.sdk.labels.config import LabelConfig
from workers.sdk.labels.results import Misfit
from workers.sdk.labels.shapes import outline
from workers.sdk.labels.strict_json import loads
from workers.sdk.labels.travel import BadFile, CannotWrite, Format, Found, Item, Json, Member, Ref, Source, Target, Writing

TITLE = "Masks"
PIXELS = "A mask holds pixels of a class: what was one region, and which lay below another, is not in it."
NO_SIZE = "A picture whose size is unknown is left out: a mask has its size."
PAINTED = c.SHAPES | brush.BRUSHES
MOST_CLASSES = 255
LIST = "classes.json"
PNG_BYTES = 64 * 1024 * 1024


def write(items: Iterable[Item], writing: Writing) -> Iterator[Member]:
    names, known = c.classes(writing.config, PAINTED), c.colors(writing.config)
    if len(names) > MOST_CLASSES:
        raise CannotWrite(f"A mask has at most {MOST_CLASSES} classes; the schema has {len(names):,}.")
    colors = [known.get(name, "#1c7ed6") for name in names]
    listed = [{"value": n, "label": name, "color": color} for n, (name, color) in enumerate(zip(names, colors, strict=True), start=1)]
    yield LIST, [json.dumps(listed, ensure_ascii=False, indent=1).encode()]
    numbers = {name: n for n, name in enumerate(names, start=1)}
    for item in items:
        if not item.width or not item.height:
            writing.lost[NO_SIZE] += 1
            continue
        shapes: list[tuple[int, raster.Drawn]] = []
        for _, one, label in c.carried(writing.one(item, TITLE), writing, TITLE, PAINTED):
            writing.lost[PIXELS] += 1
            if one["type"] in brush.BRUSHES:
                mask = {"rle": one["value"]["rle"], "width": one["original_width"], "height": one["original_height"]}
                shapes.append((numbers[label], mask))
                continue
            corners = outline({**one, "original_width": item.width, "original_height": item.height}) or ()
            shapes.append((numbers[label], [(x * item.width / 100, y * item.height / 100) for x, y in corners]))
        yield f"masks/{item.stem}.png", _painted(item.width, item.height, shapes, colors, writing)


def _painted(width: int, height: int, shapes: list[tuple[int, raster.Drawn]], colors: list[str], writing: Writing) -> Iterator[bytes]:
    """Painted when it is taken."""
    yield (writing.paint or raster.png)(width=width, height=height, shapes=shapes, colors=colors)


def read(source: Source, config: LabelConfig) -> Iterator[Found]:
    listed = [n for n in source.names if PurePosixPath(n).name == LIST]
    if not listed:
        raise BadFile("the archive", f"There is no {LIST} in it.", f'{LIST}: [{{"value": 1, "label": "…"}}]')
    names = _classes(source, min(listed, key=len))
    for name in source.names:
        if name.lower().endswith(".png") and not name.startswith("images/"):
            stem = name.removeprefix("masks/")[: -len(".png")]
            yield Found(where=name, ref=Ref(path=stem, stem=True), result=_Result(config, names, source, name))


def _classes(source: Source, name: str) -> dict[int, str]:
    try:
        told = loads(source.read(name, 1024 * 1024).decode("utf-8-sig"), name)
    except UnicodeDecodeError:
        raise BadFile(name, "This is not UTF-8.", "a text file") from None
    found: dict[int, str] = {}
    for n, one in enumerate(told if isinstance(told, list) else [None]):
        right = isinstance(one, dict) and isinstance(one.get("label"), str) and isinstance(one.get("value"), int)
        if not right or not 1 <= one["value"] <= MOST_CLASSES or one["value"] in found:
            raise BadFile(f"{name}, {n}", "This is no class.", '{"value": 1 to 255, each once, "label": "…"}')
        found[one["value"]] = one["label"]
    return found


class _Result:
    def __init__(self, config: LabelConfig, names: dict[int, str], source: Source, name: str) -> None:
        self._config, self._names, self._source, self._name = config, names, source, name

    def __call__(self, target: Target) -> list[Json]:
        import numpy as np

        mask = raster.pixels(self._source.read(self._name, PNG_BYTES), target.width, target.height)
        size = (mask.shape[1], mask.shape[0])
        found: list[Json] = []
        for value in np.unique(mask).tolist():
            if value == 0:
                continue
            label = self._names.get(value)
            if label is None:
                raise Misfit("class", f"Pixels have the class {value}, which {LIST} does not name.", "a class of the list")
            control = c.taker(self._config, label, c.MASKS, c.POLYGONS)
            if control.type in brush.BRUSHES:
                place = c.mask(brush.of_pixels(mask == value))
                found.append(c.region(control, f"mask-{len(found)}", label, place, size))
                continue
            for points in raster.trace(mask == value):
                found.append(c.region(control, f"mask-{len(found)}", label, c.polygon(points, size), size))
        return found


FORMAT = Format(
    name="masks", title=TITLE, about="Pixels of a class, a PNG for each picture.", suffix=".zip", media_type="application/zip",
    folder=True, objects=frozenset({"Image"}), reads=(".zip",), write=write, read=read,
)  # fmt: skip
