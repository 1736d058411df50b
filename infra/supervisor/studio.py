"""A studio as something to work with: start one (or use the one that runs), wait until it answers, stop it.

For the demos, the benchmarks and the browser tests. The supervisor runs in a process of its own, which ends with ours.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.supervisor import processes, state
from infra.supervisor.errors import CannotStart
from infra.supervisor.layout import ROOT, Layout

LONGEST_START = 180.0
"""Seconds a first start may take (database, migrations, static files) on a busy machine."""


@dataclass
class Studio:
    """A running studio. `environment` is what Django or a script needs to reach its parts."""

    layout: Layout
    state: dict[str, Any]
    process: subprocess.Popen[str] | None = None
    """The supervisor when it was started here; None when it ran already."""
    said: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return str(self.state["url"])

    @property
    def predictor_url(self) -> str:
        return str(self.state["predictor_url"])

    @property
    def environment(self) -> dict[str, str]:
        secret = os.environ.get("SECRET_KEY") or self.layout.secret_key()
        return {**self.state["environment"], "SECRET_KEY": secret}

    def now(self) -> dict[str, Any]:
        """The state as it is now: process numbers change when a part is started again."""
        return state.running(self.layout)

    def wait(self) -> None:
        """Until the studio ends (somebody may say `down`) or we are interrupted."""
        while state.running(self.layout):
            time.sleep(0.3)

    def stop(self) -> None:
        """Stop it if it was started here."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def __enter__(self) -> Studio:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start(data_dir: Path | str | None = None, *arguments: str, services_only: bool = False, seconds: float = LONGEST_START) -> Studio:
    """Use the studio that runs on this data directory, or start one (`arguments` as for `up`). Raises CannotStart with its sentence.

    The studio ends with the thread that started it (on Linux), so start it from one that stays.
    """
    layout = Layout.of(data_dir)
    if now := _settled(layout):
        return Studio(layout, now)
    command = [sys.executable, "-m", "infra.supervisor.studio"] if services_only else [sys.executable, "-m", "infra", "up"]

    def prepare() -> None:
        processes.die_with_parent(signal.SIGTERM)

    process = subprocess.Popen(
        [*command, *arguments, "--data-dir", str(layout.data)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=prepare,
    )
    until = time.monotonic() + seconds
    studio = Studio(layout, {}, process)
    try:
        while time.monotonic() < until:
            now = state.running(layout)
            if now.get("pid") == process.pid and now.get("status") == "ready":
                studio.state = now
                return studio
            if process.poll() is not None:
                assert process.stderr is not None
                words = [line for line in process.stderr.read().splitlines() if line.strip()]
                raise CannotStart(words[-1] if words else f"The studio ended with {process.returncode}; see {layout.log}.")
            time.sleep(0.05)
        raise CannotStart(f"The studio was not ready within {seconds:.0f} s; see {layout.log}.")
    except BaseException:
        studio.stop()
        raise


def _settled(layout: Layout) -> dict[str, Any]:
    """The state of a studio that runs here already, once it is ready."""
    until = time.monotonic() + LONGEST_START
    while (now := state.running(layout)) and time.monotonic() < until:
        if now["status"] == "ready":
            return now
        time.sleep(0.1)
    return {}


@contextlib.contextmanager
def services(data_dir: Path | str | None = None) -> Iterator[dict[str, str]]:
    """Set the environment of this process for the database and the broker of a data directory; embedded ones run meanwhile if none do."""
    layout = Layout.of(data_dir)
    if os.environ.get("DATABASE_URL") and os.environ.get("BROKER_URL"):
        layout.make()
        os.environ.setdefault("SECRET_KEY", layout.secret_key())
        yield dict(os.environ)
        return
    with start(layout.data, services_only=True) as studio:
        before = dict(os.environ)
        os.environ.update(studio.environment)
        try:
            yield studio.environment
        finally:
            os.environ.clear()
            os.environ.update(before)


def _services_only() -> None:
    """`python -m infra.supervisor.studio --data-dir DIR`: only the database and the broker."""
    from infra.supervisor import main
    from infra.supervisor.options import Options

    try:
        main.run(Path(sys.argv[sys.argv.index("--data-dir") + 1]), Options(services_only=True))
    except CannotStart as exc:
        sys.exit(str(exc))


if __name__ == "__main__":
    _services_only()
