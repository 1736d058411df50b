"""Parts of the studio are killed under an open page: it says so, comes back by itself, and the run it shows finishes."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from infra.supervisor.studio import Studio
from tests.e2e.conftest import Open
from tests.e2e.furnish import bring, pipeline
from tests.e2e.material import shapes
from workers.sdk.client import Client


def kill(studio: Studio, name: str) -> None:
    """kill -9, as the kernel does it when memory is short; returns once the supervisor has started a new one."""
    child = studio.now()["children"][name]
    os.kill(int(child["pid"]), signal.SIGKILL)
    until = time.monotonic() + 60
    while studio.now()["children"][name].get("pid") in (None, child["pid"]):
        assert time.monotonic() < until, f"{name} was not started again"
        time.sleep(0.05)


@pytest.fixture
def training(fresh_project: Client, tmp_path: Path) -> Client:
    """A project whose pipeline trains for about half a minute."""
    dataset = bring(fresh_project, shapes(tmp_path / "shapes.zip"), "Shapes")
    pipeline(fresh_project, "image-classification", dataset, "Slow", train={"epochs": 400, "patience": 0, "batch_size": 16})
    return fresh_project


def start(page: Page, client: Client) -> None:
    """Run the pipeline from its page and wait until the network trains."""
    page.goto(f"/p/{client.project}/pipelines/slow")
    page.locator("header").get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url("**/runs/*")
    expect(page.get_by_role("button", name=re.compile("^Train an image classifier: running"))).to_be_visible(timeout=60_000)
    page.evaluate("window.sameDocument = true")


def finished(page: Page, client: Client) -> None:
    """The page shows the end by itself, and the studio says the same: each step once, none given up."""
    expect(page.get_by_role("button", name=re.compile("^Register a model: succeeded"))).to_be_visible(timeout=150_000)
    assert page.evaluate("window.sameDocument === true"), "The page had to be loaded anew"
    run = client.get_run(page.url.split("?")[0].rsplit("/", 1)[1])
    assert run["status"] == "succeeded"
    assert len(client.list_model_versions(client.list_models()[0]["slug"])) == 1, "The model was registered twice"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_page_recovers_when_web_and_predictor_are_killed_during_a_run(open_page: Open, studio: Studio, training: Client) -> None:
    page, _ = open_page()
    start(page, training)
    kill(studio, "predictor")
    kill(studio, "web")
    expect(page.get_by_text("The studio does not answer.")).to_be_visible(timeout=10_000)
    expect(page.get_by_text("The studio does not answer.")).to_be_hidden(timeout=30_000)
    finished(page, training)
    # The predictor that was killed answers for what is deployed now.
    endpoint = training.deploy(training.list_models()[0]["slug"])
    page.goto(f"/p/{training.project}/endpoints/{endpoint['slug']}")
    expect(page.locator('main [data-status="live"]').first).to_be_visible(timeout=10_000)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", ["postgres", "valkey"])
def test_a_run_finishes_under_the_users_eyes_when_a_service_is_killed(part: str, open_page: Open, studio: Studio, training: Client) -> None:
    page, _ = open_page()
    start(page, training)
    kill(studio, part)
    finished(page, training)
