"""One real studio for all browser tests, an account in it, and pages that keep a picture of what went wrong."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from infra.bootstrap import pages
from infra.supervisor import studio as studios
from infra.supervisor.studio import Studio
from tests import tables
from tests.e2e import browser as chromium
from tests.e2e.browser import DESK, MAKE_TOKEN, Watch
from tests.e2e.editor_page.served import address, bench  # noqa: F401 — fixtures of all tests here
from tests.e2e.furnish import Project, furnish
from tests.e2e.labels import Labels, furnish_labels
from workers.sdk.client import Client

PASSWORD = "the mill turns by night"
OTHERS = ("DATABASE_URL", "BROKER_URL", "ARTIFACT_URL", "HEADRACE_DATA_DIR", "SECRET_KEY", "DJANGO_SETTINGS_MODULE", "PUBLIC_URL")
"""Set by tests/services.py for pytest's own services; this studio has its own."""

expect.set_options(timeout=15_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/e2e/" in str(item.path):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="package")
def studio() -> Iterator[Studio]:
    if not (pages.STAMP.parent / "manifest.json").exists():
        pages.build()
    chromium.remove_old_results()
    kept = {name: os.environ.pop(name) for name in OTHERS if name in os.environ}
    folder = Path(tempfile.mkdtemp(prefix="hr-e2e-"))
    try:
        tables.furnish(folder)
        with studios.start(folder, "--port", "0", "--gpu", "none") as running:
            yield running
            log = running.layout.log
            if log.exists():
                chromium.RESULTS.mkdir(exist_ok=True)
                shutil.copy(log, chromium.RESULTS / "studio.log")
    finally:
        os.environ.update(kept)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # By module, not longer: Playwright keeps an event loop of its own, in which pytest-asyncio's tests could not run.
    with chromium.browser() as started:
        yield started


@dataclass(frozen=True, kw_only=True)
class Owner:
    """The first account of the studio: made on the sign-up page."""

    email: str
    password: str
    session: Any
    """Its cookies, for pages that begin signed in."""
    token: str


@pytest.fixture(scope="package")
def owner(studio: Studio) -> Owner:
    with chromium.browser() as started:
        page = started.new_page(base_url=studio.url)
        watch = Watch(page)
        try:
            page.goto("/")
            page.get_by_label("Name").fill("Mira Vogel")
            page.get_by_label("E-mail").fill("mira@example.org")
            page.get_by_role("textbox", name="Password").fill("short")
            page.get_by_role("button", name="Make the first account").click()
            expect(page.get_by_text("At least 10 characters", exact=True)).to_be_visible()
            page.get_by_role("textbox", name="Password").fill(PASSWORD)
            page.get_by_role("button", name="Make the first account").click()
            expect(page.get_by_role("heading", name="Projects", exact=True)).to_be_visible()
            token = page.evaluate(MAKE_TOKEN)
            return Owner(email="mira@example.org", password=PASSWORD, session=page.context.storage_state(), token=token)
        except BaseException:
            watch.keep("first-account")
            raise


@pytest.fixture(scope="package")
def project(studio: Studio, owner: Owner) -> Iterator[Project]:
    """A project in which everything is there already: a table, a pipeline, a run, a model, an endpoint."""
    with Client(studio.url, owner.token) as client:
        yield furnish(client, "Harbour")


@pytest.fixture(scope="package")
def labels(project: Project) -> Labels:
    """Questions about pictures and texts in that project, some of them answered."""
    return furnish_labels(project.client)


Open = Callable[..., tuple[Page, Watch]]


@pytest.fixture
def open_page(studio: Studio, browser: Browser, owner: Owner, request: pytest.FixtureRequest) -> Iterator[Open]:
    """`open_page()` gives a page of the signed-in owner and its watch; `open_page(signed_in=False)` a stranger's."""
    opened: list[Watch] = []

    def make(*, signed_in: bool = True, size: dict[str, int] = DESK, scheme: str = "light", **more: Any) -> tuple[Page, Watch]:
        context = browser.new_context(
            base_url=studio.url,
            viewport=size,  # type: ignore[arg-type]  # the two numbers of ViewportSize
            color_scheme=scheme,  # type: ignore[arg-type]  # light or dark
            storage_state=owner.session if signed_in else None,
            **more,
        )
        context.set_default_timeout(15_000)
        page = context.new_page()
        opened.append(Watch(page))
        return page, opened[-1]

    yield make
    report = getattr(request.node, "report", None)
    for number, watch in enumerate(opened):
        if report is not None and report.failed:
            watch.keep(f"{request.node.name}{f'-{number}' if number else ''}")
        watch.page.context.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    if report.when == "call":
        item.report = report  # type: ignore[attr-defined]  # read by open_page
    return report


_numbers = itertools.count(1)


@pytest.fixture
def fresh_project(studio: Studio, owner: Owner) -> Iterator[Client]:
    """An empty project, as a client of it."""
    with Client(studio.url, owner.token) as client:
        client.project = client.create_project(f"Trial {next(_numbers)}")["slug"]
        yield client
