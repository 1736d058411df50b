"""Pictures of the studio, wide and narrow, light and dark: `python -m tests.e2e.pictures OUT_DIR [--demos digits,income]`.

For the README (`--only run,canvas --widths desk --schemes light`), and with `--all` every page and dialog (`album.py`) for looking
at the product: a hundred and more in four forms each, and a line for each that says what is wrong with it. Starts a studio of its
own with the demos' real data (kept under `--data-dir` if one is given, so that the next time is quick). Files are palette images,
small enough for a repository.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Error, Page

from infra.bootstrap.base import ROOT
from infra.supervisor import studio as studios
from infra.supervisor.studio import Studio
from tests.e2e.album import SHOTS, address, uncovered
from tests.e2e.browser import DESK, MAKE_TOKEN, PHONE, Watch, browser, sideways, until
from tests.e2e.stage import DIGITS, PASSWORD, PEOPLE, Stage, set_up
from tests.e2e.test_accessible import settle
from workers.sdk.client import Client

LARGEST = 250_000
"""Bytes of a picture: colours are taken away until it is no larger."""

LONGEST = 3600
"""Pixels of a tall picture."""

DEMOS = ("digits", "income", "bikes", "mails", "scenes", "mentions")
WIDTHS = {"desk": DESK, "phone": PHONE}
SCHEMES = ("light", "dark")


def account(studio: Studio) -> dict[str, str]:
    """The demo's owner: a one-time sign-in link and a token."""
    done = subprocess.run(
        [sys.executable, "-m", "infra.demo.account"], env=studio.environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def bring(client: Client, demo: str) -> None:
    """The demo's data, pipeline, run, model and endpoint; the endpoint is asked a few times, so that its page has traffic."""
    started = client.start_demo(demo)
    while started["status"] in ("queued", "running"):
        time.sleep(0.5)
        started = client.get_demo(started["id"])
    if started["status"] != "succeeded":
        raise SystemExit(f"The demo {demo} failed: {started['message']}")
    run = client.wait_for_run(started["run"])
    if run["status"] != "succeeded":
        raise SystemExit(f"The run of {demo} {run['status']}.")


def ask(client: Client) -> None:
    for endpoint in client.list_endpoints():
        known = client.get_endpoint(endpoint["slug"])
        columns = known["manifest"]["input"].get("columns")
        for _ in range(12 if columns else 0):
            client.predict(endpoint["slug"], [{c["name"]: c["example"] for c in columns if c.get("example") is not None}])


def pages(client: Client) -> dict[str, str]:
    """Name and address of what is worth a picture, with the things that are really there."""
    here = f"/p/{client.project}"
    found = {
        "projects": "/",
        "own-settings": "/settings",
        "overview": here,
        "datasets": f"{here}/datasets",
        "pipelines": f"{here}/pipelines",
        "templates": f"{here}/templates",
        "runs": f"{here}/runs",
        "models": f"{here}/models",
        "endpoints": f"{here}/endpoints",
        "settings": f"{here}/settings",
    }
    for dataset in client.list_datasets():
        found |= {f"dataset-{dataset['slug']}": f"{here}/datasets/{dataset['slug']}"}
        found |= {f"profile-{dataset['slug']}": f"{here}/datasets/{dataset['slug']}?tab=profile"}
    for pipeline in client.list_pipelines():
        found |= {f"canvas-{pipeline['slug']}": f"{here}/pipelines/{pipeline['slug']}"}
    for run in client.list_runs():
        for tab in ("artifacts", "charts", "logs", "timeline"):
            found |= {f"run-{run['pipeline']}-{tab}": f"{here}/runs/{run['id']}?tab={tab}"}
    for model in client.list_models():
        found |= {f"model-{model['slug']}": f"{here}/models/{model['slug']}"}
    for endpoint in client.list_endpoints():
        found |= {f"endpoint-{endpoint['slug']}": f"{here}/endpoints/{endpoint['slug']}"}
    return found


def save(png: bytes, path: Path) -> int:
    """As a palette image, with as many colours as fit into the limit; returns its size."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    for colours in (256, 128, 64, 32):
        image.quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(path, "PNG", optimize=True)
        if path.stat().st_size <= LARGEST:
            break
    return path.stat().st_size


def take(page: Page, out: Path, wanted: dict[str, str], width: str, scheme: str) -> None:
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    for name, url in wanted.items():
        errors.clear()
        path = out / f"{name}-{width}-{scheme}.png"
        try:
            page.goto(url)
            settle(page)
            page.wait_for_timeout(700)
            size = save(page.screenshot(), path)
            notes = [f"{size / 1000:.0f} kB"]
            if over := sideways(page):
                notes.append(f"can be scrolled {over} px to the side")
        except (Error, AssertionError) as exc:
            notes = [f"no picture: {str(exc).splitlines()[0]}"]
        print(path.name, ", ".join([*notes, *errors]), flush=True)


def enter(chromium: Browser, studio: Studio, link: str) -> tuple[Any, str]:
    """The owner's session, and a token for all projects (the one that `account` gives reaches only the demo's)."""
    context = chromium.new_context(base_url=studio.url)
    page = context.new_page()
    page.goto(link)
    settle(page)
    return context.storage_state(), str(page.evaluate(MAKE_TOKEN))


def sessions(chromium: Browser, studio: Studio, stage: Stage) -> dict[str, Any]:
    """The cookies of the others who look."""
    kept: dict[str, Any] = {"stranger": None}
    for who, email in (("viewer", stage.viewer), ("editor", PEOPLE["editor"][0]), ("newcomer", stage.newcomer)):
        context = chromium.new_context(base_url=studio.url)
        page = context.new_page()
        page.goto("/sign-in")
        page.get_by_label("E-mail").fill(email)
        page.get_by_role("textbox", name="Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", name="Projects", exact=True).wait_for()
        kept[who] = context.storage_state()
        context.close()
    return kept


def take_album(client: Client, chromium: Browser, studio: Studio, stage: Stage, who: dict[str, Any], chosen: argparse.Namespace) -> int:
    """Every shot in a page of its own, so that none sees what another did; the scheme changes under the open page. Returns how many
    could not be taken."""
    starts = tuple(filter(None, chosen.only.split(",")))
    failed, out, running = 0, chosen.out, ""
    for width in chosen.widths.split(","):
        for shot in SHOTS:
            if starts and not shot.name.startswith(starts):
                continue
            if "{s.runs[running]}" in shot.path and not running:  # only as long as it is looked at: it takes the processor from all others
                running = client.start_run(DIGITS, use_cache=False)["id"]
                stage = replace(stage, runs={**stage.runs, "running": running})
            elif running and "{s.runs[running]}" not in shot.path:
                client.cancel_run(running)
                running = ""
            context = chromium.new_context(
                base_url=studio.url,
                viewport=WIDTHS[width],  # type: ignore[arg-type]  # the two numbers of ViewportSize
                has_touch=width == "phone",
                storage_state=who[shot.as_],
                reduced_motion="reduce",
            )
            context.set_default_timeout(15_000)
            page = context.new_page()
            watch, notes = Watch(page), list[str]()
            try:
                page.goto(address(shot, stage))
                settle(page)
                if shot.act is not None:
                    shot.act(page)
                    page.wait_for_timeout(500)
                if shot.tall:
                    grow(page, WIDTHS[width])
                for scheme in chosen.schemes.split(","):
                    page.emulate_media(color_scheme=scheme)
                    if page.locator("#root").count():  # the page of a spent link has no program in it
                        until(page, f"document.documentElement.dataset.mantineColorScheme === '{scheme}'")
                    page.wait_for_timeout(700)  # text follows its ground a moment later
                    page.screenshot(path=out / f"{shot.name}-{width}-{scheme}.png")
                if over := sideways(page):
                    notes.append(f"can be scrolled {over} px to the side")
                notes += small(page) if width == "phone" else []
            except (Error, AssertionError) as exc:
                failed += 1
                notes.append("NO PICTURE: " + str(exc).splitlines()[0])
                page.screenshot(path=out / f"{shot.name}-{width}-FAILED.png")
            context.close()
            print(f"{shot.name}-{width}", "; ".join([*notes, *watch.errors]), flush=True)
    return failed


def grow(page: Page, size: dict[str, int]) -> None:
    """Make the window as high as what its page holds, so that nothing is left out below; at most LONGEST."""
    hidden = page.evaluate(
        """() => Math.max(0, ...[document.documentElement, ...document.querySelectorAll('main')]
          .map((e) => e.scrollHeight - e.clientHeight))"""
    )
    if hidden > 0:
        page.set_viewport_size({"width": size["width"], "height": min(LONGEST, size["height"] + hidden)})
        page.wait_for_timeout(400)


def small(page: Page) -> list[str]:
    """What a finger would miss: under 24 px in either direction (WCAG 2.2, 2.5.8), but for links inside text."""
    found = page.evaluate(
        """() => [...document.querySelectorAll('button, a[href], input, summary, [role=button], [role=tab], [role=option]')]
          .filter((e) => { const b = e.getBoundingClientRect(), s = getComputedStyle(e)
            return b.width > 1 && b.height > 1 && (b.width < 24 || b.height < 24) && s.visibility !== 'hidden' && s.display !== 'inline'
              && !e.closest('.react-flow, [aria-hidden=true]') && !e.labels?.length })
          .map((e) => `${e.tagName.toLowerCase()} “${(e.getAttribute('aria-label') || e.textContent || '').trim().slice(0, 30)}” ${
            Math.round(e.getBoundingClientRect().width)}×${Math.round(e.getBoundingClientRect().height)}`)"""
    )
    return [f"small: {', '.join(sorted(set(found))[:8])}"] if found else []


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    options.add_argument("out", type=Path)
    options.add_argument("--demos", default="digits,income", help="comma-separated; their data come from package registries (`--all`: all)")
    options.add_argument("--data-dir", type=Path, default=None, help="a studio's data to use, or to keep for the next time")
    options.add_argument("--only", default="", help="comma-separated beginnings of names")
    options.add_argument("--widths", default="desk,phone")
    options.add_argument("--schemes", default=",".join(SCHEMES))
    options.add_argument("--all", action="store_true", help="every page and dialog, not only the main pages")
    chosen = options.parse_args()
    if missing := uncovered():
        raise SystemExit(f"No picture shows {', '.join(sorted(missing))}: add a shot to tests/e2e/album.py.")
    chosen.out.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="hr-pictures-", ignore_cleanup_errors=True) as folder,
        studios.start(chosen.data_dir or Path(folder) / "data", "--port", "0") as studio,
        browser() as chromium,
    ):
        owner = account(studio)
        session, token = enter(chromium, studio, owner["link"])
        with Client(studio.url, token, owner["project"]) as client:
            for demo in DEMOS if chosen.all else filter(None, chosen.demos.split(",")):
                bring(client, demo)
            ask(client)
            if chosen.all:
                stage = set_up(client)
                who = {"owner": session, **sessions(chromium, studio, stage)}
                failed = take_album(client, chromium, studio, stage, who, chosen)
                raise SystemExit(f"{failed} pictures could not be taken." if failed else 0)
            everything = pages(client)
        starts = tuple(filter(None, chosen.only.split(",")))
        wanted = {name: address for name, address in everything.items() if not starts or name.startswith(starts)}
        for width in chosen.widths.split(","):
            for scheme in chosen.schemes.split(","):
                shown = chromium.new_context(
                    base_url=studio.url,
                    viewport=WIDTHS[width],  # type: ignore[arg-type]  # the two numbers of ViewportSize
                    color_scheme=scheme,
                    storage_state=session,
                    reduced_motion="reduce",
                )
                take(shown.new_page(), chosen.out, wanted, width, scheme)
                shown.close()
        if not starts:
            stranger = chromium.new_context(base_url=studio.url, viewport=WIDTHS["desk"])  # type: ignore[arg-type]  # as above
            take(stranger.new_page(), chosen.out, {"sign-in": "/sign-in"}, "desk", "light")


if __name__ == "__main__":
    main()
