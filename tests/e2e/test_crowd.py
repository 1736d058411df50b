"""A hundred annotators at one queue of the real studio, whose web process is killed in the middle: what they were told holds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

from infra.supervisor.layout import ROOT
from infra.supervisor.studio import Studio
from tests.e2e.conftest import Owner
from tests.e2e.test_recovery import kill

MINUTES = 1.5
KILLED_AT_S = (30.0, 25.0)
"""Seconds until the web process is killed first, and from then until it is killed again."""


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_hundred_annotators_lose_nothing_and_double_nothing_while_web_is_killed(studio: Studio, owner: Owner) -> None:
    """The queue is so short that towards the end all of them compete for the last places, and for those that come back."""
    environment = {
        **os.environ,
        **studio.environment,
        "HEADRACE_BENCH_URL": studio.url,
        "HEADRACE_BENCH_PREDICTOR": studio.predictor_url,
        "HEADRACE_BENCH_MINUTES": str(MINUTES),
        "HEADRACE_BENCH_ITEMS": "1000",
    }
    crowd = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.crowd"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        for wait in KILLED_AT_S:
            time.sleep(wait)
            kill(studio, "web")
        told, said = crowd.communicate(timeout=600)
    finally:
        crowd.kill()
    assert crowd.returncode == 0, f"The crowd was told what the database does not say:\n{said[-6000:]}"
    rows = {row["name"]: row["ours"] for row in map(json.loads, told.splitlines())}
    assert (rows["lost"], rows["doubled"]) == (0, 0)
    acts = {name.removeprefix("did: ") for name in rows if name.startswith("did: ")}
    assert acts >= {"next", "draft", "submit", "change", "skip", "release", "comment", "lapsed"}, "The crowd did not do all that it should"
    assert any("Error" in name for name in rows if name.startswith("refused: ")), "Nobody was asking while the web process was killed"
