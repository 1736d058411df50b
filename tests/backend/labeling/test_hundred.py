"""A hundred annotators at one queue of a real studio, whose web process is killed under them: what they were told holds."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.supervisor import studio as studios
from infra.supervisor.layout import ROOT
from infra.supervisor.studio import Studio
from tests import tables

MINUTES = 1.5
KILLED_AFTER_S = (30.0, 25.0)
"""Seconds until the web process is killed, and from when it is back until it is killed again."""
THIS_SESSIONS = ("DATABASE_URL", "BROKER_URL", "ARTIFACT_URL", "HEADRACE_DATA_DIR", "SECRET_KEY", "DJANGO_SETTINGS_MODULE", "PUBLIC_URL")


@pytest.fixture
def studio() -> Iterator[Studio]:
    kept = {name: os.environ.pop(name) for name in THIS_SESSIONS if name in os.environ}
    folder = Path(tempfile.mkdtemp(prefix="hr-hundred-"))
    folder.chmod(0o711)  # PostgreSQL may run as another account
    try:
        tables.furnish(folder)
        with studios.start(folder, "--port", "0", "--gpu", "none", "--workers-cpu", "1") as running:
            yield running
    finally:
        os.environ.update(kept)
        shutil.rmtree(folder, ignore_errors=True)


def kill_web(studio: Studio) -> None:
    """kill -9; returns once the supervisor has started another."""
    pid = int(studio.now()["children"]["web"]["pid"])
    os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + 60
    while studio.now()["children"]["web"].get("pid") in (None, pid):
        assert time.monotonic() < until, "web was not started again"
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_hundred_annotators_lose_nothing_and_double_nothing_while_web_is_killed(studio: Studio, tmp_path: Path) -> None:
    """The queue is so short that towards the end all of them compete for the last places, and for those that come back."""
    environment = {
        **os.environ,
        **studio.environment,
        "HEADRACE_BENCH_URL": studio.url,
        "HEADRACE_BENCH_PREDICTOR": studio.predictor_url,
        "HEADRACE_BENCH_MINUTES": str(MINUTES),
        "HEADRACE_BENCH_ITEMS": "1000",
    }
    told, said = tmp_path / "told", tmp_path / "said"  # files: nobody reads a pipe while web is killed
    with told.open("w") as out, said.open("w") as err:
        crowd = subprocess.Popen([sys.executable, "-m", "tests.bench.crowd"], cwd=ROOT, env=environment, stdout=out, stderr=err)
    try:
        for wait in KILLED_AFTER_S:
            time.sleep(wait)
            kill_web(studio)
        crowd.wait(timeout=600)
    finally:
        crowd.kill()
    assert crowd.returncode == 0, f"The crowd was told what the database does not say:\n{said.read_text()[-6000:]}"
    rows = {row["name"]: row["ours"] for row in map(json.loads, told.read_text().splitlines())}
    assert (rows["lost"], rows["doubled"]) == (0, 0)
    acts = {name.removeprefix("did: ") for name in rows if name.startswith("did: ")}
    assert acts >= {"next", "draft", "submit", "change", "skip", "release", "comment", "lapsed"}, "The crowd did not do all that it should"
    assert any("Error" in name for name in rows if name.startswith("refused: ")), "Nobody was asking while the web process was killed"
