"""Two people at one item of every kind: each sees what the other adds and moves in the same moment, and all of it is submitted."""

from __future__ import annotations

import json
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Open
from tests.e2e.furnish import bring
from tests.e2e.labels import filled
from tests.e2e.papers import pdf
from tests.e2e.stage import join
from tests.e2e.test_together import here, sign_in
from tests.media import film, wav
from workers.sdk.client import Client
from workers.sdk.labels import brush

Json = dict[str, Any]
Two = tuple[Page, Page]
SEEN = 20_000


@dataclass(frozen=True)
class Kind:
    """What is brought and asked, and what each of two people does with the keys once they are at it."""

    name: str
    xml: str
    make: Callable[[Path], Path]
    first: tuple[str, ...]
    second: tuple[str, ...]
    moves: tuple[tuple[str, ...], tuple[str, ...]]
    place: Callable[[Json], Any]
    moved: Callable[[Json], bool]
    """Whether a region is where somebody moved it to."""


def picture(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "roads.zip", "w") as archive:
        for n in range(2):
            Image.new("RGB", (400, 300), (90, 100 + n, 110)).save(folder / "one.png")
            archive.write(folder / "one.png", f"{n}.png")
    return folder / "roads.zip"


def sound(folder: Path) -> Path:
    (folder / "call.wav").write_bytes(wav(12, rate=16_000))
    return folder / "call.wav"


def paper(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "bills.zip", "w") as archive:
        archive.writestr("bill.pdf", pdf("Bill", "Terms"))
    return folder / "bills.zip"


KINDS = [
    Kind(
        name="Lines",
        xml='<View><Image name="image" value="$image"/><VectorLabels name="way" toName="image"><Label value="Road"/></VectorLabels></View>',
        make=picture,
        first=("Enter",),
        second=("Enter",),
        moves=(("Shift+ArrowRight",), ("Shift+ArrowDown",)),
        place=lambda value: [(v["x"], v["y"]) for v in value["vertices"]],
        moved=lambda value: max(abs(sum(v[k] for v in value["vertices"]) / len(value["vertices"]) - 50) for k in "xy") > 0.5,
    ),
    Kind(
        name="Sounds",
        xml='<View><Audio name="audio" value="$audio"/><Labels name="who" toName="audio"><Label value="Anna"/><Label value="Bob"/></Labels>'
        "</View>",
        make=sound,
        first=("Home", "1", "Enter"),
        second=("Home", *["ArrowRight"] * 3, "2", "Enter"),
        moves=(("Alt+ArrowRight",), ("Alt+ArrowRight",)),
        place=lambda value: (value["start"], value["end"]),
        moved=lambda value: round(value["end"] - value["start"], 3) == 2.05,
    ),
    Kind(
        name="Videos",
        xml='<View><Video name="video" value="$video" frameRate="25"/><Labels name="what" toName="video"><Label value="Car"/></Labels>'
        '<VideoRectangle name="box" toName="video"/></View>',
        make=lambda folder: film(folder / "drive.webm", 3),
        first=("Home", "Enter"),
        second=("Home", *["ArrowRight"] * 5, "Enter"),
        moves=(("Alt+ArrowRight",), ("Alt+ArrowDown",)),
        place=lambda value: [(k["frame"], k["x"], k["y"]) for k in value["sequence"]],
        moved=lambda value: (value["sequence"][0]["x"], value["sequence"][0]["y"]) != (40, 40),
    ),
    Kind(
        name="Documents",
        xml='<View><Pdf name="pdf" value="$pdf"/><RectangleLabels name="box" toName="pdf"><Label value="Sum"/></RectangleLabels></View>',
        make=paper,
        first=("Enter",),
        second=("PageDown", "Enter"),
        moves=(("Shift+ArrowRight",), ("Shift+ArrowDown",)),
        place=lambda value: (value["x"], value["y"]),
        moved=lambda value: max(abs(value[k] + value[side] / 2 - 50) for k, side in (("x", "width"), ("y", "height"))) > 0.5,
    ),
]


@pytest.fixture
def two(open_page: Open, fresh_project: Client) -> Iterator[tuple[Page, Page]]:
    """Two annotators, signed in."""
    pages, watches = [], []
    for name in ("Ines Falk", "Otto Falk"):
        email = f"{name.split()[0].lower()}.{fresh_project.project}@example.org"
        join(fresh_project, str(fresh_project.project), email, name, "annotator")
        page, watch = open_page(signed_in=False)
        sign_in(page, email)
        pages.append(page)
        watches.append(watch)
    yield pages[0], pages[1]
    assert [watch.errors for watch in watches] == [[], []]


def at_one_item(client: Client, dataset: str, xml: str, name: str, two: Two) -> tuple[str, str]:
    """Both pages at the same item of a new shared schema; (schema, item)."""
    made = {"name": name, "dataset": dataset, "xml": xml, "together": "shared", "review_share": 0.0}
    slug = str(client.request("POST", f"/projects/{client.project}/label-schemas", json=made)["slug"])
    filled(client, slug)
    one, other = two
    one.goto(f"/p/{client.project}/labels/{slug}/label")
    item = str(one.locator("[data-item]").get_attribute("data-item"))
    other.goto(f"/p/{client.project}/labels/{slug}/label?item={item}")
    expect(here(one, "Otto Falk")).to_be_visible()
    expect(here(other, "Ines Falk")).to_be_visible()
    return slug, item


def regions(page: Page) -> Locator:
    return page.get_by_role("region", name="Regions").get_by_role("listitem")


def submitted(page: Page, client: Client, slug: str, item: str) -> list[Json]:
    page.keyboard.press("Control+Enter")
    expect(page.locator(f'[data-item="{item}"]')).to_have_count(0)
    path = f"/projects/{client.project}/label-schemas/{slug}/items/{item}/annotations"
    end = time.monotonic() + 20
    while not (all_said := client.request("GET", path)):
        assert time.monotonic() < end, "the annotation did not arrive"
    (said,) = all_said
    assert sorted(person["name"] for person in said["authors"]) == ["Ines Falk", "Otto Falk"]
    found: list[Json] = said["result"]
    return found


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_each_adds_and_moves_at_once_is_there_for_both(kind: Kind, fresh_project: Client, two: Two, tmp_path: Path) -> None:
    client = fresh_project
    slug, item = at_one_item(client, bring(client, kind.make(tmp_path), kind.name), kind.xml, kind.name, two)
    for page, keys in zip(two, (kind.first, kind.second), strict=True):
        ready = page.get_by_role("application")
        expect(ready).to_be_visible()
        if kind.name in ("Lines", "Documents"):
            expect(page.locator("img[data-ready]")).to_be_visible()
        elif kind.name == "Videos":
            expect(page.get_by_test_id("clock")).to_contain_text("frame 1 /")
        ready.focus()
        for key in keys[:-1]:
            page.keyboard.press(key)
    for page in two:  # neither waits to see what the other did
        page.keyboard.press("Enter")
    for page in two:
        expect(regions(page)).to_have_count(2, timeout=SEEN)
    for page, keys in zip(two, kind.moves, strict=True):
        for key in keys:
            page.keyboard.press(key)
    two[0].wait_for_timeout(600)
    one, other = (r["value"] for r in submitted(two[0], client, slug, item))
    assert kind.place(one) != kind.place(other)
    assert all(kind.moved(value) for value in (one, other)), "both moves are kept"


def test_two_who_paint_in_one_mask_at_once_lose_nothing(fresh_project: Client, two: Two, tmp_path: Path) -> None:
    """While one holds the brush down, the other's stroke comes in; each takes back their own only."""
    client = fresh_project
    xml = '<View><Image name="image" value="$image"/><BrushLabels name="area" toName="image"><Label value="Rust"/></BrushLabels></View>'
    slug, item = at_one_item(client, bring(client, picture(tmp_path), "Rust"), xml, "Rust", two)
    one, other = two
    for page in two:
        expect(page.locator("img[data-ready]")).to_be_visible()
        page.keyboard.press("m")

    def at(page: Page, x: float, y: float) -> tuple[float, float]:
        box = page.locator("img[data-ready]").bounding_box()
        assert box is not None
        return box["x"] + x / 400 * box["width"], box["y"] + y / 300 * box["height"]

    def paint(page: Page, *way: tuple[float, float]) -> None:
        page.mouse.move(*at(page, *way[0]))
        page.mouse.down()
        for place in way[1:]:
            page.mouse.move(*at(page, *place), steps=5)
        page.mouse.up()

    paint(one, (60, 60), (340, 60))
    expect(regions(other)).to_have_count(1, timeout=SEEN)
    regions(other).first.click()
    # Ines is in the middle of a stroke while two of Otto's come in.
    one.mouse.move(*at(one, 60, 120))
    one.mouse.down()
    one.mouse.move(*at(one, 200, 120), steps=5)
    paint(other, (60, 240), (340, 240))
    paint(other, (60, 180), (340, 180))
    one.wait_for_timeout(800)
    one.mouse.move(*at(one, 340, 120), steps=5)
    one.mouse.up()
    other.wait_for_timeout(600)
    other.keyboard.press("Control+z")  # his last, not hers, which came later
    other.wait_for_timeout(600)
    (entry,) = submitted(one, client, slug, item)
    painted = brush.pixels_of(brush.mask_of(entry))
    there = [bool(painted[y, 70:330].all()) for y in (60, 120, 180, 240)]
    assert there == [True, True, False, True] and not np.any(painted[280:])


def test_answers_about_pairs_and_orders_are_seen_by_both(fresh_project: Client, two: Two, tmp_path: Path) -> None:
    client, (one, other) = fresh_project, two
    rows = [{"a": f"Yes, {n}.", "b": f"No, not {n}.", "list": ["x", "y", "z"], "kind": "?"} for n in range(2)]
    (tmp_path / "answers.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    dataset = bring(client, tmp_path / "answers.jsonl", "Answers")
    pair = (
        '<View><Text name="a" value="$a"/><Text name="b" value="$b"/><Pairwise name="better" toName="a,b"/>'
        '<Choices name="kind" toName="a"><Choice value="short"/></Choices></View>'
    )
    slug, item = at_one_item(client, dataset, pair, "Pairs", two)
    other.get_by_role("button", name="Second is better").click()
    expect(one.get_by_role("button", name="Second is better")).to_have_attribute("aria-pressed", "true", timeout=SEEN)
    one.get_by_role("button", name="short", exact=True).click()
    expect(other.get_by_role("button", name="short", exact=True)).to_have_attribute("aria-pressed", "true", timeout=SEEN)
    said = {entry["type"]: entry["value"] for entry in submitted(one, client, slug, item)}
    assert said == {"pairwise": {"selected": "right"}, "choices": {"choices": ["short"]}}

    order = '<View><List name="list" value="$list"/><Ranker name="rank" toName="list"/></View>'
    slug, item = at_one_item(client, dataset, order, "Orders", two)
    entries = [page.locator("[data-entry]") for page in two]
    other.get_by_role("button", name="Move x down").click()
    expect(entries[0].first).to_have_attribute("aria-label", "1 of 3: y", timeout=SEEN)
    one.get_by_role("button", name="Move z up").click()
    expect(entries[1].nth(1)).to_have_attribute("aria-label", "2 of 3: z", timeout=SEEN)
    (said_order,) = submitted(one, client, slug, item)
    assert said_order["value"] == {"ranker": {"rank": ["1", "2", "0"]}}
