"""The annotation editor and the map at scale, in Chromium: how long a frame takes while the hand moves, and a key until it is painted.

The editor's own page with 1,000 regions, segments or spans or 100 tracks, the map with 100,000 points. The floor is an empty page in the
same browser, under the same hand.
"""

from __future__ import annotations

import functools
import http.server
import math
import random
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from infra.bootstrap.base import ROOT, call
from infra.bootstrap.node import node_environment, npm_command
from tests.bench.main import Row
from tests.e2e.browser import DESK, browser
from tests.e2e.editor_page.bench import control, schema
from tests.e2e.editor_page.served import Quiet
from tests.media import film, wav

Json = dict[str, Any]
MANY, TRACKS, POINTS = 1_000, 100, 100_000
STEPS, KEYS = 80, 40
FRAME_MS = 1000 / 60
WATCH = """() => {
  const seen = { frames: [], keys: [], on: false, last: 0 }
  const tick = (now) => {
    if (seen.last) seen.frames.push(now - seen.last)
    seen.last = now
    if (seen.on) requestAnimationFrame(tick)
  }
  seen.start = () => { Object.assign(seen, { frames: [], on: true, last: 0 }); requestAnimationFrame(tick) }
  seen.stop = () => { seen.on = false; return seen.frames }
  window.addEventListener('keydown', (event) => {
    requestAnimationFrame(() => {
      const channel = new MessageChannel()
      channel.port1.onmessage = () => seen.keys.push(performance.now() - event.timeStamp)
      channel.port2.postMessage(0)
    })
  }, true)
  window.seen = seen
}"""
"""A key is painted when the frame after it was: what is posted from that frame's callback is heard behind its painting."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A page under load: how it is set up, where the hand is, which keys it presses."""

    name: str
    begin: Callable[[Page], None]
    target: str
    keys: tuple[str, ...] = ()
    hands: tuple[str, ...] = ("drag", "wheel")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as address, browser() as chromium:
        page = chromium.new_context(viewport=DESK).new_page()  # type: ignore[arg-type]  # the two numbers of ViewportSize
        page.goto(address)
        page.evaluate("document.body.innerHTML = '<main style=\"height: 100vh\" tabindex=0></main>'")
        page.evaluate(WATCH)
        floors = {hand: moved(page, "main", hand) for hand in ("drag", "pan", "wheel")}
        floor = pressed(page, "main", ("ArrowRight",))
        page.close()
        for scene in scenes():
            page = chromium.new_context(viewport=DESK).new_page()  # type: ignore[arg-type]  # as above
            page.goto(address)
            scene.begin(page)
            page.wait_for_timeout(1500)
            page.evaluate(WATCH)
            for hand in scene.hands:
                told(f"{scene.name}: {hand}, frame", moved(page, scene.target, hand), floors[hand])
            if scene.keys:
                told(f"{scene.name}: key to paint", pressed(page, scene.target, scene.keys), floor)
            page.context.close()


def told(name: str, ours: list[float], floor: list[float]) -> None:
    for share in (0.5, 0.95):
        row = Row(
            part="fluid",
            name=f"{name}, p{share * 100:.0f}",
            ours=at(ours, share),
            floor=at(floor, share),
            unit="ms",
            floor_is="an empty page, the same hand",
        )
        print(row.line(), flush=True)


def at(values: list[float], share: float) -> float:
    return round(sorted(values)[int(share * (len(values) - 1))], 2)


def moved(page: Page, target: str, hand: str) -> list[float]:
    """Milliseconds of each frame while a hand drags, pans (by the middle button) or turns the wheel over the middle of an element."""
    box = page.locator(target).first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    button = "middle" if hand == "pan" else "left"
    if hand != "wheel":
        page.mouse.down(button=button)
    page.evaluate("seen.start()")
    for n in range(STEPS):
        if hand == "wheel":
            page.mouse.wheel(0, -60 if n < STEPS / 2 else 60)
        else:
            page.mouse.move(x + 120 * math.sin(n / 12), y + 60 * math.sin(n / 9))
        page.wait_for_timeout(12)
    frames: list[float] = page.evaluate("seen.stop()")
    if hand != "wheel":
        page.mouse.up(button=button)
    return frames


def pressed(page: Page, target: str, keys: tuple[str, ...]) -> list[float]:
    """Milliseconds from each key to its painting."""
    page.locator(target).first.focus()
    page.evaluate("seen.keys.length = 0")
    for n in range(KEYS):
        page.keyboard.press(keys[n % len(keys)])
        page.wait_for_timeout(60)
    found: list[float] = page.evaluate("seen.keys")
    return found


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The editor's page, built from the sources of now, with a sound and a video beside it."""
    config = ROOT / "tests" / "e2e" / "editor_page" / "vite.config.ts"
    vite = [*npm_command(), "exec", "--", "vite", "build", "--config", str(config), "--outDir", str(folder), "--logLevel", "error"]
    call(vite, "The editor's page could not be built", environment=node_environment())
    (folder / "call.wav").write_bytes(wav(600, rate=8000))
    film(folder / "drive.webm", 40)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/index.html"
        server.shutdown()


def scenes() -> list[Scene]:
    canvas = "[data-editor-canvas]"
    return [
        Scene(name="an image, 1,000 boxes", begin=image, target=canvas, keys=("Tab", "ArrowRight"), hands=("drag", "pan", "wheel")),
        Scene(name="a sound, 1,000 segments", begin=sound, target="[role=application]", keys=("ArrowRight", "ArrowLeft")),
        Scene(name="a video, 100 tracks", begin=video, target="[role=application]", keys=("ArrowRight",), hands=("drag",)),
        Scene(name="a text, 1,000 spans", begin=text, target="[data-block]", keys=("Tab",)),
        Scene(name="the map, 100,000 points", begin=points, target="[role=img]"),
    ]


def start(page: Page, config: Json, item: Json, result: list[Json]) -> None:
    page.evaluate("(options) => start(options)", {"config": config, "item": item, "result": result})


def image(page: Page) -> None:
    ground = "<rect width='4000' height='3000' fill='slategray'/>"
    picture = f"data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' width='4000' height='3000'>{ground}</svg>"
    chance = random.Random(1)
    boxes = [
        {
            **_about(n, "box", "rectanglelabels"),
            "original_width": 4000,
            "original_height": 3000,
            "value": {
                "x": chance.uniform(0, 95), "y": chance.uniform(0, 95), "width": 3, "height": 4, "rotation": 0,
                "rectanglelabels": [chance.choice(["Car", "Person"])],
            },
        }
        for n in range(MANY)
    ]  # fmt: skip
    config = schema("Image", control("box", "RectangleLabels", ("Car", "Person")))
    start(page, config, {"data": {}, "urls": {"it": picture}}, boxes)
    page.locator("img[data-ready]").wait_for()
    page.keyboard.press("v")


def sound(page: Page) -> None:
    parts = [
        {
            **_about(n, "who", "labels"),
            "original_length": 600.0,
            "value": {"start": n * 0.6, "end": n * 0.6 + 0.5, "channel": 0, "labels": ["Anna" if n % 2 else "Bob"]},
        }
        for n in range(MANY)
    ]
    start(page, schema("Audio", control("who", "Labels", ("Anna", "Bob"))), {"data": {}, "urls": {"it": "call.wav"}}, parts)
    page.get_by_role("application", name="Sound").wait_for()


def video(page: Page) -> None:
    chance = random.Random(2)
    tracks = []
    for n in range(TRACKS):
        keys = [
            {"frame": f, "enabled": True, "rotation": 0, "width": 8, "height": 9, "time": f / 25}
            | {"x": chance.uniform(0, 90), "y": chance.uniform(0, 90)}
            for f in range(1, 1000, 50)
        ]
        value = {"framesCount": 1000, "duration": 40.0, "sequence": keys, "labels": ["Car"]}
        tracks.append({**_about(n, "box", "videorectangle"), "value": value})
    config = schema("Video", control("what", "Labels", ("Car",)), control("box", "VideoRectangle"))
    start(page, config, {"data": {"it": {"duration": 40.0, "frame_rate": 25}}, "urls": {"it": "drive.webm"}}, tracks)
    page.get_by_role("application", name="Video").wait_for()


def text(page: Page) -> None:
    words = "The headrace is the channel that brings water to the wheel. " * 500
    spans = [
        _about(n, "part", "labels")
        | {"value": {"start": n * 30, "end": n * 30 + 12, "text": words[n * 30 : n * 30 + 12], "labels": ["Thing"]}}
        for n in range(MANY)
    ]
    start(page, schema("Text", control("part", "Labels", ("Thing", "Place"))), {"data": {"it": words}, "urls": {}}, spans)
    page.locator("[data-block]").first.wait_for()


def points(page: Page) -> None:
    page.evaluate("(count) => startMap(count)", POINTS)
    page.locator("[role=img]").wait_for()


def _about(n: int, control: str, kind: str) -> Json:
    return {"id": f"region-{n:05d}", "from_name": control, "to_name": "it", "type": kind}


if __name__ == "__main__":
    main()
