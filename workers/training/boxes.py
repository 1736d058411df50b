"""The boxes that people drew on pictures, as rows for training and evaluation: which pictures say something, and what."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from workers.sdk import context
from workers.sdk.errors import StepError
from workers.sdk.kinds import Images
from workers.sdk.labels import boxes

MOST_IN_A_PICTURE = 300
"""Boxes of one picture that are learned from: the loss looks at each with every place."""
HOW = "Draw boxes (a label schema with RectangleLabels) and freeze the labels, or import boxes from COCO, YOLO or Pascal VOC files there."


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """`rows` are the places of the pictures that people looked at, in `keys` their names; `truth` has `[boxes, 5]` for each: left, top,
    right, bottom (0 to 1), number of the label."""

    labels: list[str]
    rows: list[int]
    keys: list[str]
    truth: list[Any]
    unseen: int
    """Pictures of which nobody said anything: they are no example, not even of nothing."""
    unknown: int
    """Boxes whose label is none of the labels that were asked for."""

    @property
    def count(self) -> int:
        return sum(len(one) for one in self.truth)


def read(images: Images, labels: list[str] | None = None, *, control: str = "", most: int | None = None) -> Drawn:
    """Boxes of pictures. `labels` names those to look for, in their order (else all there are, sorted); pictures with more than `most`
    boxes are left out. Raises StepError where there is no box."""
    import numpy as np
    import pyarrow.parquet as pq

    step = context.current()
    names = pq.read_schema(images.file()).names
    if "annotations" not in names:
        raise StepError("These images have no boxes.", hint=HOW)
    table = images.arrow([name for name in ("key", "width", "height", "annotations") if name in names])
    found: list[tuple[int, str, list[boxes.Box]]] = []
    unseen, crowded, turned, others = 0, 0, 0, set[str]()
    for row, one in enumerate(table.to_pylist()):
        result = (json.loads(one["annotations"]) or {}).get("result") if one["annotations"] else None
        if result is None:
            unseen += 1
            continue
        here = boxes.drawn(result, one.get("width"), one.get("height"), control)
        if most is not None and len(here) > most:
            crowded += 1
            continue
        turned += sum(box.turned for box in here)
        others |= {str(region.get("type")) for region in result if str(region.get("type")).endswith("labels")} - {boxes.KIND}
        found.append((row, one["key"], here))
    known = labels if labels is not None else sorted({box.label for _, _, here in found for box in here})
    codes = {label: n for n, label in enumerate(known)}
    truth = [
        np.array([(b.left, b.top, b.right, b.bottom, codes[b.label]) for b in here if b.label in codes], dtype=np.float32).reshape(-1, 5)
        for _, _, here in found
    ]
    made = Drawn(
        labels=known,
        rows=[row for row, _, _ in found],
        keys=[key for _, key, _ in found],
        truth=truth,
        unseen=unseen,
        unknown=sum(box.label not in codes for _, _, here in found for box in here),
    )
    if not any(here for _, _, here in found):
        said = f" (there are {', '.join(sorted(others))})" if others else ""
        raise StepError(f"These images have no boxes{said}.", hint=HOW)
    for count, words in (
        (unseen, "images were not labelled by anybody; they are left out. One that shows nothing must be labelled too, without a box"),
        (crowded, f"images have more than {most} boxes; they are left out"),
        (turned, "boxes are turned; the upright boxes around them are taken"),
        (made.unknown, "boxes have a label that the model does not know; they are not counted"),
    ):
        if count:
            step.log(f"{count:,} {words}.", "warning")
    return made


def padded(truth: list[Any]) -> Any:
    """`[pictures, most boxes, 5]` float32, with label −1 where a picture has no more."""
    import numpy as np

    made = np.zeros((len(truth), max(1, max((len(one) for one in truth), default=1)), 5), dtype=np.float32)
    made[..., 4] = -1
    for place, one in enumerate(truth):
        made[place, : len(one)] = one
    return made


def tell_of_small(truth: list[Any], height: int, width: int, least: float = 4.0) -> None:
    """Boxes that are next to nothing at the size the network sees."""
    import numpy as np

    every = np.concatenate(truth)
    small = int((((every[:, 2] - every[:, 0]) * width < least) | ((every[:, 3] - every[:, 1]) * height < least)).sum())
    if small:
        context.current().log(
            f"{small:,} of {len(every):,} boxes are less than {least:g} pixels wide or high at {width} × {height}, the size the model sees:"
            " they can hardly be found. Choose a larger size.",
            "warning",
        )
