"""Real services for every test: PostgreSQL and Valkey of this session's own, in a temporary folder, on Unix sockets."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from infra.supervisor import postgres, valkey
from tests import tables

_started: list[subprocess.Popen[bytes]] = []
_folder: Path | None = None


def _start() -> None:
    """As a plugin named in pyproject.toml, so that this runs before pytest-django reads the settings."""
    global _folder
    _folder = Path(tempfile.mkdtemp(prefix="hr-test-"))
    _folder.chmod(0o755)
    sockets = _folder / "s"
    sockets.mkdir(mode=0o777)
    sockets.chmod(0o777)
    pg = _folder / "pg"
    if who := postgres.account():
        os.chown(_folder, who.pw_uid, who.pw_gid)
    tables.copy(pg)
    log = (_folder / "services.log").open("wb")
    _started.append(subprocess.Popen([*postgres.command(pg, sockets), "-F"], stdout=log, stderr=log, cwd="/", **postgres.demotion()))  # type: ignore[call-overload]  # demotion's values differ in type
    (_folder / "vk").mkdir()
    _started.append(subprocess.Popen(valkey.command(_folder / "vk", sockets / "vk.sock"), stdout=log, stderr=log))
    os.environ.update(
        HEADRACE_DATA_DIR=str(_folder / "data"),
        DATABASE_URL=f"postgresql://headrace@/postgres?host={sockets}",
        BROKER_URL=f"redis+socket://{sockets}/vk.sock",
        SECRET_KEY=SECRET,
        DJANGO_SETTINGS_MODULE="backend.config.settings",
    )
    os.environ.pop("ARTIFACT_URL", None)
    tables.wait(os.environ["DATABASE_URL"], _folder / "services.log")


def _gives_out() -> bool:
    """Whether this process only gives tests to others (`pytest -n`), each of which has services of its own."""
    return "PYTEST_XDIST_WORKER" not in os.environ and any(a == "-n" or a.startswith(("-n", "--numprocesses")) for a in sys.argv[1:])


SECRET = "only-for-tests-" + "x" * 40
if _gives_out():
    os.environ["SECRET_KEY"] = SECRET
else:
    _start()


def pytest_unconfigure(config: pytest.Config) -> None:
    for child in reversed(_started):
        child.terminate() if child is not _started[0] else child.send_signal(2)
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
    if _folder is not None:
        shutil.rmtree(_folder, ignore_errors=True)
