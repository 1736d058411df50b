"""Chromium for the browser tests and the pictures: how it is started, what its pages complain about, what is kept of a failure."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from infra.bootstrap.base import ROOT
from infra.bootstrap.chromium import chromium

RESULTS = ROOT / "test-results"
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
MAKE_TOKEN = """async () => {
  const csrf = document.cookie.split('; ').find((c) => c.startsWith('headrace_csrf=')).split('=')[1]
  const headers = { 'Content-Type': 'application/json', 'X-CSRFToken': csrf }
  const answer = await fetch('/api/v1/tokens', { method: 'POST', headers, body: JSON.stringify({ name: 'browser' }) })
  return (await answer.json()).token
}"""
"""Evaluated in a signed-in page: a new API token for all projects."""
QUIET = (
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    found = chromium()
    if found is None:
        raise RuntimeError("There is no Chromium: install it, or name one with CHROMIUM=/path/to/chromium.")
    arguments = [*QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=arguments)
        try:
            yield started
        finally:
            started.close()


class Watch:
    """Collects what a page complains about, so that a test can say that there was nothing."""

    # A refusal (4xx) is an answer like any other: the browser writes each into the console, the page shows it in words.
    EXPECTED = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")

    def __init__(self, page: Page):
        self.page, self.errors, self.requests = page, list[str](), list[str]()
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error}"))
        page.on("response", lambda answer: self.requests.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not self.EXPECTED.search(message.text):
            self.errors.append(f"{message.text} ({message.location.get('url', '')})")

    def clear(self) -> None:
        self.errors.clear()
        self.requests.clear()

    def keep(self, name: str, **more: Any) -> None:
        """Save a picture and the page's complaints under test-results/."""
        RESULTS.mkdir(exist_ok=True)
        stem = re.sub(r"[^\w.-]+", "-", name)[:120]
        try:
            self.page.screenshot(path=RESULTS / f"{stem}.png", timeout=10_000)
        except Exception as exc:
            more["screenshot"] = str(exc)
        told = {"url": self.page.url, "errors": self.errors, "refused": self.requests, **more}
        (RESULTS / f"{stem}.json").write_text(json.dumps(told, indent=1))


def until(page: Page, expression: str, seconds: float = 15) -> None:
    """Wait until a JavaScript expression is true. Playwright's own wait evaluates it inside the page, which our policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"Not true after {seconds} s: {expression}"
        page.wait_for_timeout(50)


def sideways(page: Page) -> int:
    """By how many pixels the page can be scrolled to the side; a page must never."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def remove_old_results() -> None:
    for path in Path(RESULTS).glob("*"):
        if path.suffix in (".png", ".json"):
            path.unlink()
