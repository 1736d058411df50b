"""Segments of sounds and tracks of videos: what fits, where a track is, how far two agree, and every way out and in again."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.labeling.schema_xml import read
from workers.sdk.labels.agreement import agreement
from workers.sdk.labels.config import LabelConfig, from_json
from workers.sdk.labels.consensus import Voice, fuse
from workers.sdk.labels.difference import difference
from workers.sdk.labels.formats import FORMATS
from workers.sdk.labels.results import check
from workers.sdk.labels.timed import box_at, frames_of, tracks_alike
from workers.sdk.labels.travel import Item, Said, Target, Writing

AUDIO = """<View><Audio name="audio" value="$audio"/>
<Labels name="part" toName="audio"><Label value="Speech"/><Label value="Noise"/></Labels>
<TextArea name="words" toName="audio" perRegion="true"/><Choices name="kind" toName="audio"><Choice value="call"/></Choices></View>"""
VIDEO = """<View><Labels name="what" toName="video"><Label value="Car"/><Label value="Bus"/></Labels>
<Video name="video" value="$video" framerate="25.0"/><VideoRectangle name="box" toName="video"/></View>"""
KNOWN = {"audio": {"duration": 10.0}, "video": {"duration": 4.0}}


def config_of(xml: str) -> LabelConfig:
    found = read(xml)
    assert found["config"], found["problems"]
    return from_json(found["config"])


def part(start: float, end: float, label: str = "Speech", id_: str = "part-00001", **more: Any) -> dict[str, Any]:
    value = {"start": start, "end": end, "channel": 0, "labels": [label]}
    return {"id": id_, "from_name": "part", "to_name": "audio", "type": "labels", "value": value, "original_length": 10.0, **more}


def key(frame: int, x: float = 10, y: float = 10, enabled: bool = True, **more: Any) -> dict[str, Any]:
    return {"frame": frame, "enabled": enabled, "rotation": 0, "x": x, "y": y, "width": 20, "height": 20, "time": frame / 25, **more}


def track(*keys: dict[str, Any], label: str = "Car", id_: str = "track-0001") -> dict[str, Any]:
    value = {"framesCount": 100, "duration": 4.0, "sequence": list(keys), "labels": [label]}
    return {"id": id_, "from_name": "box", "to_name": "video", "type": "videorectangle", "value": value}


def test_label_studios_schemas_are_read_and_labels_of_a_video_name_its_boxes() -> None:
    video = config_of(VIDEO)
    assert [c.name for c in video.controls] == ["box"] and video.controls[0].values == {"Car", "Bus"}
    assert video.objects[0].frame_rate == 25 and [n["name"] for n in video.layout] == ["video", "box"]
    assert config_of(AUDIO).controls[0].makes_regions
    for xml, said in [
        (VIDEO.replace('<VideoRectangle name="box" toName="video"/>', ""), "has nothing to name"),
        (AUDIO.replace("<Labels", "<RectangleLabels").replace("</Labels", "</RectangleLabels"), "cannot speak of <Audio>"),
        (VIDEO.replace('"25.0"', '"fast"'), 'framerate="fast" is not a fitting number'),
    ]:
        found = read(xml, last_word=False)
        assert found["config"] is None and said in found["problems"][0]["message"], found


@pytest.mark.parametrize(
    ("region", "field", "said"),
    [
        (part(3, 2), "value.end", "ends at 2 s and begins at 3 s"),
        (part(-1, 2), "value.start", "out of bounds"),
        (part(1, 11), "value.end", "the sound at 10 s"),
        (part(1, 2, "Dog"), "value.labels", "no label of “part”"),
        (part(1, float("nan")), "value.end", "is a number"),
        (part(1, 2, original_length="long"), "original_length", "number of seconds"),
        (track(), "value.sequence", "at least one key frame"),
        (track(key(5), key(5)), "value.sequence.1.frame", "Frame 5 comes after frame 5"),
        (track(key(9), key(5)), "value.sequence.1.frame", "Frame 5 comes after frame 9"),
        (track(key(101)), "value.sequence.0.frame", "number of frames"),
        (track(key(1, x=90)), "value.sequence.0.width", "outside the video"),
        (track(key(1, enabled="yes")), "value.sequence.0.enabled", "whether the box is there"),  # type: ignore[arg-type]  # what is refused
        (track(key(1), label="Dog"), "value.labels", "no label of “box”"),
        ({**track(key(1)), "value": {**track(key(1))["value"], "duration": 9.0}}, "value.duration", "this one has 4 s"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_by_its_field(region: dict[str, Any], field: str, said: str) -> None:
    config = config_of(AUDIO if region["to_name"] == "audio" else VIDEO)
    problems = check(config, [region], KNOWN)[1]
    assert [p["field"] for p in problems] == [f"result.0.{field}"] and said in problems[0]["message"] and problems[0]["expected"], problems


def test_what_fits_is_kept_as_it_is() -> None:
    words = {"id": "part-00001", "from_name": "words", "to_name": "audio", "type": "textarea", "value": {"text": ["Good morning"]}}
    said = [part(0.5, 2.25), words, part(1, 3, "Noise", "part-00002")]
    assert check(config_of(AUDIO), said, KNOWN) == (said, [])
    moving = [track(key(1), key(50, x=60), key(80, enabled=False))]
    assert check(config_of(VIDEO), moving, KNOWN) == (moving, [])


frames = st.lists(st.integers(1, 100), min_size=1, max_size=8, unique=True).map(sorted)
places = st.floats(0, 80, allow_nan=False)


@st.composite
def sequences(draw: st.DrawFn) -> list[dict[str, Any]]:
    return [key(f, draw(places), draw(places), draw(st.booleans())) for f in draw(frames)]


@given(sequences())
def test_a_track_is_where_its_key_frames_say_and_between_two_of_them_otherwise(sequence: list[dict[str, Any]]) -> None:
    by_frame = {k["frame"]: k for k in sequence}
    for frame in range(1, 101):
        box = box_at(sequence, frame)
        before = [k for k in sequence if k["frame"] <= frame]
        after = [k for k in sequence if k["frame"] > frame]
        if not before:
            assert box is None
        elif frame in by_frame:
            assert box is not None and box[:2] == (by_frame[frame]["x"], by_frame[frame]["y"])
        elif not before[-1]["enabled"]:
            assert box is None
        else:
            assert box is not None
            ends = [before[-1], *(after[:1] or before[-1:])]
            assert min(e["x"] for e in ends) - 1e-9 <= box[0] <= max(e["x"] for e in ends) + 1e-9
    kept, problems = check(config_of_video, [track(*sequence)], {})
    assert not problems and kept == [track(*sequence)]


config_of_video = config_of(VIDEO)
config_of_audio = config_of(AUDIO)


@given(sequences(), sequences())
def test_agreement_of_tracks_is_symmetric_and_whole_with_itself(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> None:
    a, b = frames_of(track(*one)["value"]), frames_of(track(*other)["value"])
    assert tracks_alike(a, a) == pytest.approx(1) and tracks_alike(a, b) == pytest.approx(tracks_alike(b, a))
    assert 0 <= tracks_alike(a, b) <= 1 + 1e-9


def test_agreement_difference_and_consensus_of_segments_and_tracks() -> None:
    audio = config_of_audio
    a, b, c = ([part(s, e, id_=f"part-{n}-{s}")] for n, (s, e) in enumerate([(1.0, 3.0), (1.1, 3.1), (1.2, 2.9)]))
    assert agreement(audio, a, b) == 1 and agreement(audio, a, [part(6, 7)]) == 0
    fused = fuse(audio, [Voice(result=r) for r in (a, b, c)]).result
    assert fused[0]["value"] == {"start": 1.1, "end": 3.0, "channel": 0, "labels": ["Speech"]} and fused[0]["original_length"] == 10.0
    moved = difference(a, [{**a[0], "value": {**a[0]["value"], "end": 3.5}}])
    assert moved[0].what == "moved" and moved[0].overlap == pytest.approx(0.8)

    video = config_of_video
    voices = [[track(key(1, x=x), key(50, x=x + 40, enabled=False), id_=f"track-{x}")] for x in (10, 11, 13)]
    assert agreement(video, voices[0], voices[1]) == 1
    assert agreement(video, voices[0], [track(key(60), label="Car")]) == 0
    fused = fuse(video, [Voice(result=r) for r in voices]).result
    assert [(k["frame"], k["x"], k["enabled"]) for k in fused[0]["value"]["sequence"]] == [(1, 11, True), (50, 51, False)]
    assert check(video, fused, KNOWN)[1] == []
    changed = difference(voices[0], [track(key(1, x=10), key(40, x=50, enabled=False), id_="track-10")])
    assert changed[0].what == "moved" and 0.4 < (changed[0].overlap or 0) < 1


class File:
    """An export's one file, as a source."""

    def __init__(self, name: str, data: bytes) -> None:
        self.names, self._data = [name], data

    def open(self, name: str) -> io.BytesIO:
        return io.BytesIO(self._data)

    def read(self, name: str, most: int) -> bytes:
        return self._data


@pytest.mark.parametrize("name", ["labelstudio", "jsonl", "csv", "tsv"])
@pytest.mark.parametrize("kind", ["audio", "video"])
def test_out_and_in_again_is_equal(name: str, kind: str) -> None:
    config = config_of_audio if kind == "audio" else config_of_video
    words = {"id": "part-00001", "from_name": "words", "to_name": "audio", "type": "textarea", "value": {"text": ["Good", "morning"]}}
    sounds = [part(0.5, 2.25), words, part(1.123456, 3, "Noise", "part-00002")]
    result = sounds if kind == "audio" else [track(key(1), key(50, x=33.3333), key(80, enabled=False)), track(key(3), id_="track-0002")]
    item = Item(
        id=1, key=f"a/1.{kind}", digest="d" * 64, media_type=f"{kind}/x", data=KNOWN[kind], shown=lambda: KNOWN,
        said=(Said(id="1", result=result),),
    )  # fmt: skip
    form = FORMATS[name]
    assert form.fits(config) and not any(FORMATS[other].fits(config) for other in ("coco", "yolo", "voc", "masks", "conll"))
    path, pieces = next(iter(form.write([item], Writing(config=config))))
    found = list(form.read(File(path, b"".join(pieces)), config))
    kept, problems = check(config, found[0].result(Target()), KNOWN)
    assert problems == [] and found[0].ref.path == item.key

    def ordered(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return sorted(entries, key=lambda r: (r["from_name"], r["id"]))

    assert ordered(kept) == ordered(result)
