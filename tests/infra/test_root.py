"""As root: PostgreSQL runs as another account, which must reach its programs and its data wherever the clone lies."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from infra.supervisor import postgres, studio

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="as an ordinary user PostgreSQL runs as oneself, and everything is reachable")


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="hr-shared-"))
    folder.chmod(0o755)
    monkeypatch.setenv("HEADRACE_SHARED_DIR", str(folder))
    for name in ("HEADRACE_DATA_DIR", "DATABASE_URL", "BROKER_URL", "ARTIFACT_URL", "SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    postgres.installation.cache_clear()
    yield folder
    postgres.installation.cache_clear()
    shutil.rmtree(folder, ignore_errors=True)


def test_under_a_closed_home_the_database_lies_where_its_account_can_reach_it(shared: Path, tmp_path: Path) -> None:
    home = tmp_path / "closed home"
    home.mkdir(mode=0o700)
    with studio.start(home / "data", services_only=True) as running:
        link = home / "data" / "postgres"
        assert link.is_symlink() and link.resolve().is_relative_to(shared)
        server = psutil.Process(running.now()["children"]["postgres"]["pid"])
        assert server.uids().real == postgres.account().pw_uid != 0  # type: ignore[union-attr]  # root has an account for it
        first = link.resolve()
    shutil.rmtree(home / "data")
    with studio.start(home / "data", services_only=True):
        assert (home / "data" / "postgres").resolve() == first
    assert len(list(first.parent.glob("postgres*"))) == 2, "the removed directory's database is neither used nor thrown away"


def test_programs_that_its_account_cannot_reach_are_copied_and_run(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "reachable", lambda path, who: False)
    programs = postgres.installation() / "bin"
    assert programs.is_relative_to(shared)
    told = subprocess.run([programs / "initdb", "--version"], check=False, capture_output=True, text=True, cwd="/", **postgres.demotion())  # type: ignore[call-overload]  # its values differ in type
    assert told.returncode == 0 and "PostgreSQL" in told.stdout, told.stderr
