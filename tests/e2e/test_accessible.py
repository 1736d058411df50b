"""Every page: nothing axe calls serious, in both colour schemes; a quiet console; no wider than a phone. Dialogs: by keyboard."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Error, Page, Route, expect

from infra.supervisor.studio import Studio
from tests.e2e.browser import DESK, PHONE, Watch, sideways, until
from tests.e2e.conftest import Owner
from tests.e2e.furnish import Project
from tests.e2e.labels import Labels
from tests.e2e.versions import furnish_versions

PAGES = {
    "sign-in": "/sign-in",
    "projects": "/",
    "own settings": "/settings",
    "overview": "/p/{p.slug}",
    "data sets": "/p/{p.slug}/datasets",
    "data set": "/p/{p.slug}/datasets/{p.dataset}",
    "draft of a data set": "/p/{p.slug}/datasets/late-customers",
    "profile": "/p/{p.slug}/datasets/{p.dataset}?tab=profile",
    "versions side by side": "/p/{p.slug}/datasets/{v}/compare",
    "images": "/p/{p.slug}/datasets/shapes",
    "pipelines": "/p/{p.slug}/pipelines",
    "canvas": "/p/{p.slug}/pipelines/{p.pipeline}",
    "templates": "/p/{p.slug}/templates",
    "runs": "/p/{p.slug}/runs",
    "run": "/p/{p.slug}/runs/{p.run}",
    "models": "/p/{p.slug}/models",
    "model": "/p/{p.slug}/models/{p.model}",
    "endpoints": "/p/{p.slug}/endpoints",
    "endpoint": "/p/{p.slug}/endpoints/{p.endpoint}",
    "project settings": "/p/{p.slug}/settings",
    "members": "/p/{p.slug}/settings?tab=members",
    "audit log": "/p/{p.slug}/settings?tab=audit",
    "about a data set": "/p/{p.slug}/datasets/{p.dataset}?tab=about",
    "runs side by side": "/p/{p.slug}/runs/compare?ids={p.run},{p.second_run}",
    "timeline of a run": "/p/{p.slug}/runs/{p.run}?tab=timeline",
    "log of a run": "/p/{p.slug}/runs/{p.run}?tab=logs",
    "model card": "/p/{p.slug}/models/{p.model}?tab=card",
    "lineage": "/p/{p.slug}/models/{p.model}?tab=lineage",
    "parameters of a model": "/p/{p.slug}/models/{p.model}?tab=parameters",
    "empty project": "/p/{p.empty}",
    "no data sets": "/p/{p.empty}/datasets",
    "no pipelines": "/p/{p.empty}/pipelines",
    "no runs": "/p/{p.empty}/runs",
    "no models": "/p/{p.empty}/models",
    "no endpoints": "/p/{p.empty}/endpoints",
    "sign-up": "/sign-up",
    "forgotten password": "/forgotten",
    "new password": "/reset/hr_unknown",
    "invitation": "/invitations/{p.invitation}",
    "spent invitation": "/invitations/hr_spent",
    "no such page": "/nowhere",
    "no such project": "/p/none",
    "no such pipeline": "/p/{p.slug}/pipelines/none",
    "no such run": "/p/{p.slug}/runs/00000000-0000-0000-0000-000000000000",
    "labels": "/p/{p.slug}/labels",
    "new label schema": "/p/{p.slug}/labels/new?dataset=reviews",
    "label schema": "/p/{p.slug}/labels/{l.pictures}",
    "queue of a label schema": "/p/{p.slug}/labels/{l.pictures}?tab=items",
    "question of a label schema": "/p/{p.slug}/labels/{l.texts}?tab=question",
    "assignments": "/p/{p.slug}/labels/{l.pictures}?tab=assignments",
    "labelling a picture": "/p/{p.slug}/labels/{l.pictures}/label?item={l.item}",
    "labelling a text": "/p/{p.slug}/labels/{l.texts}/label",
    "labelling a sound": "/p/{p.slug}/labels/{l.sounds}/label",
    "labelling a video": "/p/{p.slug}/labels/{l.films}/label",
    "sounds of a data set": "/p/{p.slug}/datasets/harbour-calls",
    "nothing to review": "/p/{p.slug}/labels/{l.pictures}/review",
    "a labelled item": "/p/{p.slug}/labels/{l.pictures}/items/{l.item}",
    "workers": "/p/{p.slug}/workers",
    "triggers": "/p/{p.slug}/triggers",
    "approvals": "/p/{p.slug}/approvals",
    "secrets": "/p/{p.slug}/settings?tab=secrets",
    "no such model": "/p/{p.slug}/models/none",
    "no such endpoint": "/p/{p.slug}/endpoints/none",
}
STRANGERS = {"sign-in", "sign-up", "forgotten password", "new password", "invitation", "spent invitation"}
"""Pages for who is not signed in: the studio asks who is there and is refused."""
REFUSED = STRANGERS | {name for name in PAGES if name.startswith("no such")}

SELDOM = {name for name in PAGES if name.startswith("no ")} | {
    "spent invitation", "forgotten password", "about a data set", "parameters of a model", "lineage", "timeline of a run", "own settings",
    "nothing to review", "members", "secrets", "question of a label schema", "assignments", "log of a run", "model card", "new password",
    "sign-up", "invitation", "runs side by side", "audit log", "approvals", "templates",
}  # fmt: skip
"""Other states and tabs of pages that are looked at every day: looked at with all tests."""

DIALOGS = {
    "New token": "own settings",
    "Invite": "members",
    "Archive this project…": "project settings",
    "New pipeline": "pipelines",
    "Run again…": "run",
    "New project": "projects",
    "Add a host": "workers",
    "New trigger": "triggers",
    "New secret": "secrets",
    "Run": "canvas",
    "Assign items": "assignments",
}
RARE = {"Run again…", "Add a host", "Invite", "New token", "Archive this project…", "New pipeline", "New project", "New secret"}
"""Dialogs of one field, or like others: with all tests."""
FURTHER: dict[str, Callable[[Page], None]] = {
    "Add a host": lambda page: page.get_by_role("button", name="Make the command").click(),
    "New trigger": lambda page: page.get_by_role("radio", name="Schedule").click(),
    "Run": lambda page: page.get_by_role("switch", name="Dry run").check(force=True),
}
"""What is done in a dialog for the rest of it to show."""


def settle(page: Page) -> None:
    """Until what was asked for is shown and drawn."""
    page.wait_for_load_state("load")
    page.locator("h1").first.wait_for(state="attached")
    page.wait_for_function(
        '() => !document.querySelector(\'[aria-busy="true"], .mantine-Skeleton-root, .mantine-Loader-root, [aria-label="Loading"]\')'
    )
    page.wait_for_timeout(400)


STILL = "document.getAnimations().every((a) => a.playState !== 'running' || a.effect?.getComputedTiming().endTime === Infinity)"
"""Colours of another scheme fade in: axe would measure what nobody sees for longer than a moment."""


def dark(page: Page) -> None:
    """The dark scheme, once it is there."""
    page.emulate_media(color_scheme="dark")
    until(page, "document.documentElement.dataset.mantineColorScheme === 'dark'")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # the two numbers of ViewportSize
    page.wait_for_timeout(100)
    until(page, STILL)


ASKED = {"resultTypes": ["violations"]}
"""All rules; only what is wrong is told in full. Describing what is right takes two thirds of axe's time on a large page."""


def serious(page: Page) -> list[str]:
    """What axe finds and calls serious or critical, a line each."""
    found: list[dict[str, Any]] = Axe().run(page, options=ASKED).response["violations"]
    lines = []
    for rule in found:
        if rule["impact"] in ("serious", "critical"):
            for node in rule["nodes"][:4]:
                why = (node["any"] or node["all"] or node["none"] or [{"message": ""}])[0]["message"]
                lines.append(f"{rule['id']} ({rule['help']}): {node['html'][:160]} … {why[:140]}")
    return lines


@pytest.fixture(scope="module")
def tabs(browser: Browser, studio: Studio, owner: Owner) -> dict[bool, tuple[Page, Watch]]:
    """A tab of the owner and one of a stranger, each for all pages: a browser that knows the studio's files already takes half the time."""
    made = {}
    for signed_in in (True, False):
        context = browser.new_context(base_url=studio.url, storage_state=owner.session if signed_in else None, reduced_motion="reduce")
        context.set_default_timeout(15_000)
        page = context.new_page()
        made[signed_in] = page, Watch(page)
    return made


@pytest.fixture
def tab(request: pytest.FixtureRequest, tabs: dict[bool, tuple[Page, Watch]]) -> Iterator[Callable[[bool], tuple[Page, Watch]]]:
    """`tab(signed_in)`: the one or the other, empty, as wide as a desk, in light."""
    used: list[Watch] = []

    def show(signed_in: bool) -> tuple[Page, Watch]:
        page, watch = tabs[signed_in]
        page.goto("about:blank")
        page.set_viewport_size(DESK)  # type: ignore[arg-type]  # the two numbers of ViewportSize
        page.emulate_media(color_scheme="light")
        watch.clear()
        used.append(watch)
        return page, watch

    yield show
    report = getattr(request.node, "report", None)
    if report is not None and report.failed:
        for watch in used:
            watch.keep(request.node.name)


Tab = Callable[[bool], tuple[Page, Watch]]


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] if name in SELDOM else []) for name in PAGES])
def test_a_page_serves_everybody(name: str, tab: Tab, project: Project, labels: Labels) -> None:
    page, watch = tab(name not in STRANGERS)
    page.goto(PAGES[name].format(p=project, l=labels, v=furnish_versions(project.client) if "{v}" in PAGES[name] else ""))
    settle(page)
    found = [f"desk, light: {line}" for line in serious(page)]
    dark(page)
    settle(page)
    found += [f"phone, dark: {line}" for line in serious(page)]
    if over := sideways(page):
        found.append(f"phone: the page can be scrolled {over} px to the side")
    found += [f"console: {line}" for line in watch.errors]
    if name not in REFUSED:
        found += [f"refused: {line}" for line in watch.requests]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("button", [pytest.param(name, marks=[pytest.mark.slow] if name in RARE else []) for name in DIALOGS])
def test_a_dialog_is_opened_left_and_returned_from_without_a_mouse(button: str, tab: Tab, project: Project, labels: Labels) -> None:
    page, watch = tab(True)
    page.goto(PAGES[DIALOGS[button]].format(p=project, l=labels))
    settle(page)
    opener = page.get_by_role("button", name=button, exact=True).first
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    until(page, "document.querySelector('[role=dialog]').contains(document.activeElement)")
    page.wait_for_timeout(300)
    found = [f"desk, light: {line}" for line in serious(page)]
    if further := FURTHER.get(button):
        further(page)
        page.wait_for_timeout(400)
        found += [f"desk, light, further: {line}" for line in serious(page)]
    dark(page)
    page.wait_for_timeout(300)
    found += [f"phone, dark: {line}" for line in serious(page)]
    if over := sideways(page):
        found.append(f"phone: the page can be scrolled {over} px to the side")
    assert not found, "\n".join(found)
    page.set_viewport_size(DESK)  # type: ignore[arg-type]  # as above
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    until(page, f"document.activeElement?.textContent?.trim() === {json.dumps(button)}")
    assert watch.errors == []


def test_focus_comes_into_the_run_dialog_before_its_check_is_done(tab: Tab, project: Project) -> None:
    """Its Run cannot be pressed until then, and what is disabled takes no focus."""
    page, watch = tab(True)
    held: list[Route] | None = []

    def check(route: Route) -> None:
        if held is None:
            route.continue_()
        else:
            held.append(route)

    page.route("**/pipelines/check", check)
    try:
        page.goto(PAGES[DIALOGS["Run"]].format(p=project))
        opener = page.get_by_role("button", name="Run", exact=True).first
        opener.focus()
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog")
        run = dialog.get_by_role("button", name="Run", exact=True)
        expect(run).to_be_disabled()
        until(page, "document.querySelector('[role=dialog]').contains(document.activeElement)")
        asked, held = held or [], None
        for route in asked:
            with contextlib.suppress(Error):  # the page has asked anew and given this one up
                route.continue_()
        expect(run).to_be_focused()
        page.keyboard.press("Escape")
        dialog.wait_for(state="hidden")
    finally:
        page.unroute("**/pipelines/check")
    assert watch.errors == []
