"""Key points in COCO: a control with a skeleton is one category whose instances hold all its points; others are a category each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workers.sdk.labels import classes as c
from workers.sdk.labels import skeleton as s
from workers.sdk.labels.config import LabelConfig, LabelControl
from workers.sdk.labels.results import Misfit
from workers.sdk.labels.travel import Json, Said, Writing

ONCE = "COCO has one point of a name in each instance: the others are left out."


def categories(config: LabelConfig, first: int) -> tuple[list[Json], dict[str, int]]:
    """(Categories of controls with a skeleton, their numbers from `first` on, by the control's name)."""
    found: list[Json] = []
    numbers: dict[str, int] = {}
    for control in config.controls:
        if control.skeleton:
            names = [label.value for label in control.labels]
            numbers[control.name] = first + len(found)
            edges = [[names.index(a) + 1, names.index(b) + 1] for a, b in control.skeleton]
            found.append({"id": first + len(found), "name": control.name, "supercategory": "", "keypoints": names, "skeleton": edges})
    return found, numbers


def apart(said: Said, config: LabelConfig) -> tuple[Said, list[tuple[LabelControl, list[Json]]]]:
    """(What was said but for the points of skeletons, the instances of those)."""
    controls = {control.name: control for control in config.controls if control.skeleton}
    points = [one for one in said.result if one.get("from_name") in controls]
    rest = Said(id=said.id, result=[one for one in said.result if one.get("from_name") not in controls])
    return rest, [(controls[group[0]["from_name"]], group) for group in s.instances(points).values()]


def entry(control: LabelControl, group: list[Json], size: tuple[int, int], writing: Writing) -> Json:
    """An instance: visibility 2 is seen, 1 hidden, 0 not there."""
    names = [label.value for label in control.labels]
    flat: list[float] = [0, 0, 0] * len(names)
    for one in group:
        x, y = one["value"]["x"] * size[0] / 100, one["value"]["y"] * size[1] / 100
        for label in one["value"][control.type]:
            at = 3 * names.index(label)
            if flat[at + 2]:
                writing.lost[ONCE] += 1
            else:
                flat[at : at + 3] = [x, y, 1 if s.hidden(one) else 2]
    xs = [x for x, v in zip(flat[::3], flat[2::3], strict=True) if v]
    ys = [y for y, v in zip(flat[1::3], flat[2::3], strict=True) if v]
    box = [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]
    return {"keypoints": flat, "num_keypoints": len(xs), "bbox": box, "area": box[2] * box[3], "segmentation": []}


def read(config: LabelConfig, flat: Any, label: str, names: list[str], id_: str, size: tuple[int, int]) -> Iterator[Json]:
    """The points of an annotation: of a skeleton, where the schema has one with such points, else each for itself. Raises Misfit."""
    if not isinstance(flat, list) or len(flat) % 3 or any(isinstance(n, bool) or not isinstance(n, int | float) for n in flat):
        raise Misfit("keypoints", "Key points come in threes of numbers.", "[x, y, visibility, …]")
    whole = next((k for k in config.controls if k.skeleton and names and set(names) <= k.values), None)
    first = ""
    for n in range(len(flat) // 3):
        x, y, seen = flat[3 * n : 3 * n + 3]
        if seen <= 0:
            continue
        name = names[n] if n < len(names) else label
        known = name in c.classes(config, c.POINTS)
        control = whole or c.taker(config, name if known else label, c.POINTS)
        if control is whole and name not in control.values:
            raise Misfit("keypoints", f"There are more key points than names ({len(names)}).", "three numbers for each name")
        place = {"x": c.percent(x, size[0]), "y": c.percent(y, size[1])}
        one = c.region(control, f"{id_}-{n}" if n else id_, name if known else label, place, size)
        if whole is not None:
            one |= {"parentID": first} if first else {}
            one |= {"meta": {"text": [s.HIDDEN]}} if seen == 1 else {}
            first = first or one["id"]
        yield one
