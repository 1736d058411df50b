"""The pipeline canvas as a person uses it: by mouse, from the palette to the ports."""

from __future__ import annotations

import contextlib

from playwright.sync_api import Locator, Page, TimeoutError, expect


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
        for _ in range(5):
            self.take(start)
            with contextlib.suppress(TimeoutError):
                self.plane.locator(".react-flow__connectionline").wait_for(state="attached", timeout=3000)
                break
            self.page.mouse.up()  # the canvas began to move under the hand, which missed
        else:
            raise AssertionError(f"no wire comes out of {start}: {self.under(start)}")
        # A hand lets go when it sees the end lie on the port: near its edge the canvas moves, and is followed until it rests.
        held = None
        for _ in range(40):
            now = end.bounding_box()
            assert now is not None
            if now == held:
                break
            held = now
            x, y = now["x"] + now["width"] / 2, now["y"] + now["height"] / 2
            self.page.mouse.move(x - 20, y - 14, steps=4)
            self.page.mouse.move(x, y, steps=4)
            self.page.wait_for_timeout(60)
        self.page.mouse.up()

    def under(self, port: Locator) -> str:
        """What a hand meets where the port is, for a failure's message."""
        x, y = self.middle(port)
        met = self.page.evaluate("([x, y]) => document.elementsFromPoint(x, y).slice(0, 4).map(e => e.outerHTML.slice(0, 160))", [x, y])
        return f"at {x:.0f}, {y:.0f} of {self.plane.bounding_box()} lies {met}"

    def take(self, port: Locator) -> None:
        x, y = self.middle(port)
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + 5, y + 5, steps=2)

    def middle(self, what: Locator) -> tuple[float, float]:
        """Where it is when it rests: a canvas that brings a step into sight is still moving."""
        last = None
        for _ in range(100):
            now = what.bounding_box()
            assert now is not None
            if now == last:
                return now["x"] + now["width"] / 2, now["y"] + now["height"] / 2
            last = now
            self.page.wait_for_timeout(60)
        raise AssertionError(f"{what} does not come to rest")

    def wires(self) -> Locator:
        return self.plane.locator(".react-flow__edge")

    def choose(self, title: str) -> Locator:
        """Click on a step; returns the panel with its details."""
        self.step(title).get_by_text(title, exact=True).click()
        details = self.page.locator("[data-parameters]")
        expect(details).to_be_visible()
        return details
