"""The pipeline canvas as a person uses it: by mouse, from the palette to the ports."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect


def go(page: Page, name: str) -> None:
    """By the navigation beside every page of a project."""
    page.get_by_role("navigation", name="Project", exact=True).get_by_role("link", name=name).click()


class Canvas:
    def __init__(self, page: Page):
        self.page = page
        self.plane = page.locator("[data-canvas]")

    def step(self, title: str) -> Locator:
        """The box of a step, by the title it shows."""
        return self.plane.locator("[data-step]").filter(has=self.page.get_by_text(title, exact=True))

    def drop(self, component: str, x: float, y: float) -> None:
        """Drag a component from the palette to a place on the canvas."""
        source = self.page.locator(f'[data-component="{component}"]').last
        source.scroll_into_view_if_needed()
        source.hover()
        box = self.plane.bounding_box()
        assert box is not None
        self.page.mouse.down()
        self.page.mouse.move(box["x"] + x - 40, box["y"] + y, steps=4)
        self.page.mouse.move(box["x"] + x, box["y"] + y, steps=4)
        self.page.mouse.up()
        expect(self.plane.locator(f'[data-step^="{component}"]')).to_be_visible()

    def port(self, title: str, side: str, port: str) -> Locator:
        return self.step(title).locator(f'[aria-label^="{side} {port}, "]')

    def wire(self, source: str, output: str, target: str, port: str) -> None:
        """Pull a wire from an output to an input."""
        self.pull(self.port(source, "Output", output), self.port(target, "Input", port))

    def pull(self, start: Locator, end: Locator) -> None:
        a, b = start.bounding_box(), end.bounding_box()
        assert a is not None and b is not None
        self.page.mouse.move(a["x"] + a["width"] / 2, a["y"] + a["height"] / 2)
        self.page.mouse.down()
        x, y = b["x"] + b["width"] / 2, b["y"] + b["height"] / 2
        self.page.mouse.move(x - 20, y - 14, steps=6)
        self.page.mouse.move(x, y, steps=4)
        # A hand waits until it sees the end lie on the port; a canvas that is still moving is followed.
        self.page.wait_for_timeout(150)
        if (now := end.bounding_box()) is not None:
            self.page.mouse.move(now["x"] + now["width"] / 2, now["y"] + now["height"] / 2, steps=2)
        self.page.wait_for_timeout(50)
        self.page.mouse.up()

    def wires(self) -> Locator:
        return self.plane.locator(".react-flow__edge")

    def choose(self, title: str) -> Locator:
        """Click on a step; returns the panel with its details."""
        self.step(title).get_by_text(title, exact=True).click()
        details = self.page.locator("[data-parameters]")
        expect(details).to_be_visible()
        return details
