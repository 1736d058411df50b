"""One track from several of the same thing: at every key frame of anybody the weighted median of where those are who see the box there,
as long as they have half of the weight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workers.sdk.labels.consensus.geometry import median
from workers.sdk.labels.timed import PARTS, box_at

Json = dict[str, Any]


def fused(values: Sequence[Json], weights: Sequence[float], known: Json) -> Json:
    """The value without labels; `known` is the track most like the others, whose count of frames and length are kept."""
    rate = known["framesCount"] / known["duration"]

    def seen(frame: int) -> list[tuple[tuple[float, ...], float]]:
        found = [(box_at(v["sequence"], frame), w) for v, w in zip(values, weights, strict=True)]
        return [(box, weight) for box, weight in found if box is not None]

    def enough(frame: int) -> bool:
        return sum(weight for _, weight in seen(frame)) >= sum(weights) / 2 - 1e-9

    sequence = []
    for frame in sorted({key["frame"] for v in values for key in v["sequence"]}):
        here = seen(frame)
        if not enough(frame):
            continue
        place = {part: median([box[n] for box, _ in here], [w for _, w in here]) for n, part in enumerate(PARTS)}
        sequence.append({"frame": frame, "enabled": enough(frame + 1), **place, "time": round(frame / rate, 6)})
    if not sequence:
        sequence = known["sequence"]
    return {"framesCount": known["framesCount"], "duration": known["duration"], "sequence": sequence}
