"""What the bootstrap decides, without installing anything: that takes minutes and is done by hand and in CI's first step."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.bootstrap import base, pages, python
from infra.supervisor.layout import ROOT


def test_the_locks_name_exact_versions_with_hashes_and_keep_markers() -> None:
    for lock in (base.RUNTIME_LOCK, base.TOOLS_LOCK, base.NODE_LOCK):
        text = lock.read_text()
        pins = base.pins(lock)
        assert pins and all("--hash" not in pin and not pin.endswith("\\") for pin in pins)
        assert text.count("--hash=sha256:") >= len(pins), f"{lock.name}: every requirement needs a hash"
    assert not any(pin.startswith("torch==") for pin in base.pins(base.RUNTIME_LOCK)), "torch is installed by name"
    assert python.torch_version().count(".") == 2


def test_an_old_python_gets_a_sentence() -> None:
    """The check must come before anything that an old Python cannot read."""
    code = (
        "import sys, runpy; sys.version_info = (3, 9, 2, 'final', 0); sys.prefix = '/nowhere'; sys.argv = ['manage.py', 'up']\n"
        f"runpy.run_path({str(ROOT / 'manage.py')!r}, run_name='__main__')"
    )
    refused = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert refused.returncode == 1
    assert refused.stderr.startswith("Headrace needs Python 3.11") and "Traceback" not in refused.stderr


def test_a_python_without_venv_gets_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(base.Failed, match="python3-venv"):
        python.make()


def test_a_failing_program_gives_its_own_words_and_names_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "LOG", tmp_path / "log")
    with pytest.raises(base.Failed, match=r"(?s)Packages.*ERROR: no such thing.*log"):
        base.call(
            [sys.executable, "-c", "print('a'); print('ERROR: no such thing'); raise SystemExit(3)"], "Packages could not be installed"
        )


def test_pages_are_built_again_only_when_their_sources_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "package.json",
        "package-lock.json",
        "frontend/src/app/main.tsx",
        "frontend/src/app/main.test.tsx",
        "frontend/dist/app.js",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
    monkeypatch.setattr(pages, "ROOT", tmp_path)
    monkeypatch.setattr(pages, "STAMP", tmp_path / "frontend/dist/.headrace.json")
    assert not pages.current(), "never built"
    pages.STAMP.write_text(json.dumps({"content": pages.content(), "look": pages.look()}))
    assert pages.current()
    source = tmp_path / "frontend/src/app/main.tsx"
    os.utime(source, (1, 1))
    assert pages.current(), "touched by a checkout, but the same"
    (tmp_path / "frontend/src/app/main.test.tsx").write_text("2")
    (tmp_path / "frontend/dist/app.js").write_text("2")
    assert pages.current(), "neither a test nor the result is a source"
    source.write_text("2")
    assert not pages.current()
    source.unlink()
    assert not pages.current()
