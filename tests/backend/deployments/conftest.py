"""A project, its people, and a real predictor on the test's database."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import connection

from backend.core.models import Project
from tests.backend.people import Person, person


class Predictor:
    def __init__(self, folder: Path):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url, self.folder = f"http://127.0.0.1:{self.port}", folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        at = connection.settings_dict
        environment = {
            **os.environ,
            "DATABASE_URL": f"postgresql://{at['USER']}@/{at['NAME']}?host={at['HOST']}",
            "ARTIFACT_URL": str(self.folder / "artifacts"),
            "HEADRACE_DATA_DIR": str(self.folder),
        }
        self.process = subprocess.Popen([sys.executable, "-m", "workers.serving", "--port", str(self.port)], env=environment)
        until(lambda: httpx.get(self.url + "/healthz", trust_env=False).status_code == 200)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
            self.process = None


def until(true: Any) -> None:
    for _ in range(300):
        try:
            if true():
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError("waited 30 s in vain")


@pytest.fixture
def predictor(transactional_db: None, settings: Any, tmp_path: Path) -> Iterator[Predictor]:
    """Not started yet."""
    made = Predictor(tmp_path)
    settings.PREDICTOR_URL, settings.PREDICTOR_PUBLIC_URL = made.url, "https://predict.example"
    settings.ARTIFACT_URL = str(tmp_path / "artifacts")
    yield made
    made.stop()


@pytest.fixture
def project(transactional_db: None) -> Project:
    return Project.objects.create(slug="lab", name="Lab")


@pytest.fixture
def owner(project: Project) -> Person:
    return person(project, "owner")
