"""COCO: boxes, polygons, masks and key points in pixels (https://cocodataset.org/#format-data). Categories are numbered from 1 in the
order of the schema. Images and annotations are two lists, so annotations wait in a file while images are written, and in a table while
they are read."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import chain
from typing import Any

from workers.sdk.labels import brush, raster, runlength
from workers.sdk.labels import classes as c
from workers.sdk.labels.config import LabelConfig
from workers.sdk.labels.formats import coco_points
from workers.sdk.labels.results import Misfit
from workers.sdk.labels.shapes import outline
from workers.sdk.labels.strict_json import elements
from workers.sdk.labels.travel import BadFile, Format, Found, Item, Json, Member, Ref, Source, Target, Writing, only_file

TITLE = "COCO"
DRAWN = (*c.BOXES, *c.POLYGONS, *c.ELLIPSES, *c.MASKS, *c.POINTS)
TURNED = "COCO has no ellipses and no turned boxes: they go out as polygons of their outline."
NO_SIZE = "A picture whose size is unknown is left out: COCO counts in pixels."


def write(items: Iterable[Item], writing: Writing) -> Iterator[Member]:
    yield "labels.json", _pieces(items, writing)


def _pieces(items: Iterable[Item], writing: Writing) -> Iterator[bytes]:
    numbers = {name: n for n, name in enumerate(_classes(writing.config), start=1)}
    points = set(c.classes(writing.config, c.POINTS))
    categories = [
        {"id": n, "name": name, "supercategory": "", **({"keypoints": [name], "skeleton": []} if name in points else {})}
        for name, n in numbers.items()
    ]
    skeletons, skeleton_numbers = coco_points.categories(writing.config, len(numbers) + 1)
    categories += skeletons
    yield b'{"info": {"description": "Headrace", "version": "1.0"}, "licenses": [], "categories": ' + _dump(categories) + b', "images": ['
    with tempfile.TemporaryFile() as aside:
        images = regions = 0
        for item in items:
            if not item.width or not item.height:
                writing.lost[NO_SIZE] += 1
                continue
            image = {"id": item.id, "file_name": item.key, "width": item.width, "height": item.height}
            yield (b",\n" if images else b"\n") + _dump(image)
            images += 1
            size = (item.width, item.height)
            rest, instances = coco_points.apart(writing.one(item, TITLE), writing.config)
            entries = (
                (numbers[label], _entry(one, size, writing, control.type)) for control, one, label in c.carried(rest, writing, TITLE, DRAWN)
            )
            whole = ((skeleton_numbers[k.name], coco_points.entry(k, group, size, writing)) for k, group in instances)
            for category, entry in chain(entries, whole):
                regions += 1
                head = {"id": regions, "image_id": item.id, "category_id": category, "iscrowd": 0}
                aside.write((b",\n" if regions > 1 else b"\n") + _dump({**head, **entry}))
        yield b'\n], "annotations": ['
        aside.seek(0)
        while piece := aside.read(128 * 1024):
            yield piece
        yield b"\n]}\n"


def _classes(config: LabelConfig) -> list[str]:
    """All but the points of skeletons, which are categories of their own."""
    single = replace(config, controls=tuple(k for k in config.controls if not k.skeleton))
    return c.classes(single, DRAWN)


def _dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _entry(one: Json, size: tuple[int, int], writing: Writing, kind: str) -> Json:
    value, (across, down) = one["value"], size
    if kind in c.POINTS:
        x, y = value["x"] * across / 100, value["y"] * down / 100
        return {"keypoints": [x, y, 2], "num_keypoints": 1, "bbox": [x, y, 0, 0], "area": 0, "segmentation": []}
    if kind in c.BOXES and not c.turned(one):
        x, y, w, h = (value[k] * s / 100 for k, s in (("x", across), ("y", down), ("width", across), ("height", down)))
        return {"bbox": [x, y, w, h], "area": w * h, "segmentation": []}
    if kind in c.MASKS:
        mask = brush.fitting(brush.mask_of(one), size)
        left, top, right, bottom = mask.bounds
        # `iscrowd` stays 0, as it is one thing: what trains on COCO leaves crowds out.
        return {"segmentation": runlength.packed(mask), "bbox": [left, top, right - left, bottom - top], "area": mask.area}
    if kind not in c.POLYGONS:
        writing.lost[TURNED] += 1
    corners = [(x * across / 100, y * down / 100) for x, y in outline({**one, "original_width": across, "original_height": down}) or ()]
    xs, ys = [p[0] for p in corners], [p[1] for p in corners]
    area = abs(sum(a * d - b * e for (a, b), (e, d) in zip(corners, (*corners[1:], corners[0]), strict=True))) / 2
    bounds = [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]
    return {"segmentation": [[n for point in corners for n in point]], "bbox": bounds, "area": area}


def read(source: Source, config: LabelConfig) -> Iterator[Found]:
    name = only_file(source, ".json")
    with closing(sqlite3.connect("", check_same_thread=False)) as kept:  # a private file that is gone when it is closed
        kept.execute("CREATE TABLE image (id TEXT PRIMARY KEY, told TEXT, line INT)")
        kept.execute("CREATE TABLE annotation (image TEXT, told TEXT, line INT)")
        names = _kept(source, name, kept)
        kept.execute("CREATE INDEX annotation_image ON annotation (image)")
        lost = kept.execute("SELECT image, line FROM annotation WHERE image NOT IN (SELECT id FROM image) ORDER BY line LIMIT 1").fetchone()
        if lost:
            raise BadFile(f"{name}, line {lost[1]}, image_id", f"There is no image {lost[0]}.", "the id of an image of this file")
        for key, told, line in kept.execute("SELECT id, told, line FROM image ORDER BY rowid"):
            image = json.loads(told)
            said = [
                (json.loads(text), f"{name}, line {at}")
                for text, at in kept.execute("SELECT told, line FROM annotation WHERE image = ? ORDER BY rowid", (key,))
            ]
            yield Found(where=f"{name}, line {line}", ref=Ref(path=image["file_name"]), result=_Result(config, names, image, said))


def _kept(source: Source, name: str, kept: sqlite3.Connection) -> dict[str, str | list[str]]:
    """Lays images and annotations down; returns the categories by id: a name, or the names of key points (`_points` + id)."""
    names: dict[str, str | list[str]] = {}
    seen = set()
    with source.open(name) as file:
        for key, one, line in elements(file, name):
            seen.add(key)
            where = f"{name}, line {line}"
            if key in ("images", "annotations", "categories") and not isinstance(one, dict):
                raise BadFile(f"{where}, {key}", "This is no object.", "{…}")
            try:
                if key == "images":
                    _image(one, where)
                    kept.execute("INSERT INTO image VALUES (?, ?, ?)", (_id(one, "id", where), json.dumps(one), line))
                elif key == "annotations":
                    kept.execute("INSERT INTO annotation VALUES (?, ?, ?)", (_id(one, "image_id", where), json.dumps(one), line))
            except sqlite3.IntegrityError:
                raise BadFile(f"{where}, id", f"There are two images {one['id']}.", "an id of its own") from None
            if key == "categories":
                if not isinstance(one.get("name"), str):
                    raise BadFile(f"{where}, name", "The category has no name.", '"name": "…"')
                names[_id(one, "id", where)] = one["name"]
                names["points " + _id(one, "id", where)] = [str(p) for p in one.get("keypoints") or []]
    if "images" not in seen:
        raise BadFile(name, "There are no images in this file.", '{"images": [ … ], "annotations": [ … ], "categories": [ … ]}')
    return names


def _id(one: Json, field: str, where: str) -> str:
    found = one.get(field)
    if isinstance(found, bool) or not isinstance(found, int | str):
        raise BadFile(f"{where}, {field}", "The id is missing.", "a number or a text")
    return json.dumps(found)


def _image(one: Json, where: str) -> None:
    if not isinstance(one.get("file_name"), str) or not one["file_name"]:
        raise BadFile(f"{where}, file_name", "The image has no file name.", '"file_name": "…"')
    for side in ("width", "height"):
        if isinstance(one.get(side), bool) or not isinstance(one.get(side), int) or not 0 < one[side] < 10**6:
            raise BadFile(f"{where}, {side}", "The size of an image is a number of pixels.", "a whole number above 0")


class _Result:
    def __init__(self, config: LabelConfig, names: dict[str, str | list[str]], image: Json, said: list[tuple[Json, str]]) -> None:
        self._config, self._names, self._image, self._said = config, names, image, said

    def __call__(self, target: Target) -> list[Json]:
        found: list[Json] = []
        for n, (one, where) in enumerate(self._said):
            try:
                found += self._regions(one, f"coco-{n}", target)
            except Misfit as e:
                raise Misfit(f"{where}, {e.field}", e.message, e.expected) from None
        return found

    def _regions(self, one: Json, id_: str, target: Target) -> Iterator[Json]:
        size = (self._image["width"], self._image["height"])
        label = self._names.get(_category(one))
        if not isinstance(label, str):
            raise Misfit("category_id", f"There is no category {one.get('category_id')!r}.", "the id of a category of this file")
        outlines = one.get("segmentation") or []
        if one.get("keypoints"):
            names = self._names.get("points " + _category(one)) or []
            yield from coco_points.read(self._config, one["keypoints"], label, list(names), id_, size)
        elif isinstance(outlines, dict):
            yield from self._mask(runlength.unpacked(outlines, (target.width or size[0], target.height or size[1])), label, id_, size)
        elif outlines:
            if not isinstance(outlines, list) or not all(
                isinstance(flat, list) and len(flat) >= 6 and len(flat) % 2 == 0 for flat in outlines
            ):
                raise Misfit("segmentation", "A polygon has at least three points.", "[[x, y, x, y, x, y, …]]")
            control = c.taker(self._config, label, c.POLYGONS, c.MASKS, c.BOXES)
            if control.type in c.BOXES:
                x, y, w, h = _numbers(one.get("bbox"), 4, "bbox")
                yield c.region(control, id_, label, c.box(x, y, w, h, size), size)
                return
            if control.type in c.MASKS:
                yield c.region(control, id_, label, c.mask(_filled(outlines, size)), size)
                return
            for n, flat in enumerate(outlines):
                numbers = _numbers(flat, len(flat), "segmentation")
                place = c.polygon(list(zip(numbers[::2], numbers[1::2], strict=True)), size)
                yield c.region(control, f"{id_}-{n}" if n else id_, label, place, size)
        else:
            x, y, w, h = _numbers(one.get("bbox"), 4, "bbox")
            control = c.taker(self._config, label, c.BOXES, c.POLYGONS)
            corners = ((x, y), (x + w, y), (x + w, y + h), (x, y + h))
            place = c.box(x, y, w, h, size) if control.type in c.BOXES else c.polygon(corners, size)
            yield c.region(control, id_, label, place, size)

    def _mask(self, mask: brush.Mask, label: str, id_: str, size: tuple[int, int]) -> Iterator[Json]:
        """A brush mask or, where the schema has no brush for the label, polygons along its pixels."""
        if not mask.edges:
            raise Misfit("segmentation", "The mask has no pixel.", "at least one")
        control = c.taker(self._config, label, c.MASKS, c.POLYGONS)
        if control.type in c.MASKS:
            yield c.region(control, id_, label, c.mask(mask), size)
            return
        for n, points in enumerate(raster.trace(brush.pixels_of(mask))):
            yield c.region(control, f"{id_}-{n}" if n else id_, label, c.polygon(points, size), size)


def _filled(outlines: list[list[float]], size: tuple[int, int]) -> brush.Mask:
    """The pixels inside any of some polygons."""
    import numpy as np

    if size[0] * size[1] > brush.MOST_PIXELS:
        raise Misfit("segmentation", "The image is too large for a mask.", f"at most {brush.MOST_PIXELS:,} pixels")
    pixels = np.zeros((size[1], size[0]), dtype=np.uint8)
    for flat in outlines:
        numbers = _numbers(flat, len(flat), "segmentation")
        raster.fill(pixels, list(zip(numbers[::2], numbers[1::2], strict=True)), 1)
    mask = brush.of_pixels(pixels)
    if not mask.edges:
        raise Misfit("segmentation", "No pixel lies inside these polygons.", "polygons inside the image")
    return mask


def _category(one: Json) -> str:
    return json.dumps(one.get("category_id"))


def _numbers(found: Any, count: int, field: str) -> list[float]:
    if not isinstance(found, list) or len(found) != count or any(isinstance(n, bool) or not isinstance(n, int | float) for n in found):
        raise Misfit(field, f"“{field}” is a list of {count} numbers.", "[" + ", ".join(["…"] * min(count, 4)) + "]")
    return found


FORMAT = Format(
    name="coco", title=TITLE, about="Boxes, polygons, masks and key points of pictures, in one JSON file.", suffix=".json",
    media_type="application/json", folder=False, objects=frozenset({"Image"}), reads=(".json", ".zip"), write=write, read=read,
)  # fmt: skip
