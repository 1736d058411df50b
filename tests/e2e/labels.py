"""Questions about pictures and texts, some of them answered, for tests and pictures of the labelling pages."""

from __future__ import annotations

import random
import tempfile
import time
import uuid
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.furnish import bring
from tests.e2e.material import shapes
from tests.media import film, wav
from workers.sdk.client import Client

Json = dict[str, Any]
PICTURES = """<View>
  <Header value="Mark each shape, then say how clear the picture is."/>
  <Image name="image" value="$image"/>
  <RectangleLabels name="shape" toName="image"><Label value="Ring"/><Label value="Cross"/></RectangleLabels>
  <Choices name="clear" toName="image" required="true"><Choice value="clear"/><Choice value="blurred"/></Choices>
  <Rating name="weight" toName="image" perRegion="true" maxRating="3"/>
</View>
"""
TEXTS = """<View>
  <Header value="What is meant, and where is it said?"/>
  <Text name="text" value="$review"/>
  <Choices name="mood" toName="text" required="true"><Choice value="praise"/><Choice value="complaint"/><Choice value="question"/></Choices>
  <Labels name="part" toName="text"><Label value="Place"/><Label value="Person"/><Label value="Time"/></Labels>
</View>
"""
REVIEWS = [
    "The ferry from Rotterdam left at seven and Anna on board was very kind.",
    "Nobody at the desk in Hull could tell me when the evening boat leaves.",
    "Is there a bus from the quay to Delft after ten on Sundays?",
    "We waited two hours on the pier in Harwich; Mr Okafor gave us coffee at midnight.",
]


QUALITY = """<View>
  <Image name="image" value="$image"/>
  <Choices name="shape" toName="image" required="true"><Choice value="ring"/><Choice value="cross"/><Choice value="star"/></Choices>
  <RectangleLabels name="part" toName="image"><Label value="Edge"/><Label value="Core"/></RectangleLabels>
</View>
"""


@dataclass(frozen=True, kw_only=True)
class Labels:
    pictures: str
    texts: str
    item: int
    """A picture of `pictures` that one person has labelled."""
    sounds: str = ""
    films: str = ""


SOUNDS = """<View>
  <Header value="Who speaks when, and what do they say?"/>
  <Audio name="audio" value="$audio"/>
  <Labels name="speaker" toName="audio"><Label value="Anna"/><Label value="Bob"/><Label value="Noise"/></Labels>
  <TextArea name="transcription" toName="audio" perRegion="true" rows="3" maxSubmissions="1"/>
  <Choices name="clear" toName="audio"><Choice value="clear"/><Choice value="hard to hear"/></Choices>
</View>
"""
FILMS = """<View>
  <Header value="Where does it drive?"/>
  <Video name="video" value="$video" frameRate="25"/>
  <Labels name="what" toName="video"><Label value="Car"/><Label value="Bicycle"/></Labels>
  <VideoRectangle name="box" toName="video"/>
</View>
"""


def filled(client: Client, slug: str) -> None:
    until = time.monotonic() + 60
    while (schema := client.request("GET", f"/projects/{client.project}/label-schemas/{slug}"))["fill_status"] != "ready":
        assert time.monotonic() < until, schema
        time.sleep(0.2)


def furnish_labels(client: Client, images: str = "") -> Labels:
    """Two label schemas in the client's project; three pictures are labelled. `images`: a data set that is there already."""
    base = f"/projects/{client.project}/label-schemas"
    with tempfile.TemporaryDirectory() as folder:
        if not images:
            images = bring(client, shapes(Path(folder) / "quayside.zip", each=10), "Quayside")
        table = Path(folder) / "reviews.csv"
        table.write_text("\n".join(["review", *(f'"{text}"' for text in REVIEWS)]), encoding="utf-8")
        reviews = bring(client, table, "Reviews")
    guidelines = "A **ring** is closed. A **cross** has two strokes.\n\n- Draw as tightly as you can.\n- In doubt, ask."
    pictures = client.request(
        "POST", base, json={"name": "Shapes on the quay", "dataset": images, "xml": PICTURES, "guidelines": guidelines}
    )["slug"]
    texts = client.request("POST", base, json={"name": "What passengers say", "dataset": reviews, "xml": TEXTS, "overlap": 2})["slug"]
    for slug in (pictures, texts):
        filled(client, slug)
    item = 0
    for n in range(3):
        item = client.request("POST", f"{base}/{pictures}/next", json={})["item"]["id"]
        box = {"x": 18 + n, "y": 20, "width": 55, "height": 52, "rotation": 0, "rectanglelabels": ["Ring" if n else "Cross"]}
        result: list[Json] = [
            {"id": "first-box-1", "from_name": "shape", "to_name": "image", "type": "rectanglelabels", "value": box},
            {"id": "first-box-1", "from_name": "weight", "to_name": "image", "type": "rating", "value": {"rating": 2}},
            {"id": "the-choice-1", "from_name": "clear", "to_name": "image", "type": "choices", "value": {"choices": ["clear"]}},
        ]
        body = {"id": str(uuid.uuid4()), "schema_version": 1, "result": result, "seconds": 7.5 + n}
        client.request("POST", f"{base}/{pictures}/items/{item}/submit", json=body)
    sounds, films = furnish_media(client)
    return Labels(pictures=pictures, texts=texts, item=item, sounds=sounds, films=films)


def furnish_media(client: Client) -> tuple[str, str]:
    """A label schema of sounds and one of videos, with drafts of the first item of each."""
    base = f"/projects/{client.project}/label-schemas"
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "harbour-calls.zip"
        with zipfile.ZipFile(archive, "w") as file:
            for number, seconds in enumerate((14, 9, 31)):
                file.writestr(f"{'bridge' if number else 'pier'}/call-{number + 1}.wav", wav(seconds, tone=220 + 60 * number))
        calls = bring(client, archive, "Harbour calls")
        drives = bring(client, film(Path(folder) / "drive.webm", 4), "Drives")
    sounds = client.request("POST", base, json={"name": "Who calls", "dataset": calls, "xml": SOUNDS, "together": "apart"})["slug"]
    films = client.request("POST", base, json={"name": "What drives", "dataset": drives, "xml": FILMS, "together": "apart"})["slug"]
    parts = [(0.6, 4.2, "Anna", "Good morning, harbour office."), (3.6, 7.4, "Bob", "Morning. The noon ferry?"), (8.1, 9.0, "Noise", "")]
    said: list[Json] = []
    for n, (start, end, who, words) in enumerate(parts):
        about = {"id": f"part-{n}-0000", "to_name": "audio"}
        value = {"start": start, "end": end, "channel": 0, "labels": [who]}
        said.append({**about, "from_name": "speaker", "type": "labels", "value": value, "original_length": 14.0})
        if words:
            said.append({**about, "from_name": "transcription", "type": "textarea", "value": {"text": [words]}})
    tracks: list[Json] = []
    for n, (label, keys) in enumerate([("Car", [(1, 6, 33), (50, 40, 33), (100, 75, 33)]), ("Bicycle", [(10, 68, 64), (80, 20, 64)])]):
        sequence = [
            {"frame": f, "enabled": f != 80, "rotation": 0, "x": x, "y": y, "width": 19, "height": 28, "time": f / 25} for f, x, y in keys
        ]
        value = {"framesCount": 100, "duration": 4.0, "sequence": sequence, "labels": [label]}
        tracks.append({"id": f"track-{n}-000", "from_name": "box", "to_name": "video", "type": "videorectangle", "value": value})
    for slug, result in ((sounds, said), (films, tracks)):
        filled(client, slug)
        item = client.request("POST", f"{base}/{slug}/next", json={})["item"]["id"]
        client.request("PUT", f"{base}/{slug}/items/{item}/draft", json={"result": result, "number": 1})
    return str(sounds), str(films)


def furnish_crowd(client: Client, annotators: list[Client], images: str) -> str:
    """A label schema whose first items three of four people labelled each, one of them badly; measured. Returns its slug."""
    base = f"/projects/{client.project}/label-schemas"
    body = {"name": "Shapes by a crowd", "dataset": images, "xml": QUALITY, "overlap": 3, "review_share": 0.0, "order": "random"}
    slug = client.request("POST", base, json=body)["slug"]
    filled(client, slug)
    chance = random.Random(8)
    for _ in range(12):
        for person, skill in zip(annotators, (0.95, 0.9, 0.85, 0.4), strict=True):
            item = person.request("POST", f"{base}/{slug}/next", json={})["item"]
            if item is None:
                continue
            true = ("ring", "cross", "star")[item["position"] % 3]
            said = true if chance.random() < skill else chance.choice(["ring", "cross", "star"])
            x, label = 20 + chance.uniform(-3, 3), "Edge" if chance.random() < skill else "Core"
            value = {"x": x, "y": 20, "width": 40, "height": 40, "rotation": 0, "rectanglelabels": [label]}
            result: list[Json] = [
                {"id": "the-shape-1", "from_name": "shape", "to_name": "image", "type": "choices", "value": {"choices": [said]}},
                {"id": "the-part-1", "from_name": "part", "to_name": "image", "type": "rectanglelabels", "value": value},
            ]
            sent = {"id": str(uuid.uuid4()), "schema_version": 1, "result": result, "seconds": round(chance.uniform(3, 20), 1)}
            person.request("POST", f"{base}/{slug}/items/{item['id']}/submit", json=sent)
    settings = {"truth_by": "skill", "enough": 0.8, "honeypot_share": 0.0, "pause_below": None}
    client.request("PUT", f"{base}/{slug}/quality/settings", json=settings)
    until = time.monotonic() + 60
    while (found := client.request("GET", f"{base}/{slug}/quality"))["status"] != "ready":
        assert time.monotonic() < until, found["message"]
        time.sleep(0.2)
    return str(slug)
