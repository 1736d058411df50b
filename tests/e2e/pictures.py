"""Pictures of every main page, wide and narrow, light and dark: `python -m tests.e2e.pictures OUT_DIR [--demos digits,income]`.

For looking at the product, and for the README (`--only run,canvas --widths desk --schemes light`). Starts a studio of its own with
the demos' real data (kept under `--data-dir` if one is given, so that the next time is quick). Files are palette images, small
enough for a repository.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import Error, Page

from infra.bootstrap.base import ROOT
from infra.supervisor import studio as studios
from infra.supervisor.studio import Studio
from tests.e2e.browser import DESK, PHONE, browser, sideways
from tests.e2e.test_accessible import settle
from workers.sdk.client import Client

LARGEST = 250_000
"""Bytes of a picture: colours are taken away until it is no larger."""

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
    for name, address in wanted.items():
        errors.clear()
        path = out / f"{name}-{width}-{scheme}.png"
        try:
            page.goto(address)
            settle(page)
            page.wait_for_timeout(700)
            size = save(page.screenshot(), path)
            notes = [f"{size / 1000:.0f} kB"]
            if over := sideways(page):
                notes.append(f"can be scrolled {over} px to the side")
        except (Error, AssertionError) as exc:
            notes = [f"no picture: {str(exc).splitlines()[0]}"]
        print(path.name, ", ".join([*notes, *errors]), flush=True)


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    options.add_argument("out", type=Path)
    options.add_argument("--demos", default="digits,income", help="comma-separated; their data come from package registries")
    options.add_argument("--data-dir", type=Path, default=None, help="a studio's data to use, or to keep for the next time")
    options.add_argument("--only", default="", help="comma-separated beginnings of names")
    options.add_argument("--widths", default="desk,phone")
    options.add_argument("--schemes", default=",".join(SCHEMES))
    chosen = options.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="hr-pictures-", ignore_cleanup_errors=True) as folder,
        studios.start(chosen.data_dir or Path(folder) / "data", "--port", "0") as studio,
        browser() as chromium,
    ):
        owner = account(studio)
        with Client(studio.url, owner["token"], owner["project"]) as client:
            for demo in filter(None, chosen.demos.split(",")):
                bring(client, demo)
            ask(client)
            everything = pages(client)
        starts = tuple(filter(None, chosen.only.split(",")))
        wanted = {name: address for name, address in everything.items() if not starts or name.startswith(starts)}
        context = chromium.new_context(base_url=studio.url)
        context.new_page().goto(owner["link"])
        session = context.storage_state()
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
