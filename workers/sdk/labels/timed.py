"""Segments of a sound and tracks of boxes in a video: whether they fit, where a track is at a frame, how far two tracks are the same.

A track is Label Studio's `videorectangle`: key frames `{frame, enabled, x, y, width, height, rotation, time}`, ascending, frames counted
from 1. Between two key frames everything is interpolated linearly. A key frame that is not `enabled` is the last frame on which the
box is seen until the next one; an enabled last one holds to the end.
"""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence
from typing import Any

from workers.sdk.labels.misfit import Misfit, number

Json = dict[str, Any]
Frames = Mapping[int, tuple[float, float, float, float, float]]
"""Frame → x, y, width, height, rotation."""
SLACK = 0.5
"""Seconds that a segment may end after the length that a file's header says: players count what decoders leave out."""
EDGE = 0.01
"""Percent that a box may stand over the frame's edge, as `results.EDGE`."""
MOST_FRAMES = 10_000_000
MOST_KEYS = 100_000
COMPARED = 1_000
"""Frames, evenly over the video, at which two tracks are compared."""
PARTS = ("x", "y", "width", "height", "rotation")


def segment(value: Json, known: Mapping[str, Any]) -> Json:
    """{start, end, channel} in seconds; `known` may say the `duration`. Raises Misfit."""
    start, end = number(value, "start", 0, 1e7), number(value, "end", 0, 1e7)
    if start >= end:
        raise Misfit("value.end", f"The segment ends at {end:g} s and begins at {start:g} s.", "an end after the start")
    duration = known.get("duration")
    if duration and end > duration + SLACK:
        raise Misfit("value.end", f"The segment ends at {end:g} s, the sound at {duration:g} s.", f"at most {duration:g}")
    channel = value.get("channel", 0)
    if not isinstance(channel, int) or isinstance(channel, bool) or not 0 <= channel < 256:
        raise Misfit("value.channel", "The channel is a whole number.", "0 for the first")
    return {"start": start, "end": end, "channel": channel}


def track(value: Json, known: Mapping[str, Any]) -> Json:
    """{framesCount, duration, sequence}; `known` may say the `duration`. Raises Misfit."""
    count = _frame(value, "framesCount", "value.framesCount", MOST_FRAMES)
    duration = number(value, "duration", 0, 1e7)
    if not duration:
        raise Misfit("value.duration", "The video has no length.", "seconds, more than 0")
    if (real := known.get("duration")) and abs(duration - real) > max(SLACK, real / 100):
        raise Misfit("value.duration", f"The track is of a video of {duration:g} s, this one has {real:g} s.", f"{real:g}")
    sequence = value.get("sequence")
    if not isinstance(sequence, list) or not 1 <= len(sequence) <= MOST_KEYS:
        raise Misfit("value.sequence", "A track has at least one key frame.", f"1 to {MOST_KEYS:,} key frames")
    kept: list[Json] = []
    for n, key in enumerate(sequence):
        try:
            kept.append(_key(key, count, kept[-1]["frame"] if kept else 0))
        except Misfit as e:
            raise Misfit(f"value.sequence.{n}.{e.field.removeprefix('value.')}".rstrip("."), e.message, e.expected) from None
    return {"framesCount": count, "duration": duration, "sequence": kept}


def _frame(value: Json, key: str, field: str, most: int) -> int:
    found = value.get(key)
    if not isinstance(found, int | float) or isinstance(found, bool) or found != int(found) or not 1 <= found <= most:
        raise Misfit(field, f"“{key}” is a number of frames.", f"a whole number from 1 to {most:,}")
    return int(found)


def _key(key: Any, count: int, before: int) -> Json:
    if not isinstance(key, dict):
        raise Misfit("", "A key frame is an object.", '{"frame": 1, "enabled": true, "x": …, "y": …, "width": …, "height": …}')
    frame = _frame(key, "frame", "frame", count)
    if frame <= before:
        raise Misfit("frame", f"Frame {frame} comes after frame {before}.", "frames in ascending order, each once")
    if not isinstance(key.get("enabled", True), bool):
        raise Misfit("enabled", "“enabled” says whether the box is there after this frame.", "true or false")
    place = {name: number(key, name, -EDGE, 100 + EDGE) for name in PARTS[:4]}
    for side in ("width", "height"):
        if place[side] <= 0:
            raise Misfit(side, "The box has no area.", "more than 0")
    rotation = number(key, "rotation", -360, 360) if "rotation" in key else 0
    if not rotation:
        for corner, side in (("x", "width"), ("y", "height")):
            if place[corner] + place[side] > 100 + 2 * EDGE:
                raise Misfit(side, f"The box ends at {place[corner] + place[side]:.2f} %, outside the video.", f"{corner} + {side} ≤ 100")
    time = {"time": number(key, "time", 0, 1e7)} if key.get("time") is not None else {}
    return {"frame": frame, "enabled": key.get("enabled", True), "rotation": rotation, **place, **time}


def box_at(sequence: Sequence[Json], frame: int) -> tuple[float, float, float, float, float] | None:
    """x, y, width, height, rotation at a frame; None where the box is not seen."""
    n = bisect.bisect_right(sequence, frame, key=lambda k: k["frame"]) - 1
    if n < 0:
        return None
    here = sequence[n]
    if here["frame"] != frame and not here.get("enabled", True):
        return None
    now = _parts(here)
    if here["frame"] == frame or n + 1 == len(sequence):
        return now
    following = sequence[n + 1]
    share = (frame - here["frame"]) / (following["frame"] - here["frame"])
    a, b, c, d, e = (x + (y - x) * share for x, y in zip(now, _parts(following), strict=True))
    return a, b, c, d, e


def _parts(key: Json) -> tuple[float, float, float, float, float]:
    return key["x"], key["y"], key["width"], key["height"], key.get("rotation", 0)


def frames_of(value: Json) -> Frames:
    """Where a track is at up to COMPARED frames of its video."""
    count = value["framesCount"]
    step = max(1, count // COMPARED)
    sequence = value["sequence"]
    first = sequence[0]["frame"]
    return {f: box for f in range(1 + (first + step - 2) // step * step, count + 1, step) if (box := box_at(sequence, f)) is not None}


def tracks_alike(one: Frames, other: Frames) -> float:
    """The mean intersection over union of the frames at which either is seen, 0 to 1. Turned boxes count as they lie unturned."""
    common = one.keys() & other.keys()
    either = len(one) + len(other) - len(common)
    return sum(_overlap(one[f], other[f]) for f in common) / either if either else 0.0


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / (a[2] * a[3] + b[2] * b[3] - both)


def places(sequence: Sequence[Json], decimals: int) -> list[tuple[float | bool, ...]]:
    """What says where a track lies, for comparing."""
    return [(k["frame"], k.get("enabled", True), *(round(p, decimals) for p in _parts(k))) for k in sequence]


def words(value: Json) -> str:
    """Where a segment or a track lies in time."""
    if "sequence" in value:
        keys = value["sequence"]
        last = value["framesCount"] if keys[-1].get("enabled", True) else keys[-1]["frame"]
        return f"frames {keys[0]['frame']:,} to {last:,}, {len(keys)} key frames"
    return f"{value['start']:.2f} to {value['end']:.2f} s" if "channel" in value else ""
