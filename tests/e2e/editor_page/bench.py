"""The page with an annotation editor on it, as the tests of the editor use it: schemas, places on the image, what was said."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

Where = tuple[float, float]
"""Percent of the image's size."""

PICTURE = "data:image/svg+xml," + (
    "<svg xmlns='http://www.w3.org/2000/svg' width='1000' height='600'><rect width='1000' height='600' fill='slategray'/>"
    "<rect x='200' y='150' width='300' height='240' fill='khaki'/></svg>"
).replace("#", "%23")
TEXT = "Angela Merkel met the board of Siemens in Munich.\nThe Chancellor spoke for an hour."


def control(name: str, tag: str, labels: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    colours = ("#e11d48", "#2563eb", "#16a34a")
    return {
        "name": name, "to": "it", "tag": tag, "type": tag.lower(), "multiple": False, "required": False, "required_message": "",
        "labels": [{"value": label, "color": colours[at % 3], "hotkey": "", "hint": ""} for at, label in enumerate(labels)],
        "per_region": False, "can_rotate": True, "minimum": None, "maximum": None, "step": None, "placeholder": "", "rows": 1,
        "max_submissions": None, "stroke_width": 2, "opacity": 0.2, "wand": False, "skeleton": [], "closable": False,
        "to_more": [], "buckets": [], **more,
    }  # fmt: skip


def schema(tag: str, *controls: dict[str, Any]) -> dict[str, Any]:
    layout = [{"kind": "object", "name": "it"}, *({"kind": "control", "name": one["name"]} for one in controls)]
    return {"objects": [{"name": "it", "tag": tag, "value": "it"}], "controls": list(controls), "layout": layout}


BOXES = control("box", "RectangleLabels", ("Car", "Person"))


VALUES: dict[str, dict[str, Any]] = {
    "Image": {"x": 20, "y": 20, "width": 20, "height": 20, "rotation": 0, "rectanglelabels": ["Car"]},
    "Text": {"start": 0, "end": 6, "text": "Angela", "labels": ["Person"]},
}
"""Of the first region of an image and of a text."""


class Bench:
    """The page with an editor on it."""

    def __init__(self, page: Page):
        self.page = page

    def start(self, config: dict[str, Any], result: list[dict[str, Any]] | None = None, **more: Any) -> None:
        image = config["objects"][0]["tag"] == "Image"
        item = {"data": {"it": TEXT}, "urls": {"it": PICTURE} if image else {}}
        self.page.evaluate("(options) => start(options)", {"config": config, "item": item, "result": result or [], **more})
        if image:
            expect(self.page.locator("img[data-ready]")).to_be_visible()
        self.page.evaluate("document.fonts.ready")

    @property
    def result(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.page.evaluate("editor.state.result")
        return found

    def value(self, index: int = 0) -> dict[str, Any]:
        found: dict[str, Any] = self.result[index]["value"]
        return found

    def place(self, where: Where) -> tuple[float, float]:
        box = self.page.locator("img[data-ready]").bounding_box()
        assert box is not None
        return box["x"] + where[0] / 100 * box["width"], box["y"] + where[1] / 100 * box["height"]

    def click(self, where: Where, **more: Any) -> None:
        self.page.mouse.click(*self.place(where), **more)

    def drag(self, *way: Where) -> None:
        mouse = self.page.mouse
        mouse.move(*self.place(way[0]))
        mouse.down()
        for where in way[1:]:
            mouse.move(*self.place(where), steps=6)
        mouse.up()

    def keys(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def mark(self, start: int, end: int) -> None:
        """Mark characters of the text's first line with the mouse."""
        edges = self.page.evaluate(
            """([start, end]) => {
              const pieces = [...document.querySelectorAll('[data-block="0"] [data-start]')]
              const edge = (offset) => {
                const piece = pieces.findLast((one) => Number(one.dataset.start) <= offset)
                const range = document.createRange()
                range.setStart(piece.firstChild, offset - Number(piece.dataset.start))
                const box = range.getBoundingClientRect()
                return [box.left, box.top + box.height / 2]
              }
              return [edge(start), edge(end)]
            }""",
            [start, end],
        )
        mouse = self.page.mouse
        mouse.move(*edges[0])
        mouse.down()
        mouse.move(*edges[1], steps=6)
        mouse.up()
