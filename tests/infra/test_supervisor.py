"""The promises of `up` and `down`, on a real studio in a folder of its own: one start for all that does not need a fresh one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from infra.supervisor import processes, state, studio
from infra.supervisor.errors import CannotStart
from infra.supervisor.layout import ROOT, Layout

PARTS = {"postgres", "valkey", "web", "platform", "steps", "reaper", "predictor"}


@pytest.fixture(scope="module", autouse=True)
def plain_environment() -> Iterator[None]:
    """Without the services of this test session: an embedded studio brings its own."""
    names = ("HEADRACE_DATA_DIR", "DATABASE_URL", "BROKER_URL", "ARTIFACT_URL", "SECRET_KEY")
    kept = {name: os.environ.pop(name) for name in names if name in os.environ}
    yield
    os.environ.update(kept)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A short path with a space: the awkward case is the usual one here."""
    made = Path(tempfile.mkdtemp(prefix="hr up "))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def running(folder: Path) -> Iterator[studio.Studio]:
    """A studio on the module's data directory; left running from test to test, started anew where a test ended it."""
    yield studio.start(folder / "data", "--port", "0", "--workers-cpu", "1")


@pytest.fixture(scope="module", autouse=True)
def ended(folder: Path, plain_environment: None) -> Iterator[None]:
    yield
    manage("down", "--data-dir", str(folder / "data"))


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "infra", *arguments]
    return subprocess.run(command, check=False, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120)


def until(true: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := true():
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=60) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def left_of(token: str) -> list[str]:
    return [" ".join(psutil.Process(pid).cmdline()) for pid in processes.marked(token) if psutil.pid_exists(pid)]


def test_every_part_runs_and_status_tells_it(running: studio.Studio) -> None:
    until(lambda: set(running.now()["children"]) >= PARTS, "every part is started")
    told = manage("status", "--json", "--data-dir", str(running.layout.data))
    assert told.returncode == 0, told.stdout + told.stderr
    found = json.loads(told.stdout)
    assert found["status"] == "ready" and found["answers"] is True and found["url"] == running.url
    secret = running.layout.secret_key()
    assert secret not in told.stdout and secret not in running.layout.state.read_text() and secret not in running.layout.log.read_text()
    assert (running.layout.data / "secret_key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("part", ["web", "valkey", "postgres", "predictor", "platform"])
def test_a_killed_part_comes_back_and_the_studio_answers(running: studio.Studio, part: str) -> None:
    before = until(lambda: running.now()["children"].get(part, {}).get("pid"), f"{part} runs")
    os.kill(before, signal.SIGKILL)
    until(lambda: running.now()["children"][part]["pid"] not in (0, before), f"{part} was started again")
    until(lambda: answers(running.url), "the studio answers")
    assert running.now()["children"][part]["last_exit"] == "signal 9"


def test_the_web_process_stays_small(running: studio.Studio) -> None:
    with urllib.request.urlopen(f"{running.url}/api/v1/openapi.json", timeout=60) as answer:
        assert answer.status == 200
    web = psutil.Process(running.now()["children"]["web"]["pid"])
    assert web.memory_info().rss <= 200 * 1024**2, f"{web.memory_info().rss / 1024**2:.0f} MB"


def test_no_request_is_refused_while_the_web_process_is_replaced(running: studio.Studio) -> None:
    os.kill(running.now()["children"]["web"]["pid"], signal.SIGKILL)
    time.sleep(0.05)
    assert answers(running.url), "the request waited for the next web process"


def test_a_second_start_on_the_same_data_is_one_sentence(running: studio.Studio) -> None:
    refused = manage("up", "--data-dir", str(running.layout.data), "--port", "0")
    assert refused.returncode == 1
    assert "already runs" in refused.stderr and running.url in refused.stderr and len(refused.stderr.strip().splitlines()) == 1
    assert answers(running.url)


def test_a_taken_port_is_refused_when_asked_for_and_avoided_when_not(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = manage("up", "--data-dir", str(folder / "other"), "--port", str(port))
    assert refused.returncode == 1
    assert f"Port {port}" in refused.stderr and "--port" in refused.stderr and len(refused.stderr.strip().splitlines()) == 1

    from infra.supervisor import network

    with network.listen("127.0.0.1", None) as first, network.listen("127.0.0.1", None) as second:
        assert first.getsockname()[1] != second.getsockname()[1]


def test_management_commands_use_the_services_of_the_running_studio(running: studio.Studio) -> None:
    made = manage("create-owner", "first@example.org", HEADRACE_DATA_DIR=str(running.layout.data))
    assert made.returncode == 0, made.stderr
    assert made.stdout.strip().startswith(f"{running.url}/link/")
    assert made.stdout.strip() not in running.layout.log.read_text()


def test_after_a_killed_supervisor_the_next_start_ends_its_orphans(running: studio.Studio) -> None:
    before = until(lambda: running.now() if set(running.now().get("children", {})) >= PARTS else None, "every part is started")
    known = [(child["pid"], child["mark"]) for child in before["children"].values() if child["pid"]]
    temporary = Path(psutil.Process(before["children"]["steps"]["pid"]).environ()["TMPDIR"])
    (temporary / "left").write_bytes(b"by a step that was killed")
    os.kill(before["pid"], signal.SIGKILL)
    if running.process is not None:
        running.process.wait(10)
    # A killed process is there for a moment more; until it is gone its studio counts as running.
    until(lambda: not studio.state.running(running.layout), "the killed supervisor is gone")
    after = studio.start(running.layout.data, "--port", "0", "--workers-cpu", "1")
    assert after.now()["pid"] != before["pid"]
    assert answers(after.url)
    assert [pid for pid, mark in known if processes.alive(pid, mark)] == []
    assert left_of(before["token"]) == []
    again = until(lambda: after.now().get("children", {}).get("steps", {}).get("pid"), "the workers are started")
    assert psutil.Process(again).environ()["TMPDIR"] == str(temporary)
    assert not (temporary / "left").exists(), "temporary files pile up"


def test_stopping_takes_five_seconds_at_most_and_leaves_nothing(running: studio.Studio) -> None:
    until(lambda: set(running.now()["children"]) >= PARTS, "every part is started")
    now = running.now()
    began = time.monotonic()
    stopped = manage("down", "--data-dir", str(running.layout.data))
    assert stopped.returncode == 0 and "Stopped" in stopped.stdout
    assert time.monotonic() - began < 10, "5 s, and as much again for a busy machine"
    assert left_of(now["token"]) == []
    assert not running.layout.state.exists()
    assert list(running.layout.temporary().iterdir()) == []
    told = manage("status", "--json", "--data-dir", str(running.layout.data))
    assert told.returncode == 3 and json.loads(told.stdout)["status"] == "stopped"


def test_damage_a_full_disk_and_a_wrong_folder_are_one_sentence_each(running: studio.Studio, folder: Path) -> None:
    """Last: it takes the database of the module's studio apart."""
    data = running.layout.data
    manage("down", "--data-dir", str(data))
    database = running.layout.postgres()

    def refusal(where: Path, **environment: str) -> str:
        refused = manage("up", "--data-dir", str(where), "--port", "0", **environment)
        assert refused.returncode == 1, refused.stdout + refused.stderr
        assert len(refused.stderr.strip().splitlines()) == 1 and "Traceback" not in refused.stderr
        return refused.stderr

    assert "256" not in (full := refusal(data, HEADRACE_LEAST_FREE_BYTES=str(2**60))) and "free some space" in full
    a_file = folder / "file"
    a_file.write_text("")
    assert "file" in refusal(a_file) and "file" in refusal(a_file / "under")

    control = database / "global" / "pg_control"
    whole = control.read_bytes()
    control.write_bytes(b"\0" * len(whole))
    assert "damaged" in (told := refusal(data)) and str(database) in told
    control.unlink()
    assert "damaged" in refusal(data)
    control.write_bytes(whole)
    (database / "PG_VERSION").write_text("11\n")
    assert "PostgreSQL 11" in refusal(data)
    (data / "secret_key").write_text("short\n")
    assert "secret_key" in refusal(data)
    assert not state.running(Layout.of(data))


def test_a_studio_for_a_script_tells_why_it_cannot_start(folder: Path) -> None:
    blocked = folder / "blocked"
    blocked.write_text("")
    with pytest.raises(CannotStart, match="file"):
        studio.start(blocked)
