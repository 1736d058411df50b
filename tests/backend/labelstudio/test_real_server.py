"""The same synchronisation with Label Studio itself, in an environment of its own: it cannot be installed beside us."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from label_studio_sdk.client import LabelStudio

from tests import label_studio as real
from tests.backend.labelstudio.conftest import CHOICES, Running, mood
from tests.backend.labelstudio.test_sync import said


@pytest.fixture(scope="module")
def label_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("label-studio")
    try:
        real.installed()
    except real.CannotInstall as exc:
        pytest.skip(f"label-studio cannot be installed here: {exc}")  # a machine without a package index
    with real.running(folder) as url:
        yield url


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_label_studio_itself_has_the_same(running: Running, label_studio: str) -> None:
    here, there = running.client("olga"), LabelStudio(base_url=label_studio, api_key=real.TOKEN)
    ours = here.projects.create(title="With the real one", label_config=CHOICES).id
    theirs = there.projects.create(title="Theirs", label_config=CHOICES).id
    here.projects.import_tasks(ours, request=[{"data": {"text": "here"}, "annotations": [{"result": mood("good")}]}])
    there.projects.import_tasks(theirs, request=[{"data": {"text": "there"}, "annotations": [{"result": mood("bad")}]}])
    base = f"{running.url}/api/v1/projects/lab/label-schemas/with-the-real-one/link"
    with httpx.Client(headers={"Authorization": f"Bearer {running.tokens['olga']}"}) as client:
        assert client.put(base, json={"url": label_studio, "token": real.TOKEN, "remote": theirs}).status_code == 202
        while (link := client.get(base).json()["link"])["status"] in ("queued", "running"):
            time.sleep(0.2)
    assert link["status"] == "ready", link
    assert said(here, ours) == said(there, theirs) == {"here": "good", "there": "bad"}
