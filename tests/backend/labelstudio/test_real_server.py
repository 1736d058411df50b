"""The same synchronisation with Label Studio itself, in an environment of its own: it cannot be installed beside us."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from label_studio_sdk.client import LabelStudio

from tests.backend.labelstudio.conftest import CHOICES, Running, mood
from tests.backend.labelstudio.test_sync import said

TOKEN = "a1" * 20


@pytest.fixture(scope="module")
def label_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("label-studio")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    installed = subprocess.run(
        [str(folder / "venv/bin/pip"), "install", "-q", "label-studio"], capture_output=True, text=True, timeout=1500, check=False
    )
    if installed.returncode:
        pytest.skip(
            f"label-studio cannot be installed here: {installed.stderr.strip().splitlines()[-1:]}"
        )  # a machine without a package index
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    strange = ("DATABASE_URL", "DJANGO_SETTINGS_MODULE", "SECRET_KEY")
    environment = {k: v for k, v in os.environ.items() if k not in strange} | {"LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true"}
    account = ["--username", "sam@other.example", "--password", "the mill turns by night", "--user-token", TOKEN]
    place = ["--no-browser", "--data-dir", str(folder / "data"), "--port", str(port)]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [str(folder / "venv/bin/label-studio"), "start", *place, *account], env=environment, stdout=log, stderr=log
        )
        try:
            url = f"http://127.0.0.1:{port}"
            until = time.monotonic() + 240
            while time.monotonic() < until and server.poll() is None:
                with contextlib.suppress(httpx.HTTPError):
                    if httpx.get(f"{url}/health").status_code == 200:
                        break
                time.sleep(0.5)
            else:
                raise AssertionError((folder / "log").read_text()[-2000:])
            yield url
        finally:
            server.terminate()
            server.wait(30)


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_label_studio_itself_has_the_same(running: Running, label_studio: str) -> None:
    here, there = running.client("olga"), LabelStudio(base_url=label_studio, api_key=TOKEN)
    ours = here.projects.create(title="With the real one", label_config=CHOICES).id
    theirs = there.projects.create(title="Theirs", label_config=CHOICES).id
    here.projects.import_tasks(ours, request=[{"data": {"text": "here"}, "annotations": [{"result": mood("good")}]}])
    there.projects.import_tasks(theirs, request=[{"data": {"text": "there"}, "annotations": [{"result": mood("bad")}]}])
    base = f"{running.url}/api/v1/projects/lab/label-schemas/with-the-real-one/link"
    with httpx.Client(headers={"Authorization": f"Bearer {running.tokens['olga']}"}) as client:
        assert client.put(base, json={"url": label_studio, "token": TOKEN, "remote": theirs}).status_code == 202
        while (link := client.get(base).json()["link"])["status"] in ("queued", "running"):
            time.sleep(0.2)
    assert link["status"] == "ready", link
    assert said(here, ours) == said(there, theirs) == {"here": "good", "there": "bad"}
