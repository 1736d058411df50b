"""What plays: a sound is transcribed and a video tracked by keys alone, over a crash of the page, then reviewed, and exported as it was
said."""

from __future__ import annotations

import base64
import io
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from infra.supervisor.studio import Studio
from tests.e2e.conftest import Open
from tests.e2e.furnish import bring
from tests.e2e.labels import filled
from tests.e2e.stage import PASSWORD, join
from tests.media import wav
from workers.sdk.client import Client

Json = dict[str, Any]
SOUND = """<View><Audio name="audio" value="$audio"/>
<Labels name="who" toName="audio"><Label value="Anna"/><Label value="Bob"/></Labels>
<TextArea name="words" toName="audio" perRegion="true" rows="2" maxSubmissions="1"/></View>"""
FILM = """<View><Video name="video" value="$video" frameRate="25"/><Labels name="what" toName="video"><Label value="Car"/></Labels>
<VideoRectangle name="box" toName="video"/></View>"""
RECORD = """async () => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 180 })
  const paint = canvas.getContext('2d')
  const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: 'video/webm;codecs=vp8', videoBitsPerSecond: 200000 })
  const parts = []
  recorder.ondataavailable = (event) => parts.push(event.data)
  const over = new Promise((done) => { recorder.onstop = done })
  recorder.start(200)
  const begin = performance.now()
  await new Promise((done) => {
    const draw = () => {
      const share = (performance.now() - begin) / 3000
      paint.fillStyle = '#456'
      paint.fillRect(0, 0, 320, 180)
      paint.fillStyle = '#fd0'
      paint.fillRect(20 + 200 * share, 60, 60, 50)
      share < 1 ? requestAnimationFrame(draw) : done()
    }
    draw()
  })
  recorder.stop()
  await over
  const data = new Uint8Array(await new Blob(parts).arrayBuffer())
  let text = ''
  for (const byte of data) text += String.fromCharCode(byte)
  return btoa(text)
}"""


def asked(client: Client, dataset: str, xml: str, name: str) -> str:
    body = {"name": name, "dataset": dataset, "xml": xml, "together": "apart", "review_share": 1.0}
    slug = str(client.request("POST", f"/projects/{client.project}/label-schemas", json=body)["slug"])
    filled(client, slug)
    return slug


def draft(page: Page, client: Client, slug: str, item: int, fits: Callable[[list[Json]], bool]) -> list[Json]:
    """The draft that the studio keeps, once it is as it should be."""
    until, found = time.monotonic() + 20, None
    while time.monotonic() < until:
        found = client.request("GET", f"/projects/{client.project}/label-schemas/{slug}/items/{item}")["draft"]
        if found and fits(found["result"]):
            result: list[Json] = found["result"]
            return result
        page.wait_for_timeout(200)
    raise AssertionError(f"the draft is {found}")


def progress(client: Client, slug: str, what: str) -> None:
    """Until the one item counts as this."""
    until = time.monotonic() + 20
    while client.request("GET", f"/projects/{client.project}/label-schemas/{slug}")["progress"][what] < 1:
        assert time.monotonic() < until, f"nothing is {what}"
        time.sleep(0.2)


def reviewed_and_exported(client: Client, open_page: Open, slug: str, person: str, said: list[Json], selector: str) -> None:
    """Somebody else sees it and accepts; what Label Studio's JSON holds is what was said."""
    email = f"{person.lower()}.{client.project}@example.org"  # all browser tests share one studio
    join(client, str(client.project), email, person, "reviewer")
    page, watch = open_page(signed_in=False)
    page.goto("/sign-in")
    page.get_by_label("E-mail").fill(email)
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda url: "sign-in" not in url)
    page.goto(f"/p/{client.project}/labels/{slug}/review")
    one = page.locator("[data-annotation]")
    expect(one.locator(selector)).to_be_visible()
    expect(one.get_by_role("region", name="Regions").get_by_role("listitem")).to_have_count(len({r["id"] for r in said}))
    page.keyboard.press("Control+Enter")
    expect(one).to_have_count(0)
    assert watch.errors == []
    progress(client, slug, "truths")
    kept = io.BytesIO()
    client.export_labels(slug, kept, format="labelstudio")
    [task] = json.loads(kept.getvalue())
    assert task["annotations"][0]["result"] == said and task["annotations"][0]["ground_truth"] is True


def test_a_sound_is_transcribed_by_keys_while_it_plays(open_page: Open, fresh_project: Client, studio: Studio, tmp_path: Path) -> None:
    client = fresh_project
    path = tmp_path / "call.wav"
    path.write_bytes(wav(12, rate=16_000))
    slug = asked(client, bring(client, path, "Calls"), SOUND, "Who says what")
    page, watch = open_page()
    keys = page.keyboard
    page.goto(f"/p/{client.project}/labels/{slug}/label")
    wave = page.get_by_role("application", name="Sound")
    expect(wave).to_be_visible()
    item = int(str(page.locator("[data-item]").get_attribute("data-item")))
    clock = page.get_by_test_id("clock")
    expect(clock).to_have_text("0:00.0 / 0:12.0")

    # A segment by its ends, while it plays: Anna.
    wave.focus()
    keys.press("ArrowRight")
    keys.press("[")
    keys.press("Space")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.wait_for_function("() => document.querySelector('audio').currentTime > 1.6")
    keys.press("Space")
    keys.press("1")
    row = page.get_by_role("region", name="Regions").get_by_role("listitem")
    expect(row).to_have_count(1)
    first = draft(page, client, slug, item, lambda r: len(r) == 1)[0]
    assert first["value"]["start"] == 1 and first["value"]["end"] > 1.5 and first["value"]["labels"] == ["Anna"]
    assert abs(first["original_length"] - 12) < 0.1 and first["type"] == "labels" and first["value"]["channel"] == 0

    # Its words, by the key of the field; the sound goes on and stops meanwhile.
    field = page.get_by_role("textbox", name="words")
    keys.press("n")
    expect(field).to_be_focused()
    keys.type("Good morning")
    keys.press("Alt+p")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    keys.press("Alt+p")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    expect(field).to_have_value("Good morning")
    keys.press("Escape")
    expect(wave).to_be_focused()

    # Its end a little later; undone, and done again.
    keys.press("Alt+ArrowRight")
    moved = draft(page, client, slug, item, lambda r: r[0]["value"]["end"] > first["value"]["end"])[0]
    assert round(moved["value"]["end"] - first["value"]["end"], 3) == 0.05
    keys.press("Control+z")
    draft(page, client, slug, item, lambda r: r[0]["value"]["end"] == first["value"]["end"])
    keys.press("Control+Shift+z")

    # Another, which overlaps it, in one stroke from the beginning: Bob.
    keys.press("Escape")
    keys.press("Home")
    keys.press("2")
    keys.press("Enter")
    expect(row).to_have_count(2)
    said = draft(page, client, slug, item, lambda r: len(r) == 3)
    assert [r["value"].get("labels") or r["value"]["text"] for r in said] == [["Anna"], ["Good morning"], ["Bob"]]
    assert (said[2]["value"]["start"], said[2]["value"]["end"]) == (0, 2)

    # The page crashes: all is there again, and is submitted.
    page.reload()
    expect(row).to_have_count(2)
    expect(row.first).to_contain_text("Good morning")
    page.get_by_role("application", name="Sound").focus()
    keys.press("?")
    expect(page.get_by_role("dialog").get_by_text("Begin a segment here")).to_be_visible()
    keys.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    keys.press("Control+Enter")
    expect(page.locator("[data-item]")).to_have_count(0)
    progress(client, slug, "done")
    assert watch.errors == []
    reviewed_and_exported(client, open_page, slug, "Rosa", said, "[role=application] canvas")


def test_a_video_is_tracked_by_keys(open_page: Open, fresh_project: Client, studio: Studio, tmp_path: Path) -> None:
    client = fresh_project
    page, watch = open_page()
    page.goto(f"/p/{client.project}/datasets")
    path = tmp_path / "drive.webm"
    path.write_bytes(base64.b64decode(page.evaluate(RECORD)))
    slug = asked(client, bring(client, path, "Drives"), FILM, "Where it drives")
    keys = page.keyboard
    page.goto(f"/p/{client.project}/labels/{slug}/label")
    film = page.get_by_role("application", name="Video")
    clock = page.get_by_test_id("clock")
    keys.press("ArrowRight")  # before its length is known, which is found all the same
    expect(clock).to_contain_text(re.compile(r"frame \d+ / [1-9]\d"))
    item = int(str(page.locator("[data-item]").get_attribute("data-item")))
    boxes = page.locator("[data-box]")

    # A box in the middle of frame 6, moved to the right on frame 16; between them it is reckoned.
    film.focus()
    keys.press("Home")
    expect(clock).to_contain_text("frame 1 /")
    for _ in range(5):
        keys.press("ArrowRight")
    expect(clock).to_contain_text("frame 6 /")
    keys.press("1")  # with one label it is drawn with already: the key puts it down, and takes it up again
    keys.press("1")
    keys.press("Enter")
    expect(boxes).to_have_count(1)
    keys.press("Shift+ArrowRight")
    expect(clock).to_contain_text("frame 16 /")
    for _ in range(20):
        keys.press("Alt+ArrowRight")
    moved = draft(
        page, client, slug, item, lambda r: len(r) == 1 and len(r[0]["value"]["sequence"]) == 2 and r[0]["value"]["sequence"][1]["x"] == 50
    )
    assert [(k["frame"], k["x"], k["enabled"]) for k in moved[0]["value"]["sequence"]] == [(6, 40, True), (16, 50, True)]
    assert moved[0]["type"] == "videorectangle" and moved[0]["value"]["labels"] == ["Car"] and moved[0]["from_name"] == "box"
    keys.press("ArrowUp")
    expect(clock).to_contain_text("frame 6 /")
    for _ in range(5):
        keys.press("ArrowRight")
    expect(boxes.locator("rect")).to_have_attribute("x", "45%")

    # It is last seen on frame 26; a key frame is set on 11 and taken away.
    keys.press("k")
    draft(page, client, slug, item, lambda r: len(r[0]["value"]["sequence"]) == 3)
    keys.press("k")
    keys.press("ArrowDown")
    keys.press("Shift+ArrowRight")
    keys.press("]")
    keys.press("ArrowRight")
    expect(boxes).to_have_count(0)
    keys.press("ArrowLeft")
    expect(boxes).to_have_count(1)
    ended = draft(page, client, slug, item, lambda r: len(r[0]["value"]["sequence"]) == 3 and not r[0]["value"]["sequence"][2]["enabled"])
    assert [k["frame"] for k in ended[0]["value"]["sequence"]] == [6, 16, 26]

    # Split before frame 21, and merged again.
    for _ in range(5):
        keys.press("ArrowLeft")
    keys.press("Shift+k")
    rows = page.get_by_role("region", name="Regions").get_by_role("listitem")
    expect(rows).to_have_count(2)
    keys.press("Control+z")
    expect(rows).to_have_count(1)
    keys.press("Space")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.wait_for_function("() => document.querySelector('video').currentTime > 1.2")
    keys.press("Space")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()

    page.reload()
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("frames 6–26")
    keys.press("Control+Enter")
    expect(page.locator("[data-item]")).to_have_count(0)
    progress(client, slug, "done")
    assert watch.errors == []
    reviewed_and_exported(client, open_page, slug, "Ravi", ended, "video")
