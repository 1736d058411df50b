"""A queue of sounds: what is known of each from its file bounds what can be said, and labels reworded or compared keep their place."""

from __future__ import annotations

from typing import Any

from backend.labeling.actions.labelled import run_labelled
from backend.labeling.models import LabelledVersion
from tests import media
from tests.backend.datasets.conftest import zipped
from tests.backend.labeling.conftest import Labs, say, take
from tests.backend.people import Person

SOUNDS = """<View><Audio name="audio" value="$audio"/>
<Labels name="part" toName="audio"><Label value="Speech"/><Label value="Noise"/></Labels></View>"""
FILMS = """<View><Video name="video" value="$video"/><Labels name="what" toName="video"><Label value="Car"/></Labels>
<VideoRectangle name="box" toName="video"/></View>"""


def part(start: float, end: float) -> dict[str, Any]:
    value = {"start": start, "end": end, "channel": 0, "labels": ["Speech"]}
    return {"id": "part-00001", "from_name": "part", "to_name": "audio", "type": "labels", "value": value, "original_length": 3.0}


def test_a_segment_beyond_the_sound_is_refused_and_one_within_becomes_data(labs: Labs, ann: Person) -> None:
    dataset = labs.upload.ready(zipped({"a/1.wav": media.wav(3)}), "calls.zip", options={"freeze": True})["dataset"]
    refused = labs.editor.post("/label-schemas", {"name": "Films", "dataset": dataset, "xml": FILMS}, 422)
    assert "sounds" in str(refused) and "<Audio>" in str(refused)
    schema = labs.schema(dataset, SOUNDS, review_share=0)
    item = take(ann, schema)
    assert item and item["urls"]["audio"].endswith("/file") and item["data"]["duration"] == 3 and "audio" not in item["data"]
    wrong = say(ann, schema, item["id"], [part(1, 9)], 422)
    assert "value.end" in str(wrong) and "the sound at 3 s" in str(wrong)
    say(ann, schema, item["id"], [part(0.5, 2.25)])
    assert ann.ask("GET", f"/label-schemas/{schema}/items/{item['id']}/file")["Content-Type"] == "audio/wav"

    # Another wording would lose it; one that says what takes its place takes it along.
    gone = SOUNDS.replace("Speech", "Talk")
    asked = labs.editor.post("/label-schemas/check", {"xml": gone, "dataset": dataset, "label_schema": schema}, 200)
    assert asked["touched"] == [{"control": "part", "label": "Speech", "annotations": 1}]
    labs.editor.post(f"/label-schemas/{schema}/versions", {"xml": gone, "base": 1, "mapping": {"part": {"Speech": "Talk"}}}, 201)
    labs.editor.post(f"/label-schemas/{schema}/labelled", {"note": ""}, 202)
    run_labelled(LabelledVersion.objects.get().pk)
    changed = labs.editor.get(f"/datasets/{dataset}/versions/2/changes?since=1")["items"]
    assert changed[0]["kinds"] == ["annotations"] and changed[0]["regions"][0]["after"] == {
        "labels": ["Talk"], "text": "0.50 to 2.25 s", "outline": [],
    }  # fmt: skip


def test_tracks_are_reworded_by_the_labels_that_lie_in_their_value(labs: Labs, ann: Person) -> None:
    dataset = labs.upload.ready(media.mp4(2), "drive.mp4", name="drive", options={"freeze": True})["dataset"]
    schema = labs.schema(dataset, FILMS)
    item = take(ann, schema)
    assert item and item["data"]["frame_rate"] == 25
    key = {"frame": 1, "enabled": True, "rotation": 0, "x": 10, "y": 10, "width": 20, "height": 20, "time": 0.04}
    value = {"framesCount": 50, "duration": 2.0, "sequence": [key], "labels": ["Car"]}
    track = {"id": "track-0001", "from_name": "box", "to_name": "video", "type": "videorectangle", "value": value}
    say(ann, schema, item["id"], [track])
    gone = FILMS.replace("Car", "Lorry")
    asked = labs.editor.post("/label-schemas/check", {"xml": gone, "dataset": dataset, "label_schema": schema}, 200)
    assert asked["touched"] == [{"control": "box", "label": "Car", "annotations": 1}]
    labs.editor.post(f"/label-schemas/{schema}/versions", {"xml": gone, "base": 1, "mapping": {"box": {"Car": "Lorry"}}}, 201)
    said = labs.editor.get(f"/label-schemas/{schema}/items/{item['id']}/annotations")[0]["result"]
    assert said[0]["value"]["labels"] == ["Lorry"]
