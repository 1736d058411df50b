"""The page with an annotation editor on it, built and served for tests (fixtures)."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from infra.bootstrap.base import ROOT, call
from infra.bootstrap.node import node_environment, npm_command
from tests.e2e.browser import DESK, Watch
from tests.e2e.editor_page.bench import Bench


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The editor's page, built from the sources of now, served from a folder."""
    built = tmp_path_factory.mktemp("editor")
    config = ROOT / "tests" / "e2e" / "editor_page" / "vite.config.ts"
    vite = [*npm_command(), "exec", "--", "vite", "build", "--config", str(config), "--outDir", str(built), "--logLevel", "error"]
    call(vite, "The editor's page could not be built", environment=node_environment())
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(built))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/index.html"
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """A test's output is for what failed."""


@pytest.fixture
def bench(address: str, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Bench]:
    context = browser.new_context(viewport=DESK)  # type: ignore[arg-type]  # the two numbers of ViewportSize
    context.set_default_timeout(15_000)
    page = context.new_page()
    watch = Watch(page)
    page.goto(address)
    yield Bench(page)
    report = getattr(request.node, "report", None)
    if report is not None and report.failed:
        watch.keep(request.node.name)
    context.close()
    assert watch.errors == [], "The browser's console has errors"
